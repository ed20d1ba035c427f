"""A grid folder read back: the plan, and a tidy table with a row per planned run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reid.errors import InputError
from reid.metrics.names import domain_scores
from reid.store.run_folder import RunFolder
from reid.store.run_records import RunState

METRICS = ("mAP", "rank1", "rank5", "rank10", "mINP")
COSTS = ("train_seconds", "images_per_second", "peak_memory_mb")
SWITCH = ["off", "on"]
SOURCES = {"code": "training code", "fingerprint": "data fingerprint", "protocol": "evaluation protocol"}
NOT_PROTOCOL = ("feature", "every", "batch")  # of a recipe's evaluation: BNNeck's own, and what changes no number
RERANK_KNOBS = ("rerank_k1", "rerank_k2", "rerank_lambda")  # mean nothing while re-ranking is off


@dataclass(frozen=True)
class Plan:
    """A grid's plan.json, and where its runs lie."""

    path: Path
    content: dict[str, Any]

    @property
    def factors(self) -> list[dict[str, Any]]:
        """Each with name, short, title and levels, the levels in words."""
        return [{**factor, "levels": [str(level) for level in factor["levels"]]} for factor in self.content["factors"]]

    def run_folder(self, signature: str) -> RunFolder:
        return RunFolder(self.path.parents[2] / "runs" / signature)


def read_plan(grid_folder: Path) -> Plan:
    """The plan of a grid folder. Raises InputError where plan.json is absent or is not a plan."""
    path = grid_folder.resolve() / "plan.json"
    try:
        content = json.loads(path.read_text())
        missing = [key for key in ("name", "factors", "seeds", "arms", "runs") if key not in content]
    except FileNotFoundError:
        raise InputError(
            f"{path}: a grid folder holds a plan.json, found none; give the folder of a planned grid"
        ) from None
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: must be JSON, found {error}; plan the grid again") from None
    if missing:
        raise InputError(f"{path}: a plan has the key {missing[0]}, found none; plan the grid again")
    return Plan(path, content)


def read_runs(grid_folder: Path) -> pd.DataFrame:
    """A row per planned run of the grid, whatever its state, in launch order.

    Columns: arm, one per factor (bool for off/on, True = on; else categorical with the levels in the plan's order),
    seed, signature, state, mAP, rank1, rank5, rank10, mINP (fractions), train_seconds, images_per_second,
    peak_memory_mb, code, fingerprint, protocol (how it is ranked, in words), reason; then what runs measured of
    themselves (see `measures`). Numbers are NaN unless the run is finished. A run without a folder is
    "planned"; a folder that cannot be read is "unreadable", its reason says why; a run that a budget ended early is
    "censored", and has cut_epoch and cut_mAP, its last evaluation, which no estimate may use.
    """
    plan = read_plan(grid_folder)
    levels = {arm["arm"]: arm["levels"] for arm in plan.content["arms"]}
    rows = [
        {"arm": run["arm"], **levels[run["arm"]], "seed": run["seed"], "signature": run["signature"]}
        | outcome(plan.run_folder(run["signature"]))
        for run in plan.content["runs"]
    ]
    names = [factor["name"] for factor in plan.factors]
    columns = ["arm", *names, "seed", "signature", "state", *METRICS, *COSTS, *SOURCES, "reason"]
    own = list(dict.fromkeys(name for row in rows for name in row if name not in columns))
    table = pd.DataFrame(rows, columns=[*columns, *own])
    numbers = [*METRICS, *COSTS, *own]
    table[numbers] = table[numbers].astype(float)
    for factor in plan.factors:
        column = table[factor["name"]].map(str)
        switch = factor["levels"] == SWITCH
        table[factor["name"]] = column == "on" if switch else pd.Categorical(column, categories=factor["levels"])
    return table


def each_row(frame: pd.DataFrame) -> Iterator[tuple[Any, dict[Any, Any]]]:
    """Each row of a frame: its label, and its values by column."""
    return zip(frame.index.tolist(), frame.to_dict("records"), strict=True)


