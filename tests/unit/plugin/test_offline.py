"""The class that analyses clips without a server can be imported by both of its names."""

import emotion_llama_vllm
from emotion_llama_vllm.offline import LocalEmotionLLaMA


def test_the_package_offers_the_class_by_its_name() -> None:
    assert emotion_llama_vllm.LocalEmotionLLaMA is LocalEmotionLLaMA


def test_programs_that_import_the_old_name_still_get_the_class() -> None:
    assert emotion_llama_vllm.EmotionLlama is LocalEmotionLLaMA
