"""OpenTelemetry's variables and vLLM's flag say where traces go."""

import os
from argparse import Namespace

import pytest

from emotion_llama_server.environment import StartError
from emotion_llama_server.start.tracing import take_over

BASE = "OTEL_EXPORTER_OTLP"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {k: v for k, v in os.environ.items() if "OTEL" not in k})


def endpoint(flag: str | None = None, **variables: str) -> str | None:
    os.environ.update(variables)
    args = Namespace(otlp_traces_endpoint=flag)
    take_over(args)
    return args.otlp_traces_endpoint


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, None),
        ({"_ENDPOINT": "http://c:4317"}, "http://c:4317"),
        ({"_ENDPOINT": "http://c:4318/", "_PROTOCOL": "http/protobuf"}, "http://c:4318/v1/traces"),
        ({"_ENDPOINT": "http://c:1", "_TRACES_ENDPOINT": "http://d:2"}, "http://d:2"),
        (
            {"_TRACES_ENDPOINT": "http://d:2/x", "_TRACES_PROTOCOL": "http/protobuf"},
            "http://d:2/x",
        ),
    ],
)
def test_the_variables_name_the_collector(variables: dict[str, str], found: str | None) -> None:
    assert endpoint(**{BASE + name: value for name, value in variables.items()}) == found


def test_the_flag_precedes_the_variables() -> None:
    assert endpoint("grpc://e:3", OTEL_EXPORTER_OTLP_ENDPOINT="http://c:1") == "grpc://e:3"


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_traces_are_off_if_a_variable_says_so(off: dict[str, str]) -> None:
    assert endpoint(**off, OTEL_EXPORTER_OTLP_ENDPOINT="http://c:1") is None


def test_a_protocol_that_vllm_does_not_speak_ends_the_start() -> None:
    with pytest.raises(StartError, match=r"grpc or http/protobuf"):
        endpoint(OTEL_EXPORTER_OTLP_ENDPOINT="http://c:1", OTEL_EXPORTER_OTLP_PROTOCOL="http/json")


def test_vllm_reads_the_general_protocol_and_the_service_has_a_name() -> None:
    endpoint(OTEL_EXPORTER_OTLP_ENDPOINT="http://c", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf")
    assert os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "http/protobuf"
    assert os.environ["OTEL_SERVICE_NAME"] == "emotion-llama"
