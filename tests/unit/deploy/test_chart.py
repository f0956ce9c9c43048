"""The Helm chart: each set of values makes manifests that Kubernetes takes and that are safe."""

import json
import re
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from prometheus_client import REGISTRY

import emotion_llama_vllm.metrics  # noqa: F401  (registers the metrics)
from emotion_llama import __version__
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.settings import MediaSettings
from tests.support.deploy.chart import (
    CHART,
    DEFAULT,
    EXAMPLES,
    only,
    render,
    rendered,
    server_flags,
    server_pod,
    values_of,
)
from tests.support.deploy.custom_resources import CUSTOM

KUBERNETES = ("1.35", "1.36", "1.37")
SETS = [DEFAULT, *EXAMPLES]
VLLM_FLAGS = {"config", "host", "shutdown-timeout", "allowed-media-domains"}


@pytest.mark.parametrize("name", SETS)
def test_helm_finds_nothing_to_correct(name: str) -> None:
    report = helm_python.lint(CHART, values_of(name), strict=True, namespace="emotion")
    warning = 2
    assert [found for found in report["messages"] if found["severity"] >= warning] == []
    assert not report["errors"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", SETS)
@pytest.mark.costly
def test_kubernetes_takes_each_manifest(name: str, version: str) -> None:
    for manifest in rendered(name):
        if manifest["kind"] in CUSTOM:
            CUSTOM[manifest["kind"]].model_validate(manifest)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_the_examples_make_each_kind_of_resource() -> None:
    kinds = {manifest["kind"] for name in SETS for manifest in rendered(name)}
    asked = {"HorizontalPodAutoscaler", "Ingress", "Job", "NetworkPolicy", "PodDisruptionBudget"}
    assert kinds >= {*CUSTOM, *asked, "PersistentVolumeClaim", "Secret", "Service"}
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("name", SETS)
def test_each_pod_keeps_to_the_restricted_standard(name: str) -> None:
    for manifest in rendered(name):
        if manifest["kind"] not in ("Deployment", "Job"):
            continue
        pod = manifest["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_three_replicas_have_one_gpu_each_and_cpus_none() -> None:
    assert only("Deployment", rendered(DEFAULT))["spec"]["replicas"] == 3
    limits = server_pod(rendered(DEFAULT))["containers"][0]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == "1"
    container = server_pod(rendered("cpu"))["containers"][0]
    assert "nvidia.com/gpu" not in container["resources"]["limits"]
    assert container["image"].endswith("-cpu")
    assert "--config=emotion-llama-7b-cpu" in container["args"]


def test_the_service_links_do_not_become_settings() -> None:
    assert server_pod(rendered(DEFAULT))["enableServiceLinks"] is False


@pytest.mark.parametrize("name", SETS)
def test_a_pod_has_time_for_its_whole_end(name: str) -> None:
    pod, flags = server_pod(rendered(name)), server_flags(rendered(name))
    seconds = {
        flag: int(next(word for word in flags if word.startswith(f"{flag}=")).split("=")[1])
        for flag in ("--drain-delay", "--shutdown-timeout")
    }
    hooks = pod["containers"][0].get("lifecycle", {"preStop": {"sleep": {"seconds": 0}}})
    before = hooks["preStop"]["sleep"]["seconds"]
    engine = pod["terminationGracePeriodSeconds"] - before - sum(seconds.values())
    assert engine > 15  # `_END_SECONDS` of start/lifecycle.py


def test_the_start_may_take_as_long_as_the_values_say() -> None:
    manifests = render({"startSeconds": 1234})
    probe = server_pod(manifests)["containers"][0]["startupProbe"]
    assert 0 <= probe["failureThreshold"] * probe["periodSeconds"] - 1234 < 5
    assert only("Deployment", manifests)["spec"]["progressDeadlineSeconds"] > 1234


@pytest.mark.parametrize("name", SETS)
def test_each_flag_is_one_of_the_servers(name: str) -> None:
    fields = [*ServerSettings.model_fields, *MediaSettings.model_fields]
    known = {field.replace("_", "-") for field in fields} | VLLM_FLAGS
    given = [word[2:].split("=")[0] for word in server_flags(rendered(name)) if word[0] == "-"]
    assert set(given) <= known


def test_a_pod_may_connect_to_nothing_but_dns() -> None:
    policy = only("NetworkPolicy", rendered(DEFAULT))["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    (rule,) = policy["egress"]
    assert {port["port"] for port in rule["ports"]} == {53}


def test_named_hosts_are_opened_by_name() -> None:
    issuer = {"issuer": "https://login.example/realms/main", "audience": "emotion"}
    values = {
        "media": {"domains": ["clips.example", "storage.example:8443"]},
        "auth": {"oidc": issuer},
        "networkPolicy": {"cilium": True},
    }
    rules = only("CiliumNetworkPolicy", render(values))["spec"]["egress"]
    opened = {
        host["matchName"]: [port["port"] for port in rule["toPorts"][0]["ports"]]
        for rule in rules
        for host in rule.get("toFQDNs", [])
    }
    assert opened == {
        "clips.example": ["80", "443"],
        "storage.example": ["8443"],
        "login.example": ["80", "443"],
    }


def test_hosts_that_the_policy_would_cut_off_are_refused() -> None:
    with pytest.raises(helm_python.HelmError, match=r"clips\.example must be reached"):
        render({"media": {"domains": ["clips.example"]}})


def test_one_clip_goes_to_one_replica() -> None:
    annotations = only("Ingress", rendered("ingress"))["metadata"]["annotations"]
    assert annotations["nginx.org/lb-method"] == "hash $http_x_session_id consistent"
    balancer = only("BackendTrafficPolicy", rendered("gateway"))["spec"]["loadBalancer"]
    assert balancer["consistentHash"]["header"]["name"] == "X-Session-ID"


def test_the_server_reads_the_keys_that_the_chart_writes() -> None:
    manifests = rendered("cpu")
    secret = only("Secret", manifests)["stringData"]
    keys = dict(line.split(":") for line in secret["keys"].splitlines())
    assert keys == values_of("cpu")["auth"]["keys"]
    assert secret["prometheus"] == keys["prometheus"]
    assert "--metrics-key=prometheus" in server_flags(manifests)


def test_a_scaler_decides_alone_how_many_replicas_run() -> None:
    for name, kind in {"ingress": "HorizontalPodAutoscaler", "gateway": "ScaledObject"}.items():
        assert "replicas" not in only("Deployment", rendered(name))["spec"]
        named = set(re.findall(r"emotion_llama_\w+", json.dumps(only(kind, rendered(name)))))
        assert named <= {metric.name for metric in REGISTRY.collect()}
        assert named


def test_weights_that_are_there_are_not_converted_again() -> None:
    job = only("Job", rendered("convert"))
    changed = values_of("convert") | {"image": {"tag": "next"}}
    assert only("Job", render(changed))["metadata"]["name"] != job["metadata"]["name"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"][2].startswith('test -e "$0/manifest.json" ||')
    assert container["args"][0] == server_flags(rendered("convert"))[1]


def test_files_and_batches_are_kept_in_a_volume_that_one_server_owns() -> None:
    manifests = rendered("batches")
    assert only("Deployment", manifests)["spec"]["replicas"] == 1
    assert only("Deployment", manifests)["spec"]["strategy"] == {"type": "Recreate"}
    claim = only("PersistentVolumeClaim", manifests)
    assert claim["spec"]["resources"]["requests"] == {"storage": "100Gi"}
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert data_volume(manifests) == claim["metadata"]["name"]


def test_files_and_batches_are_kept_in_a_volume_that_is_there() -> None:
    manifests = render({"replicaCount": 1, "data": {"claim": "kept", "size": "1Gi"}})
    assert "PersistentVolumeClaim" not in {manifest["kind"] for manifest in manifests}
    assert data_volume(manifests) == "kept"


def test_nothing_is_kept_where_no_volume_is_named() -> None:
    assert not [word for word in server_flags(rendered(DEFAULT)) if "data-dir" in word]
    assert "data" not in {volume["name"] for volume in server_pod(rendered(DEFAULT))["volumes"]}


def data_volume(manifests: list[dict[str, Any]]) -> str:
    """Return the claim of the volume that holds the folder of `--data-dir`."""
    pod = server_pod(manifests)
    (flag,) = [word for word in server_flags(manifests) if word.startswith("--data-dir=")]
    (mount,) = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "data"]
    assert flag.startswith(f"--data-dir={mount['mountPath']}/")
    assert not mount.get("readOnly")
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "data"]
    return volume["persistentVolumeClaim"]["claimName"]


@pytest.mark.parametrize(
    "values", [{"replicaCount": 2}, {"replicaCount": 1, "autoscaling": {"kind": "hpa"}}], ids=str
)
def test_more_replicas_than_one_are_not_given_one_folder(values: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError, match="one server owns the folder of files"):
        render(values | {"data": {"claim": "kept"}})


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": 3},
        {"replicaCount": 1, "data": {"size": "large"}},
        {"server": {"flags": {"data-dir": "/tmp/data"}}},
        {"variant": "tpu"},
        {"auth": {"oidc": {"issuer": "https://login.example"}}},
        {"auth": {"secret": "", "keys": {"alice": "0123456789"}}},
        {"gateway": {"enabled": True}},
        {"drain": {"margin": 5}},
        {"server": {"flags": {"port": 80}}},
        {"weights": {"source": "convert"}},
    ],
    ids=str,
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError):
        render(values)


def test_the_chart_is_of_the_servers_version() -> None:
    with helm_python.Chart.load(CHART) as chart:
        assert chart.metadata["appVersion"] == chart.metadata["version"] == __version__
