"""Reads the bytes of a clip by its name, only from places that the operator allows."""
