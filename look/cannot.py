"""Why there was nothing to look at."""


class CannotLook(Exception):
    """Why there was nothing to look at, in a sentence or two, with what a person can do."""
