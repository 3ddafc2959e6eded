"""The whole function on the local cloud."""
