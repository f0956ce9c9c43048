"""Provides what several tests use; the folders tell which part of the product meets it."""
