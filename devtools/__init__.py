"""Provides tools for tests, demo and benchmarks: a server, clips, random checkpoints."""
