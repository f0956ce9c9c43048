"""Holds the network: `vision` (EVA-ViT), `faces` (FaceMAE and VideoMAE), `audio` (HuBERT).

`emotion_llama` puts all together; `vit` has the blocks that the three ViTs share.

`processing` turns clips into the network's inputs and puts their embeddings into the prompt.
"""
