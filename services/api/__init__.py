"""Intake, closing of runs, the ledger, and REST."""
