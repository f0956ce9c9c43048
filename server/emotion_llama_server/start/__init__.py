"""Runs the server from its command-line arguments to its exit code."""
