"""Serves routes of ours in small apps without an engine."""
