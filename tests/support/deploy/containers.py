"""Builds the CPU image and runs it, without a registry and without a daemon: as root on Debian."""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from devtools.paths import CHECKOUT
from emotion_llama import __version__

TOOLS = ("buildah", "podman", "runc", "debootstrap", "make")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
BASE = "localhost/emotion-llama-base:bookworm"
IMAGE = f"localhost/emotion-llama:{__version__}-cpu"
PODMAN = ("podman", "--runtime", "runc")
START_SECONDS = 120


def build_image() -> str:
    """Build the image with `make image` on a base of Debian's packages, and return its name."""
    _make_base()
    options = ["--isolation", "chroot", "--pull-never", "--format", "docker", "--layers"]
    volumes = [word for path in _pip_paths() for word in ("--volume", f"{path}:{path}:ro")]
    arguments = ["--build-arg", f"BASE={BASE}", "--build-arg", f"TORCH_INDEX={_torch_index()}"]
    builder = ["buildah", "bud", *options, *volumes, *arguments]
    command = ["make", "image", "TARGET=cpu", f"BUILDER={' '.join(builder)}"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return IMAGE


def _make_base() -> None:
    """Make a base image of Debian's packages, once for a machine."""
    if subprocess.run([*PODMAN, "image", "exists", BASE], check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory() as root:
        packages = "--include=python3,python3-venv,ca-certificates"
        bootstrap = ["debootstrap", "--variant=minbase", packages, "bookworm", root]
        subprocess.run(bootstrap, check=True, capture_output=True)
        pack = f"tar -C {root} -c . | podman import - {BASE}"
        subprocess.run(["bash", "-o", "pipefail", "-c", pack], check=True, capture_output=True)


def _pip_paths() -> list[Path]:
    """Return the files that configure pip on this machine, and the folders that they name."""
    asked = [sys.executable, "-m", "pip", "config", "debug"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    files = [Path(path) for path in re.findall(r"(/\S+), exists: True", told)]
    named = re.findall(r"(?:file://|[ =])(/[\w.-]+/[\w.-]+)", "".join(f.read_text() for f in files))
    folders = {Path(path) for path in named if Path(path).exists()}
    return [*files, *sorted(folders)]


def _torch_index() -> str:
    """Return PyTorch's own index, or PyPI where it cannot be reached."""
    try:
        socket.getaddrinfo("download.pytorch.org", 443)
    except OSError:
        return "https://pypi.org/simple"
    return "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class Container:
    """Runs an image without a network, with a read-only root, as a user that nobody knows."""

    name: str

    @classmethod
    def start(cls, image: str, *command: str, volume: str) -> "Container":
        """Start a container; its limits are those that a user without rights may set."""
        limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
        rights = ["--cap-drop", "all", "--security-opt", "no-new-privileges", "--user", "54321:0"]
        places = ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--unsetenv", "HOME"]
        name = f"emotion-llama-test-{uuid.uuid4().hex[:8]}"
        options = ["--detach", "--name", name, "--network", "none", *limits, *rights, *places]
        run = [*PODMAN, "run", *options, "--volume", volume, image, *command]
        subprocess.run(run, check=True, capture_output=True, text=True)
        return cls(name)

    def exec(self, *command: str) -> str:
        """Run a command in the container and return its output."""
        done = self.popen(*command)
        output, errors = done.communicate(timeout=120)
        assert done.returncode == 0, output + errors
        return output

    def popen(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in the container."""
        words = [*PODMAN, "exec", self.name, *command]
        return subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def wait_until_healthy(self) -> None:
        """Wait until the image's health check passes."""
        deadline = time.monotonic() + START_SECONDS
        check = [*PODMAN, "healthcheck", "run", self.name]
        while subprocess.run(check, capture_output=True, check=False).returncode != 0:
            assert self.is_running(), self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(1)

    def is_running(self) -> bool:
        return self.inspect("{{.State.Running}}") == "true"

    def inspect(self, form: str) -> str:
        """Return what podman knows about the container."""
        command = [*PODMAN, "inspect", "--format", form, self.name]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def log(self) -> str:
        """Return what the container printed."""
        done = subprocess.run(
            [*PODMAN, "logs", self.name], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def stop(self, seconds: int) -> None:
        """End the container with SIGTERM, and after these seconds with SIGKILL."""
        command = [*PODMAN, "stop", "--time", str(seconds), self.name]
        subprocess.run(command, check=True, capture_output=True)

    def remove(self) -> None:
        """Remove the container, whatever it does."""
        command = [*PODMAN, "rm", "--force", "--time", "1", self.name]
        subprocess.run(command, check=True, capture_output=True)
