"""From a clip to numbers and evidence: what `POST /v1/emotion` and `EmotionLlama` share."""
