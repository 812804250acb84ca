"""Risk, sizing, intents and orders."""
