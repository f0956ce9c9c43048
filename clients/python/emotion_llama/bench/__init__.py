"""Implements the load test of `emotion-llama bench`."""
