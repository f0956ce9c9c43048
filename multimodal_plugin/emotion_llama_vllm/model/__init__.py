"""Holds the network: `vision` (EVA-ViT), `audio` (HuBERT), `emotion_llama` (all together).

`processing` turns clips into the network's inputs and puts their embeddings into the prompt.
"""
