"""Provides what the recipes share: clips, servers, load, the original, and reports."""
