"""A study's results as CSV files."""

from pathlib import Path

import pandas as pd

from reid.analysis.study_table import Study
from reid.report.study.verdict import shares_by_method


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
    compared = {"winner": comparison.winner, "defaults": comparison.defaults}
    sides = {side: pd.Series(runs.values, dtype=float) for side, runs in compared.items()}
    seeds = [run.seed for run in comparison.winner.runs]
    frame = pd.DataFrame({**sides, "difference": sides["winner"] - sides["defaults"]})
    frame.index = pd.Index(seeds, name="seed")
    both = frame.dropna()
    means = [both["winner"].mean(), both["defaults"].mean(), found.difference, found.low, found.high, found.p]
    mean = pd.DataFrame([means], columns=[*frame.columns, "low", "high", "p"], index=pd.Index(["mean"], name="seed"))
    return pd.concat([frame, mean])


def _importances(study: Study) -> pd.DataFrame:
    if study.shares is None:
        return pd.DataFrame()
    rows = [
        {"objective": objective.metric, "method": method, "knob": name, **one.model_dump()}
        for objective, found in zip(study.objectives, study.shares.by_objective, strict=True)
        for method, shares in shares_by_method(found).items()
        for name, one in shares.items()
    ]
    return pd.DataFrame(rows).set_index(["objective", "method", "knob"])


def _intermediate(study: Study) -> pd.DataFrame:
    rows = [(n, step, value) for n, steps in study.intermediate.items() for step, value in steps]
    return pd.DataFrame(rows, columns=["trial", "step", "value"]).set_index("trial")
