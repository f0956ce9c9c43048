"""Makes virtual environments for programs that do not fit into the project's own."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path


def cached_venv(*packages: str, on_top: bool = False) -> Path:
    """Return the folder of programs of an environment with these packages.

    It is made once for a machine, and stays in the folder for temporary files.

    Args:
        packages: what pip installs.
        on_top: whether the environment also has the packages of this one.
    """
    ours = sysconfig.get_path("purelib") if on_top else ""
    known = hashlib.sha256("\n".join((sys.version, ours, *packages)).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"emotion-llama-tests-{os.getuid()}" / known
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        if on_top:
            (packages_of(folder) / "ours.pth").write_text(
                f"import site; site.addsitedir({ours!r})\n"
            )
        install = [folder / "bin" / "pip", "install", "--quiet", *packages]
        subprocess.run(install, check=True, capture_output=True)
        (folder / "complete").touch()
    return folder / "bin"


def packages_of(venv: Path) -> Path:
    """Return the folder of an environment's packages."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(venv), "platbase": str(venv)}))
