"""The network: `vision` (EVA-ViT), `audio` (HuBERT), `emotion_llama` (projections and Llama).

`processing` turns clips into the network's inputs and puts their embeddings into the prompt.
"""
