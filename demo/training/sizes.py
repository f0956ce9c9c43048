"""Defines the demo's architecture: the 7B's with small numbers."""

from emotion_llama_vllm.config import EmotionLlamaConfig, FaceEncoderConfig

FEATURE_SIZE = 128
"""The width of the feature rows, and so of HuBERT and both face encoders."""
FACE_ENCODER = FaceEncoderConfig(
    hidden_size=FEATURE_SIZE, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256
)


def demo_config(vocab_size: int) -> EmotionLlamaConfig:
    """Return sizes with about five million parameters, and head sizes of vLLM's backends."""
    return EmotionLlamaConfig(
        text_config={
            "vocab_size": vocab_size,
            "hidden_size": 192,
            "intermediate_size": 512,
            "num_hidden_layers": 4,
            "num_attention_heads": 6,
            "num_key_value_heads": 6,
            "max_position_embeddings": 2048,
            "rms_norm_eps": 1e-5,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={
            "image_size": 112,
            "hidden_size": 128,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "intermediate_size": 384,
        },
        audio_config={
            "hidden_size": FEATURE_SIZE,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 256,
            "conv_dim": (32, 32, 48, 48, 64, 64, 96),
            "conv_bias": True,
            "feat_extract_norm": "layer",
            "do_stable_layer_norm": True,
            "num_conv_pos_embeddings": 32,
            "num_conv_pos_embedding_groups": 4,
        },
        face_mae_config=FACE_ENCODER,
        video_mae_config=FACE_ENCODER,
    )
