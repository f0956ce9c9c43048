"""Makes virtual environments for programs that do not fit into the project's own."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def cached_venv(*packages: str) -> Path:
    """Return the folder of programs of an environment with these packages.

    It is made once for a machine, and stays in the folder for temporary files.
    """
    known = hashlib.sha256("\n".join((sys.version, *packages)).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"emotion-llama-tests-{os.getuid()}" / known
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [folder / "bin" / "pip", "install", "--quiet", *packages]
        subprocess.run(install, check=True, capture_output=True)
        (folder / "complete").touch()
    return folder / "bin"
