"""Deployment: a new certificate takes the place of the one that it replaces, on every product where that is bound."""
