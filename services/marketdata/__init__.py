"""Contracts, quotes, bars and indicators: writes the evidence of a decision."""
