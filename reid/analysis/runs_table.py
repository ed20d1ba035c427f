"""A grid folder read back: the plan, and a tidy table with a row per planned run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from pydantic import JsonValue

from reid.files import DamagedFileError
from reid.metrics.scores import Scores
from reid.metrics.spec import METRICS
from reid.statistics.factor_coding import PLACEBO
from reid.store.measured import metric_values
from reid.store.plan import GridFolder
from reid.store.run_folder import RunFolder
from reid.store.run_records import ResultRecord, RunState, StateRecord

SCORES = tuple(name for name in METRICS if name in Scores.model_fields)
COSTS = ("train_seconds", "images_per_second", "peak_memory_mb")
SOURCES = {"code": "training code", "fingerprint": "data fingerprint", "protocol": "evaluation protocol"}
NOT_PROTOCOL = ("feature", "every", "batch")  # of a recipe's evaluation: BNNeck's own, and what changes no number
Row = dict[str, str | float]
RERANK_KNOBS = ("rerank_k1", "rerank_k2", "rerank_lambda")  # mean nothing while re-ranking is off


def read_runs(grid: GridFolder) -> pd.DataFrame:
    """A row per planned run of the grid, whatever its state, in launch order.

    Columns: arm, one per factor (bool for off/on, True = on; else categorical with the levels in the plan's order),
    seed, signature, state, mAP, rank1, rank5, rank10, mINP (fractions), train_seconds, images_per_second,
    peak_memory_mb, code, fingerprint, protocol (how it is ranked, in words), reason, signs (that it learnt nothing, in
    words); then what else runs measured of themselves (see `metric_values`), and placebo (bool) of a grid that has one.
    Numbers are NaN unless the run is finished. A run without a folder is "planned"; a folder that cannot be read is
    "unreadable", its reason says why; a run that a budget ended early is "censored", and has cut_epoch and cut_mAP, its
    last evaluation, which no estimate may use.
    """
    plan = grid.plan
    rows = [
        {"arm": run.arm, **plan.arm_by_name[run.arm].levels, "seed": run.seed, "signature": run.signature}
        | outcome(grid.run(run.signature))
        for run in plan.runs
    ]
    names = [factor.name for factor in plan.factors]
    columns = ["arm", *names, "seed", "signature", "state", *SCORES, *COSTS, *SOURCES, "reason", "signs"]
    own = list(dict.fromkeys(name for row in rows for name in row if name not in columns))
    table = pd.DataFrame(rows, columns=[*columns, *own])
    numbers = [*SCORES, *COSTS, *own]
    table[numbers] = table[numbers].astype(float)
    if plan.has_placebo:
        table[PLACEBO] = [plan.arm_by_name[run.arm].placebo for run in plan.runs]
    for factor in plan.factors:
        column = table[factor.name].map(str)
        table[factor.name] = column == "on" if factor.is_switch else pd.Categorical(column, categories=factor.levels)
    return table


def each_row(frame: pd.DataFrame) -> Iterator[tuple[Any, dict[Any, Any]]]:
    """Each row of a frame: its label, and its values by column."""
    return zip(frame.index.tolist(), frame.to_dict("records"), strict=True)


def outcome(folder: RunFolder) -> Row:
    """State, numbers, provenance and reason of one run folder."""
    try:
        asked, state, result = folder.read_run(), folder.read_state(), folder.read_result()
        if state.state == RunState.UNREADABLE:
            raise DamagedFileError(state.reason or "")
        row: Row = {"state": state.state.value, "reason": _reason(state), "signs": (result and result.warning) or ""}
        if asked is None:
            if state.state != RunState.PLANNED:
                raise DamagedFileError("run.json is missing")
            return row
        evaluation = asked.recipe.root.get("evaluation", {})
        row |= {"code": asked.code, "fingerprint": asked.dataset.fingerprint, "protocol": _protocol(evaluation)}
        if state.state == RunState.STOPPED and state.early_stopped:
            return row | {"state": "censored"} | _cut(folder, state)
        return row | (_numbers(result, evaluation) if state.state == RunState.FINISHED else {})
    except (DamagedFileError, OSError) as error:
        return {"state": "unreadable", "reason": f"{folder.path.name}: {error}", "signs": ""}


def _cut(folder: RunFolder, state: StateRecord) -> Row:
    """Where a budget ended a run, and the mAP of its last evaluation; NaN where it had none."""
    evaluations = folder.read_evaluations()
    return {"cut_epoch": float(state.epoch), "cut_mAP": evaluations[-1].mAP if evaluations else float("nan")}


def _reason(state: StateRecord) -> str:
    """Why the run ended as it did: the reason it gave, or the last line of its traceback."""
    trace = (state.error or "").strip()
    return state.reason or (trace.splitlines()[-1] if trace else "")


def _numbers(result: ResultRecord | None, evaluation: Mapping[str, JsonValue]) -> Row:
    """Every number of a result; the clusters are those of the space that the recipe ranks by."""
    if result is None:
        raise DamagedFileError("finished, but result.json is missing")
    scores = result.scores.model_dump()
    if wrong := [name for name, value in scores.items() if not 0 <= value <= 1]:
        raise DamagedFileError(f"result.json: {wrong[0]} must be within 0..1, found {scores[wrong[0]]}")
    values = metric_values(result, f"{evaluation.get('feature')}_{evaluation.get('metric')}")
    del values["evaluation_seconds"]  # of which train_seconds is the larger part, and the one that tricks change
    return {name: float("nan") if value is None else float(value) for name, value in values.items()}


def _protocol(evaluation: Mapping[str, JsonValue]) -> str:
    """How a run is ranked: the fields of its recipe's evaluation that change what a metric means."""
    silent = NOT_PROTOCOL if evaluation.get("rerank") else (*NOT_PROTOCOL, *RERANK_KNOBS)
    return ", ".join(f"{name} {value}" for name, value in sorted(evaluation.items()) if name not in silent)


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
