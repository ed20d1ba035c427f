"""How long `reid report` takes for 256 runs (six tricks, four seeds, 14,000 iterations each), as a user calls it.

Prints wall and processor seconds of a whole process against the limit of 60 s: `python -m benchmarks.report`.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers.grids_on_disk import write_grid

LIMIT = 60.0
SEEDS = (0, 1, 2, 3)
ITERATIONS = 14_000  # of a run on Market-1501: 120 epochs


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        output = Path(name) / "output"
        write_grid(output, seeds=SEEDS, iterations=ITERATIONS)
        command = [sys.executable, "-m", "reid", "report", "demo", "--output", str(output)]
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        size = (output / "grids" / "demo" / "report.pdf").stat().st_size / 2**20
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"256 runs to PDF and CSV: {wall:.1f} s ({processor:.1f} s of processor time), {size:.1f} MiB")
    print(f"limit {LIMIT:.0f} s: {'met' if wall < LIMIT else 'MISSED'}, {wall / LIMIT:.2f} of it")


if __name__ == "__main__":
    main()
