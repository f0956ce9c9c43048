"""Builds `emotion-llama serve --help`: our flags and the most important ones of vLLM.

It does not use vLLM's own parser, which knows hundreds of flags and must first import all of vLLM.
"""

import argparse
import shutil

from emotion_llama_server.settings import ServerSettings, add_flags
from emotion_llama_server.start.arguments import HOST, PORT, SHUTDOWN_SECONDS
from emotion_llama_vllm.settings import MediaSettings

_WIDEST = 110

GROUPS: dict[str, tuple[str, ...]] = {
    "address": ("legacy_port",),
    "access": (
        *("api_key_file", "metrics_key", "no_page", "expose_route", "trusted_proxy"),
        *("oidc_issuer", "oidc_audience", "oidc_scope", "oidc_name_claim"),
        *("rate_limit", "rate_limit_storage", "rate_limit_fail"),
    ),
    "clips": (
        *("media_root", "max_media_mb", "max_audio_seconds", "max_timeline_seconds"),
        *("max_face_crops", "face_frames", "media_fetch_seconds"),
        *("allow_private_media_host", "media_trust_env"),
        *("decode_workers", "decode_seconds", "decode_memory_mb", "clip_cache_mb"),
        *("data_dir", "max_stored_gb", "keep_days"),
    ),
    "transcripts": (
        *("transcriber_url", "transcriber_model", "transcriber_key_file", "transcriber_seconds"),
        "transcribe",
    ),
    "requests": (
        *("max_in_flight", "max_waiting", "request_timeout", "drain_delay"),
        *(
            "keep_alive_seconds",
            "max_upload_mb",
            "max_answer_tokens",
            "answer_cache_mb",
            "allow_text_only",
        ),
    ),
    "log": ("log_format", "log_file"),
    "engine": (),
}
"""The names of our settings, grouped by topic; each is in one group."""

_OF_VLLM: dict[str, tuple[tuple[str, str, str], ...]] = {
    "address": (
        ("--host", "ADDRESS", f"address of both ports; 0.0.0.0 for all [{HOST}]"),
        ("--port", "N", f"main port [{PORT}]"),
        ("--ssl-certfile", "FILE", "certificate in PEM, for HTTPS on both ports"),
        ("--ssl-keyfile", "FILE", "private key of the certificate"),
    ),
    "access": (("--allowed-origins", "JSON", 'origins of allowed pages, as ["https://a"]'),),
    "clips": (("--allowed-media-domains", "HOST", "hosts to fetch from; several may follow"),),
    "transcripts": (),
    "requests": (
        (
            "--shutdown-timeout",
            "N",
            f"seconds to finish after SIGTERM [{SHUTDOWN_SECONDS}]",
        ),
    ),
    "log": (("--log-level", "LEVEL", "show vLLM's lines from debug, info or warning on"),),
    "engine": (
        ("--served-model-name", "NAME", "name of the model for clients [MODEL]"),
        ("--dtype", "TYPE", "bfloat16, float16, float32 [automatic]"),
        ("--max-model-len", "N", "maximum tokens of prompt, clip and answer"),
        ("--max-num-seqs", "N", "maximum answers computed together"),
        ("--kv-cache-memory-bytes", "N", "bytes of the KV cache, as 2G"),
    ),
}


def help_text() -> str:
    """Return the help text, formatted for the width of the terminal."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    parser = argparse.ArgumentParser(
        prog="emotion-llama serve",
        usage="%(prog)s [MODEL] [--config FILE] [FLAGS]",
        description="Serve a checkpoint over HTTP; without MODEL, the demo. Defaults are in [ ].",
        epilog="--help-vllm lists vLLM's flags, which work too; --help-vllm=WORD those with a "
        "word. Each of our flags is also a variable: --max-waiting is EMOTION_LLAMA_MAX_WAITING.",
        formatter_class=lambda prog: argparse.HelpFormatter(
            prog, max_help_position=30, width=width
        ),
        add_help=False,
    )
    parser.add_argument("MODEL", nargs="?", help="a folder, or OWNER/NAME at Hugging Face")
    parser.add_argument(
        "--config", metavar="FILE", help="YAML file of flags, or the name of a shipped one"
    )
    for title, names in GROUPS.items():
        group = parser.add_argument_group(title)
        for flag, metavar, words in _OF_VLLM[title]:
            group.add_argument(flag, metavar=metavar, help=words)
        if names:
            add_flags(group, ServerSettings, MediaSettings, only=names)
    return parser.format_help()
