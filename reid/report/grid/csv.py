"""The results as CSV files."""

from pathlib import Path

import pandas as pd

from reid.analysis.results import Results


def write_tables(results: Results, folder: Path) -> list[Path]:
    """The results as CSV files in `folder`; rankings are fractions. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "runs": results.runs.set_index("arm"),
        "arms": results.arms,
        "effects": pd.concat(results.effects, names=["metric"]),
        "singles": results.singles,
        "interactions": results.interactions,
        "divergence": results.divergence,
        "published": results.published,
        "aliases": results.alias_sums,
        "shapley": results.shapley,
        "ladder": results.ladder,
        "queries": results.queries if isinstance(results.queries, pd.DataFrame) else None,
    }
    paths = []
    for name, frame in frames.items():
        if frame is not None and len(frame):
            paths.append(folder / f"{name}.csv")
            frame.to_csv(paths[-1], float_format="%.6g", lineterminator="\n")
    return paths
