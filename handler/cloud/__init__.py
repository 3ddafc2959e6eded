"""The services: one module each that touches its SDK. Only the door imports this room."""
