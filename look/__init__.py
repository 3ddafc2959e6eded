"""A first look at a real account from this machine: the real handler, which here can only read. Never deployed."""
