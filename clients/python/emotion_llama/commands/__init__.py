"""Implements the client's commands `emotion-llama analyze`, `evaluate` and `bench`."""
