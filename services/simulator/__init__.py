"""A server that speaks the Client Portal Web API, quirks included, on a simulated market.

It shares no code with the other services: what it says on the wire is its own reading of the API,
so that a client which misreads it fails here as it would fail at the real one.
"""
