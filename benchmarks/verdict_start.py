"""How long `reid verdict` takes to its table, and to all of its files, in a fresh process on 192 runs of six factors.

Prints the median of five, wall and processor seconds, against the limit of 2 s for the table:
`python -m benchmarks.verdict_start`. Nothing else should run on the machine.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from statistics import median

import psutil

LIMIT = 2.0
TIMES = 5
FACTORS = "abcdef"


def table() -> str:
    """Every combination of six switches, three seeds, an effect of the first."""
    draw = random.Random(0)
    lines = [",".join([*FACTORS, "seed", "acc"])]
    for seed, levels in product(range(3), product((0, 1), repeat=len(FACTORS))):
        lines.append(",".join(map(str, [*levels, seed, round(0.8 + 0.02 * levels[0] + draw.gauss(0, 0.005), 4)])))
    return "\n".join(lines) + "\n"


def once(folder: Path) -> tuple[float, float, float]:
    """Wall seconds to the table, processor seconds to it, and wall seconds to the end."""
    command = [sys.executable, "-m", "reid", "verdict", "runs.csv"]
    command += ["--factors", ",".join(FACTORS), "--seed", "seed", "--metric", "acc"]
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "95 % interval" in line)
        shown, used = time.perf_counter() - started, psutil.Process(process.pid).cpu_times()
        process.stdout.read()
    assert process.returncode == 0
    return shown, used.user + used.system, time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "runs.csv").write_text(table())
        once(Path(name))  # the files of the packages are in memory from here on
        found = [once(Path(name)) for _ in range(TIMES)]
    shown, processor, whole = (median(column) for column in zip(*found, strict=True))
    print(f"to the table: {shown:.2f} s ({processor:.2f} s of processor time), to the end {whole:.2f} s")
    print(f"limit {LIMIT:.0f} s to the table: {'met' if shown < LIMIT else 'MISSED'}, {shown / LIMIT:.2f} of it")


if __name__ == "__main__":
    main()
