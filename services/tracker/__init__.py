"""Tracker: one MLflow run per run, a child per symbol. On nobody's path: it only watches."""
