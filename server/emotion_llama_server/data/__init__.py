"""Owns the folder of `--data-dir`: its lock, its permissions, its database and its clock."""
