"""What already happened; it survives any crash."""
