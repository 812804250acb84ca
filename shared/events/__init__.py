"""The events on the bus. A body is the plain JSON of one of these; metadata is in headers."""
