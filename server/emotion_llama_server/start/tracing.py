"""Takes the variables of OpenTelemetry (OTEL_*) over into vLLM's flag, which exports the spans."""

import os
from argparse import Namespace

from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.sdk import environment_variables as names

from emotion_llama_server.environment import StartError

_GRPC, _HTTP = "grpc", "http/protobuf"


def take_over(args: Namespace) -> None:
    """Set `--otlp-traces-endpoint` from the environment, unless the operator gives it.

    vLLM reads the protocol only from its variable for traces; all other variables are read by
    OpenTelemetry itself.

    Raises:
        StartError: the protocol is one that vLLM does not speak.
    """
    protocol = _of(names.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL) or _of(
        names.OTEL_EXPORTER_OTLP_PROTOCOL
    )
    args.otlp_traces_endpoint = args.otlp_traces_endpoint or _endpoint(protocol or _GRPC)
    if args.otlp_traces_endpoint is None:
        return
    if protocol:
        os.environ[names.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL] = protocol
    if protocol not in (None, _GRPC, _HTTP):
        raise StartError(f"{names.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL} must be {_GRPC} or {_HTTP}.")
    os.environ.setdefault(names.OTEL_SERVICE_NAME, "emotion-llama")


def _endpoint(protocol: str) -> str | None:
    """Return where the variables send traces, or None if nowhere."""
    is_off = (_of(names.OTEL_SDK_DISABLED) or "").lower() == "true"
    if is_off or _of(OTEL_TRACES_EXPORTER) == "none":
        return None
    if (endpoint := _of(names.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)) is not None:
        return endpoint
    base = _of(names.OTEL_EXPORTER_OTLP_ENDPOINT)
    # Over HTTP, the variable for all signals is the base of their paths.
    return f"{base.rstrip('/')}/v1/traces" if base and protocol != _GRPC else base


def _of(name: str) -> str | None:
    return os.environ.get(name) or None
