"""One run, from a command to a result: the only room that knows kinds, journal and outbox together."""
