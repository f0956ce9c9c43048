"""Provides helpers for the tests: clips, a plain reference of the model, a running server."""
