"""Prompt, model and the checks of its answer."""
