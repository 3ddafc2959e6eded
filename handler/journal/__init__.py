"""The journal: what happened to each renewal, kept where it survives any crash. And notes beside it."""
