"""The V2 operations, each over both front ends."""
