"""Everything that is checked, refused and rewritten of a chat request before vLLM answers it."""
