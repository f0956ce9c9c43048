"""Turns a clip into numbers and evidence, for `POST /v1/emotion` and `LocalEmotionLLaMA` alike."""
