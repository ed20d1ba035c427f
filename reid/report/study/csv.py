"""A study's results as CSV files."""

from pathlib import Path

import pandas as pd

from reid.analysis.study_table import SIDES, Study


def write_study_tables(study: Study, folder: Path) -> list[Path]:
    """The results as CSV files in `folder`; rankings are fractions. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "trials": study.trials,
        "trial_runs": study.runs.set_index("trial"),
        "comparison": _comparison(study),
        "importances": _importances(study),
        "intermediate": _intermediate(study),
    }
    paths = []
    for name, frame in frames.items():
        if len(frame):
            paths.append(folder / f"{name}.csv")
            frame.to_csv(paths[-1], float_format="%.6g", lineterminator="\n")
    return paths


def _comparison(study: Study) -> pd.DataFrame:
    """A row a fresh seed, and one of the difference over all of them."""
    found, comparison = study.difference, study.comparison
    if found is None or comparison is None:
        return pd.DataFrame()
    sides = {side: pd.Series(comparison[side]["values"], dtype=float) for side in SIDES}
    seeds = [run["seed"] for run in comparison["winner"]["runs"]]
    frame = pd.DataFrame({**sides, "difference": sides["winner"] - sides["defaults"]})
    frame.index = pd.Index(seeds, name="seed")
    means = [frame["winner"].mean(), frame["defaults"].mean(), found.difference, found.low, found.high, found.p]
    mean = pd.DataFrame([means], columns=[*frame.columns, "low", "high", "p"], index=pd.Index(["mean"], name="seed"))
    return pd.concat([frame, mean])


def _importances(study: Study) -> pd.DataFrame:
    found = study.importances
    if found is None or "refused" in found:
        return pd.DataFrame()
    rows = [
        {"objective": objective.metric, "method": method, "knob": name, **one}
        for objective, shares in zip(study.objectives, [found, *found.get("others", [])], strict=True)
        for method in ("fanova", "ped_anova")
        for name, one in shares[method].items()
    ]
    return pd.DataFrame(rows).set_index(["objective", "method", "knob"])


def _intermediate(study: Study) -> pd.DataFrame:
    rows = [(n, step, value) for n, steps in study.intermediate.items() for step, value in steps]
    return pd.DataFrame(rows, columns=["trial", "step", "value"]).set_index("trial")
