"""Describes the custom resources that the chart makes, as far as it uses them.

The schemas of Kubernetes's own resources come from `kubernetes_validate`. These follow the
definitions of Prometheus's operator 0.85, Gateway API 1.3, Envoy Gateway 1.5, KEDA 2.17 and
Cilium 1.18.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Metadata(_Strict):
    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)
    labels: dict[str, str]


class Resource(_Strict):
    kind: str
    metadata: Metadata


class Selector(_Strict):
    match_labels: dict[str, str]


class SecretKey(_Strict):
    name: str
    key: str


class Authorization(_Strict):
    credentials: SecretKey


class Endpoint(_Strict):
    port: str
    path: str
    interval: str
    authorization: Authorization | None = None


class ServiceMonitorSpec(_Strict):
    selector: Selector
    endpoints: list[Endpoint]


class ServiceMonitor(Resource):
    api_version: Literal["monitoring.coreos.com/v1"]
    spec: ServiceMonitorSpec


class Rule(_Strict):
    alert: str | None = None
    record: str | None = None
    expr: str
    for_: str | None = Field(default=None, alias="for")
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class RuleGroup(_Strict):
    name: str
    interval: str | None = None
    rules: list[Rule]


class PrometheusRuleSpec(_Strict):
    groups: list[RuleGroup]


class PrometheusRule(Resource):
    api_version: Literal["monitoring.coreos.com/v1"]
    spec: PrometheusRuleSpec


class ParentRef(_Strict):
    name: str
    namespace: str | None = None
    section_name: str | None = None


class BackendRef(_Strict):
    name: str
    port: int


class RouteTimeouts(_Strict):
    request: str


class RouteRule(_Strict):
    timeouts: RouteTimeouts
    backend_refs: list[BackendRef]


class HTTPRouteSpec(_Strict):
    parent_refs: list[ParentRef] = Field(min_length=1)
    hostnames: list[str]
    rules: list[RouteRule]


class HTTPRoute(Resource):
    api_version: Literal["gateway.networking.k8s.io/v1"]
    spec: HTTPRouteSpec


class TargetRef(_Strict):
    group: Literal["gateway.networking.k8s.io"]
    kind: Literal["HTTPRoute"]
    name: str


class HeaderName(_Strict):
    name: str


class HeaderHash(_Strict):
    type: Literal["Header"]
    header: HeaderName


class LoadBalancer(_Strict):
    type: Literal["ConsistentHash"]
    consistent_hash: HeaderHash


class RetryTriggers(_Strict):
    triggers: list[Literal["connect-failure", "refused-stream", "retriable-status-codes"]]
    http_status_codes: list[int]


class Retry(_Strict):
    num_retries: int
    retry_on: RetryTriggers


class BackendTrafficPolicySpec(_Strict):
    target_refs: list[TargetRef]
    load_balancer: LoadBalancer
    retry: Retry


class BackendTrafficPolicy(Resource):
    api_version: Literal["gateway.envoyproxy.io/v1alpha1"]
    spec: BackendTrafficPolicySpec


class ScaleTarget(_Strict):
    name: str


class TriggerMetadata(_Strict):
    server_address: str
    query: str
    threshold: str


class Trigger(_Strict):
    type: Literal["prometheus"]
    metric_type: Literal["AverageValue"]
    metadata: TriggerMetadata


class ScalerConfiguration(_Strict):
    behavior: dict[Literal["scaleUp", "scaleDown"], Any]
    """The behaviour of a HorizontalPodAutoscaler, whose schema another test applies."""


class Advanced(_Strict):
    horizontal_pod_autoscaler_config: ScalerConfiguration


class ScaledObjectSpec(_Strict):
    scale_target_ref: ScaleTarget
    min_replica_count: int
    max_replica_count: int
    triggers: list[Trigger]
    advanced: Advanced


class ScaledObject(Resource):
    api_version: Literal["keda.sh/v1alpha1"]
    spec: ScaledObjectSpec


class CiliumPort(_Strict):
    port: str
    protocol: Literal["TCP", "UDP", "ANY"]


class DnsRule(_Strict):
    match_pattern: str


class DnsRules(_Strict):
    dns: list[DnsRule]


class CiliumPorts(_Strict):
    ports: list[CiliumPort]
    rules: DnsRules | None = None


class HostName(_Strict):
    match_name: str


class CiliumEgress(_Strict):
    to_endpoints: list[Selector] | None = None
    hosts: list[HostName] | None = Field(default=None, alias="toFQDNs")
    to_ports: list[CiliumPorts]


class CiliumNetworkPolicySpec(_Strict):
    endpoint_selector: Selector
    egress: list[CiliumEgress]


class CiliumNetworkPolicy(Resource):
    api_version: Literal["cilium.io/v2"]
    spec: CiliumNetworkPolicySpec


CUSTOM: dict[str, type[Resource]] = {
    kind.__name__: kind
    for kind in (
        ServiceMonitor,
        PrometheusRule,
        HTTPRoute,
        BackendTrafficPolicy,
        ScaledObject,
        CiliumNetworkPolicy,
    )
}
"""Maps each kind to its model."""
