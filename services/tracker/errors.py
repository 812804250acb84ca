"""What can go wrong on the way to MLflow."""


class AwayError(Exception):
    """MLflow did not answer, or not sensibly: the same may well work later."""
