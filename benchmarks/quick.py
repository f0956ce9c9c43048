"""Checks the speed by rough ratios against the committed ones.

    python -m benchmarks.quick [--write]

Machines and noise differ, so only a ratio below half of the committed one is a failure. `--write`
replaces the committed ratios.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from benchmarks.harness import report
from benchmarks.harness.servers import WORK

MODULE = "benchmarks.quick"
COMMITTED = report.RESULTS / "quick.json"
MARGIN = 0.5


def measure(folder: Path) -> dict[str, float]:
    """Return ratios; a higher ratio is better."""
    for name in ("throughput", "preprocessing"):
        report.run(name, folder, quick=True)
    ratios = json.loads(report.results_file("throughput", folder).read_text())["ratios"]
    clips = json.loads((folder / "preprocessing.json").read_text())["rows"]
    kept = ("server_against_a", "server_against_b", "one_by_one_against_b")
    speed_up = 1 / statistics.median(row["share_of_original"] for row in clips)
    return {name: ratios[name] for name in kept} | {"preprocessing": round(speed_up, 2)}


def fallen(found: dict[str, float], committed: dict[str, float]) -> list[str]:
    """Return a sentence for each ratio that is too low."""
    return [
        f"{name} is {found[name]:.2f}; it was {value:.2f}."
        for name, value in committed.items()
        if found[name] < MARGIN * value
    ]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--write", action="store_true", help="commit the new ratios")
    options = parser.parse_args()
    found = measure(WORK / "quick")
    if options.write:
        report.write(COMMITTED, MODULE, {"ratios": found})
        return
    committed = json.loads(COMMITTED.read_text())["ratios"]
    for name, value in committed.items():
        print(f"{name}: {found[name]:.2f} (committed: {value:.2f})")
    too_low = fallen(found, committed)
    print("\n".join(too_low) or "No ratio fell to half of the committed one.")
    sys.exit(bool(too_low))


if __name__ == "__main__":
    main()
