"""The probe: asks a domain over TLS which certificate it serves, as a browser would, and trusts nobody."""
