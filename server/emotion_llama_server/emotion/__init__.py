"""Answers `POST /v1/emotion`: its request, its analysis and its formats."""
