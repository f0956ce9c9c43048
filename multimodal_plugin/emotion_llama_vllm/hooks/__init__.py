"""Connects this package to vLLM: its registries, its environment and its processes."""
