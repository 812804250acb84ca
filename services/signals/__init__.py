"""Signals: a model or rules propose on the evidence; code checks and decides."""
