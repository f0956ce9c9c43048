"""Runs all recipes one after the other, then writes the documents' tables and pictures.

python -m benchmarks
"""

import argparse

from benchmarks import tables
from benchmarks.harness.report import RESULTS, has_bfloat16, run

RECIPES = ("throughput", "follow_up", "preprocessing", "overhead", "start", "paper_model")
LOWER_PRECISION = ("cpu_precision", "quantization")
"""The recipes for processors with instructions for bfloat16; others may lack vLLM's kernels."""


def main() -> None:
    """Run the command line."""
    argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__).parse_args()
    for name in RECIPES + (LOWER_PRECISION if has_bfloat16() else ()):
        run(name, RESULTS)
    tables.main()


if __name__ == "__main__":
    main()
