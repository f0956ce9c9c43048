"""Defines the server's own routes; `/v1/chat/completions` and others are vLLM's."""
