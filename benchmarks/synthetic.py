"""How fast the drawn data set is drawn, on one core: `python -m benchmarks.synthetic`.

Prints images per second of processor time, the median of several data sets, against the limit of 150 images/s that
lets the demonstration's 1,600 images be drawn while a user waits.
"""

import statistics
import tempfile
import time
from pathlib import Path

from reid.data.synthetic import SyntheticSpec, synthesize

LIMIT = 150.0
REPEATS = 5


def images_per_second(seed: int) -> float:
    """Images per second of processor time of one process with one thread, cameras and files included."""
    spec = SyntheticSpec(train_identities=20, test_identities=10, cameras=6, images=12, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        synthesize(Path(folder) / "set", spec)
        seconds = time.process_time() - start
        return len(list(Path(folder).rglob("*.jpg"))) / seconds


def main() -> None:
    images_per_second(REPEATS)  # imports and first touches
    rates = [images_per_second(seed) for seed in range(REPEATS)]
    median = statistics.median(rates)
    print(f"drawn: {median:.0f} images/s on one core (median of {REPEATS}, {min(rates):.0f} to {max(rates):.0f})")
    print(f"limit: {LIMIT:.0f} images/s; ratio {median / LIMIT:.2f}")


if __name__ == "__main__":
    main()
