"""Checks, refuses and rewrites chat requests before vLLM answers them."""
