"""Implements the client's commands `emotion-llama analyze`, `evaluate`, `bench` and `mcp`."""
