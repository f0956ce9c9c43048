"""The routes that are ours; `/v1/chat/completions` and its like are vLLM's own."""
