"""Holds examples for the OpenAPI document, with the answers of the demo checkpoint."""

from typing import Any

from emotion_llama.prompt import with_transcript
from emotion_llama_vllm import demo_files

CHAT_REQUEST: dict[str, Any] = {
    "model": demo_files.MODEL_NAME,
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "video_url", "video_url": {"url": "happy_face.mp4"}},
                {"type": "text", "text": with_transcript("[emotion] Which emotion is this?")},
            ],
        }
    ],
    "max_tokens": 32,
}

EMOTION_RESPONSE: dict[str, Any] = {
    "emotion": "happy",
    "confidence": 0.99997,
    "probabilities": {
        "neutral": 8.61e-06,
        "angry": 4.46e-06,
        "happy": 0.99997,
        "sad": 2.78e-06,
        "worried": 1.81e-06,
        "surprise": 9.93e-06,
    },
    "id": "emotion-605a628459264846a3649206e8cacf65",
    "model": demo_files.MODEL_NAME,
    "answer": "happy",
    "answer_matches": True,
    "explanation": (
        "The face shows raised cheeks (AU6) and lip corners pulled up (AU12). The voice has a "
        "middle pitch, an even melody, a calm pace and a clear timbre. Therefore, it is inferred "
        "that the emotional state is: happy"
    ),
    "timeline": None,
    "evidence": {
        "frame_index": 0,
        "frame_time": 0.0,
        "frame_policy": "first",
        "frame_used": "first",
        "audio_seconds": 2.688,
        "has_audio": True,
        "video_track": {"index": 0, "language": None, "codec": "h264", "count": 1},
        "audio_track": {"index": 0, "language": None, "codec": "aac", "count": 1},
        "features": [],
        "feature_rows": {"FaceMAE": "zero", "VideoMAE": "zero", "audio": "computed"},
        "face_crops": 0,
        "faces": None,
        "checkpoint": demo_files.MODEL_NAME,
        "manifest": "81971cbed118e76af55d20a9480accddead69b42ee0d8221df674e8bf3bdd66e",
        "prompt": (
            "<s><s>[INST] <video><unk></video> <feature><FeatureHere></feature> The person in "
            "video says: .  [emotion] Please determine which emotion label in the video "
            "represents: neutral, angry, happy, sad, worried, surprise.  [/INST]"
        ),
    },
    "usage": {"prompt_tokens": 411, "completion_tokens": 79, "total_tokens": 490},
    "timing": {
        "fetch": 0.000747,
        "decode": 0.05,
        "queue": 0.000157,
        "first_token": 0.2804,
        "total": 0.5272,
    },
    "warnings": [],
    "notice": (
        "A demonstration, trained on drawn faces and synthesised voices: it does not recognise "
        "the emotions of real people."
    ),
}
