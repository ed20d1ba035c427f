"""Trainings that a grid spends until it is decided, and how often it is then wrong.

    python -m benchmarks.until --grids 1000

Six factors, quarter fractions of 16 runs with a seed each, at most 192 runs, every look taken; drawn grids whose truth
is known. Prints a row a scenario and writes benchmarks/results/until.json. A thousand grids take about an hour.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from reid.analysis.looks import StopRule
from reid.analysis.verdict import Kind
from tests.helpers.growing_grids import BATCH, grow

LADDER = (1.2, 4.1, 1.0, 1.5, 3.9, 0.2)  # published steps on Market-1501, points
DEMO = (-1.0, -3.0, 0.5, -2.0, 4.0, 0.0)
DECIDED = StopRule(matters=0.5, half_width=None, at_most=192)
NARROW = StopRule(matters=None, half_width=0.25, at_most=192)
SCENARIOS = {
    "no effects, sd 0.5, matters 0.5": ((0.0,) * 6, 0.5, 0.0, DECIDED),
    "no effects that vary between seeds, tau 0.25": ((0.0,) * 6, 0.5, 0.25, DECIDED),
    "published effects, sd 0.3, matters 0.5": (LADDER, 0.3, 0.0, DECIDED),
    "demo-like, sd 1, matters 1": (DEMO, 1.0, 0.0, StopRule(1.0, None, 192)),
    "effects of half a sd": ((0.5, -0.5) * 3, 1.0, 0.0, DECIDED),
    "width 0.25, sd 0.1": (LADDER, 0.1, 0.0, NARROW),
    "width 0.25, sd 0.3": (LADDER, 0.3, 0.0, NARROW),
    "width 0.25, sd 0.6": (LADDER, 0.6, 0.0, NARROW),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=200)
    grids = parser.parse_args().grids
    rows = {}
    for name, (truth, sd, tau, rule) in SCENARIOS.items():
        ends = [grow(truth, sd, tau, rule, random_seed)[-1] for random_seed in range(grids)]
        signs = [
            [(factor.kind, value) for factor, value in zip(look.factors.values(), truth, strict=True)] for look in ends
        ]
        wrong = [any(_is_wrong(kind, value) for kind, value in look) for look in signs]
        least = rule.matters or np.inf
        nothing = [any(kind == Kind.NO_EFFECT and abs(value) >= least for kind, value in look) for look in signs]
        covered = [
            all(factor.low <= value <= factor.high for factor, value in zip(look.factors.values(), truth, strict=True))
            for look in ends
        ]
        rows[name] = {
            "runs": round(float(np.mean([look.batches * BATCH for look in ends])), 1),
            "decided": round(float(np.mean([look.stop != "at_most" for look in ends])), 3),
            "any wrong sign": round(float(np.mean(wrong)), 3),
            "any false no effect": round(float(np.mean(nothing)), 3),
            "all intervals hold": round(float(np.mean(covered)), 3),
            "grids": grids,
        }
        print(f"{name:46s}", "  ".join(f"{key} {value}" for key, value in rows[name].items()), flush=True)
    path = Path(__file__).parent / "results" / "until.json"
    path.write_text(json.dumps(rows, indent=1) + "\n")


def _is_wrong(kind: str, truth: float) -> bool:
    return (kind == Kind.HELPS and not truth > 0) or (kind == Kind.HURTS and not truth < 0)


if __name__ == "__main__":
    main()
