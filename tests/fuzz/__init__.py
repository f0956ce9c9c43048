"""Hostile clips and requests against a live server, and whether it stays as it was."""
