"""From the bytes of an event to a command. Pure."""
