"""What every kind of certificate has in common: names, requests and the operator's rules. Pure."""
