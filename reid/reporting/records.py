"""A grid folder read back: the plan, and a tidy table with a row per planned run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from reid.errors import InputError
from reid.run_folder import STATES, RunFolder

METRICS = ("mAP", "rank1", "rank5", "rank10", "mINP")
COSTS = ("train_seconds", "images_per_second", "peak_memory_mb")
SWITCH = ["off", "on"]


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
    peak_memory_mb, code, fingerprint, reason. Numbers are NaN unless the run is finished. A run without a folder is
    "planned"; a folder that cannot be read is "unreadable", its reason says why.
    """
    plan = read_plan(grid_folder)
    levels = {arm["arm"]: arm["levels"] for arm in plan.content["arms"]}
    rows = [
        {"arm": run["arm"], **levels[run["arm"]], "seed": run["seed"], "signature": run["signature"]}
        | _outcome(plan.run_folder(run["signature"]))
        for run in plan.content["runs"]
    ]
    names = [factor["name"] for factor in plan.factors]
    columns = ["arm", *names, "seed", "signature", "state", *METRICS, *COSTS, "code", "fingerprint", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    table[[*METRICS, *COSTS]] = table[[*METRICS, *COSTS]].astype(float)
    for factor in plan.factors:
        column = table[factor["name"]].map(str)
        switch = factor["levels"] == SWITCH
        table[factor["name"]] = column == "on" if switch else pd.Categorical(column, categories=factor["levels"])
    return table


def each_row(frame: pd.DataFrame) -> Iterator[tuple[Any, dict[Any, Any]]]:
    """Each row of a frame: its label, and its values by column."""
    return zip(frame.index.tolist(), frame.to_dict("records"), strict=True)


def _outcome(folder: RunFolder) -> dict[str, Any]:
    """State, numbers, provenance and reason of one run folder."""
    try:
        asked, state, result = (folder.read(name) for name in ("run", "state", "result"))
        row = {"state": state["state"] if state else "planned", "reason": _reason(state)}
        if row["state"] not in STATES:
            raise ValueError(f"state.json: state must be one of {', '.join(STATES)}, found {row['state']}")
        if state and not asked:
            raise ValueError("run.json is missing")
        if asked:
            row |= {"code": asked["code"], "fingerprint": asked["dataset"]["fingerprint"]}
        return row | (_numbers(result) if row["state"] == "finished" else {})
    except KeyError as error:
        return {"state": "unreadable", "reason": f"{folder.path.name}: the key {error} is missing"}
    except (ValueError, TypeError, AttributeError, OSError) as error:
        return {"state": "unreadable", "reason": f"{folder.path.name}: {error}"}


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
    memory = cost.get("peak_memory_bytes")
    return {name: float(metrics[name]) for name in METRICS} | {
        "train_seconds": cost["train_seconds"],
        "images_per_second": cost["images_per_second"],
        "peak_memory_mb": memory / 2**20 if memory else float("nan"),
    }


def one_source(table: pd.DataFrame, grid_folder: Path) -> None:
    """Refuse to mix: every run that was begun has one code hash and one data set. Raises InputError."""
    for column, what in (("code", "code"), ("fingerprint", "data fingerprint")):
        known = table.loc[table[column].notna() & (table["state"] != "planned")]
        if known[column].nunique() > 1:
            first = known.drop_duplicates(column).iloc[:2]
            (a, b), (one, other) = first["signature"], first[column]
            raise InputError(
                f"{grid_folder}: a report takes runs of one {what} only, found {one} (run {a}) and {other} (run {b}); "
                "train the grid again in another --output folder"
            )
