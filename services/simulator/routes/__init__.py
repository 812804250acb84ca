"""The endpoints, by the part of the API that they belong to."""
