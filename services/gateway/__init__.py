"""The only process that talks to the broker."""
