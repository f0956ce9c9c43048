"""Reads what the original computed, and computes it anew."""
