"""Implements `emotion-llama batch`: many clips as one job of a server that keeps files."""