def outcome(folder: RunFolder) -> dict[str, Any]:
    """State, numbers, provenance and reason of one run folder."""
    try:
        asked, state, result = (folder.read(name) for name in ("run", "state", "result"))
        row = {"state": state["state"] if state else "planned", "reason": _reason(state)}
        if row["state"] not in tuple(RunState):
            raise ValueError(f"state.json: state must be one of {', '.join(RunState)}, found {row['state']}")
        if state and not asked:
            raise ValueError("run.json is missing")
        if asked:
            row |= {"code": asked["code"], "fingerprint": asked["dataset"]["fingerprint"], "protocol": _protocol(asked)}
        if row["state"] == "stopped" and (state.get("early_stopped") or state.get("censored")):
            return row | {"state": "censored"} | _cut(folder, state)
        return row | (_numbers(result) | measures(asked, result) if row["state"] == "finished" else {})
    except KeyError as error:
        return {"state": "unreadable", "reason": f"{folder.path.name}: the key {error} is missing"}
    except (ValueError, TypeError, AttributeError, OSError) as error:
        return {"state": "unreadable", "reason": f"{folder.path.name}: {error}"}


def _cut(folder: RunFolder, state: dict[str, Any]) -> dict[str, float]:
    """Where a budget ended a run, and the mAP of its last evaluation; NaN where it had none."""
    evaluations = folder.read("evaluations") or [{}]
    return {"cut_epoch": float(state["epoch"]), "cut_mAP": float(evaluations[-1].get("mAP", "nan"))}


def _reason(state: dict[str, Any] | None) -> str:
    """Why the run ended as it did: the reason it gave, or the last line of its traceback."""
    if not state:
        return ""
    trace = str(state.get("error") or "").strip()
    return str(state.get("reason") or "") or (trace.splitlines()[-1] if trace else "")


def _numbers(result: dict[str, Any] | None) -> dict[str, float]:
    if result is None:
        raise ValueError("finished, but result.json is missing")
    metrics, cost = result["metrics"], result["cost"]
    if wrong := [name for name in METRICS if not 0 <= metrics[name] <= 1]:
        raise ValueError(f"result.json: {wrong[0]} must be within 0..1, found {metrics[wrong[0]]}")
    memory = cost.get("peak_memory_bytes")  # as Cost.peak_memory_mb
    return {name: float(metrics[name]) for name in METRICS} | {
        "train_seconds": cost["train_seconds"],
        "images_per_second": cost["images_per_second"],
        "peak_memory_mb": memory / 1e6 if memory else float("nan"),
    }


def measures(asked: dict[str, Any], result: dict[str, Any]) -> dict[str, float]:
    """What a run measured of itself beyond its ranking, none where it was trained before that was measured.

    The indices of its loss curves and gradients (`oscillation`, `conflict_share`, …); mAP in each of the four feature
    spaces (`mAP_before_euclidean`, …); the clusters of the space its recipe ranks by (`intra`, `silhouette`, …); mAP on
    each of several data sets (`mAP@day`, …) and on those it was not trained on (`mAP_cross`).
    """
    protocol = asked["recipe"]["evaluation"]
    found = {
        **result.get("dynamics", {}),
        **{f"mAP_{space}": metrics["mAP"] for space, metrics in result.get("spaces", {}).items()},
        **result.get("clusters", {}).get(f"{protocol['feature']}_{protocol['metric']}", {}),
        **domain_scores(result),
        **result.get("custom", {}),
    }
    return {name: float("nan") if value is None else float(value) for name, value in found.items()}


def _protocol(asked: dict[str, Any]) -> str:
    """How a run is ranked: the fields of its recipe's evaluation that change what a metric means."""
    fields = asked["recipe"]["evaluation"]
    silent = NOT_PROTOCOL if fields.get("rerank") else (*NOT_PROTOCOL, *RERANK_KNOBS)
    return ", ".join(f"{name} {value}" for name, value in sorted(fields.items()) if name not in silent)


def mixture(table: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """What the begun runs do not have in common, in words: training code, data, evaluation protocol.

    A field of the evaluation that is a factor of the grid is meant to differ; so are the data of runs that are trained
    on other sets, where that is a factor.
    """
    begun = table[table["state"] != "planned"]
    meant = {"protocol"} if any(name.startswith("evaluation.") for name in factors) else set()
    if "train_on" in factors and (begun.groupby("train_on", observed=True)["fingerprint"].nunique() < 2).all():
        meant.add("fingerprint")
    found = []
    for column, what in SOURCES.items():
        counts = begun[column].dropna().value_counts().sort_index()
        if len(counts) > 1 and column not in meant:
            first = begun.drop_duplicates(column).set_index(column)["signature"].to_dict()
            kinds = [f"{value} ({count} runs, such as {first[value]})" for value, count in counts.items()]
            found.append(f"{what}: {' and '.join(kinds)}")
    return found
