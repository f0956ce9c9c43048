"""Defines the server's logger, a child of vLLM's, whose handlers and level apply to it."""

import logging

logger = logging.getLogger("vllm.emotion_llama_server")
