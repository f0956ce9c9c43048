"""Decodes clips in separate processes, and caches the decoded clips."""
