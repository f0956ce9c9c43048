"""Builds the OpenAPI document of vLLM's and our routes."""
