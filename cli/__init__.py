"""The ``openbell`` command."""
