"""The client of an Emotion-LLaMA server: small, without torch or vLLM."""

__version__ = "0.1.0"
