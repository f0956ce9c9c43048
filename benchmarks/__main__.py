"""Runs all recipes one after the other, then writes the documents' tables and pictures.

python -m benchmarks
"""

from benchmarks import tables
from benchmarks.report import RESULTS, run

RECIPES = ("throughput", "follow_up", "preprocessing", "overhead", "start", "paper_model")


def main() -> None:
    """Run the command line."""
    for name in RECIPES:
        run(name, RESULTS)
    tables.main()


if __name__ == "__main__":
    main()
