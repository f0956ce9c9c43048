"""Decodes the bytes of a clip into pictures and sound."""
