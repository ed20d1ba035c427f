"""The results as CSV files."""

from pathlib import Path

import pandas as pd

from reid.reporting.results import Results


def write_tables(results: Results, folder: Path) -> list[Path]:
    """The results as CSV files in `folder`; metrics are fractions. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "runs": results.runs.set_index("arm"),
        "arms": results.arms,
        "effects": pd.concat(results.effects, names=["metric"]),
        "interactions": results.interactions,
        "shapley": results.shapley,
    }
    if results.ladder is not None:
        frames["ladder"] = results.ladder
    paths = []
    for name, frame in frames.items():
        paths.append(folder / f"{name}.csv")
        frame.to_csv(paths[-1], float_format="%.6g", lineterminator="\n")
    return paths
