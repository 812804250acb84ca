"""Client of IBKR's Client Portal API: reading the wire is pure, asking is one small class."""
