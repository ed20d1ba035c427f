"""What MLflow is told about a run and about an arm: tags, parameters, metrics, notes. Knows folders, not mlflow."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import mean, stdev
from typing import Any

import numpy as np

from reid.metrics.names import domain_scores
from reid.store.plan_old import Grid
from reid.store.run_folder import RunFolder
from reid.tracking.downsample import bins, epochs_a_bin, extremes

FINAL = ("mAP", "rank1", "rank5", "rank10", "mINP")
CURVES = {
    "loss/id": "id_loss",
    "loss/triplet": "triplet_loss",
    "loss/center": "center_loss",
    "loss/circle": "circle_loss",
    "loss/total": "total_loss",
    "train/accuracy": "accuracy",
    "train/conflict": "conflict_share",
}
# One colour for every number of tricks that are on; more than six share the last.
COLORS = ("#9E9E9E", "#1F77B4", "#2CA02C", "#FF7F0E", "#D62728", "#9467BD", "#17202A")


@dataclass(frozen=True, slots=True)
class Point:
    """A metric's value at a step. `time` is milliseconds since 1970; a point sent twice is one point."""

    key: str
    value: float
    time: int
    step: int = 0


def milliseconds(time: str | float) -> int:
    """Milliseconds since 1970 of a time as folders have it: ISO 8601 with a zone (created) or seconds since 1970."""
    return round((datetime.fromisoformat(time).timestamp() if isinstance(time, str) else time) * 1000)


def arm_state(states: list[str]) -> str:
    """The state of an arm from those of its seeds: the one that most needs to be seen."""
    order = ("running", "failed", "stopped", "planned", "finished", "diverged")
    return min(states, key=order.index)


def arm_tags(grid: Grid, arm: str, state: str) -> dict[str, str]:
    """Tags that an arm and its runs have in common."""
    tricks = {f"trick.{factor['name']}": str(level) for factor, level, _ in grid.levels(arm)}
    color = COLORS[min(len(grid.switched(arm)), len(COLORS) - 1)]
    return {"reid.arm": arm, "reid.state": state, "mlflow.runColor": color, **tricks}


def arm_params(grid: Grid, arm: str) -> dict[str, int]:
    """Numbers for the parallel coordinates: the position of every factor's level."""
    return {f"trick.{factor['short']}": position for factor, _, position in grid.levels(arm)}


def run_tags(grid: Grid, folder: RunFolder) -> dict[str, str]:
    """Tags of one training, its environment among them."""
    run, planned = folder.read("run"), grid.runs[folder.signature]
    environment = dict(run.get("environment", {}))
    environment |= environment.pop("packages", {})
    return {
        "reid.kind": "run",
        "reid.signature": folder.signature,
        "reid.seed": str(planned["seed"]),
        "reid.code": run["code"],
        "mlflow.source.name": grid.plan["command"],
        "mlflow.source.type": "LOCAL",
        "mlflow.note.content": run_note(grid, folder),
        **arm_tags(grid, planned["arm"], folder.state()),
        **{f"env.{key}": str(value) for key, value in environment.items()},
    }


def run_params(grid: Grid, folder: RunFolder) -> dict[str, Any]:
    """Tricks, seed, data set and every recipe field by its dotted path, as recorded: older folders project too."""
    run = folder.read("run")
    flat = {f"{slot}.{field}": value for slot, fields in run["recipe"].items() for field, value in fields.items()}
    dataset = {"dataset": run["dataset"]["name"], "dataset.fingerprint": run["dataset"]["fingerprint"]}
    return {**arm_params(grid, grid.runs[folder.signature]["arm"]), **flat, "seed": run["seed"], **dataset}


def run_points(folder: RunFolder) -> list[Point]:
    """All metrics of one training. NaN and infinity are left out: a diverged run's curve ends where its numbers do."""
    time = milliseconds(folder.read("run")["created"])
    points = [Point(key, value, time) for key, value in _results(folder)]
    for evaluation in folder.read("evaluations") or []:
        scores = {key: value for key, value in evaluation.items() if key != "epoch"}
        points += [Point(f"val/{key}", value, time, evaluation["epoch"]) for key, value in scores.items()]
    points += [Point(key, value, time, step) for key, value, step in _curves(folder)]
    return [point for point in points if math.isfinite(point.value)]


def progress(folder: RunFolder) -> tuple[int, int]:
    """Whole epochs trained, and epochs asked for."""
    return (folder.read("state") or {}).get("epoch", 0), folder.read("run")["recipe"]["schedule"]["epochs"]


def _results(folder: RunFolder) -> Iterator[tuple[str, float]]:
    result = folder.read("result")
    if result is None:
        return
    for key in FINAL:
        yield f"final/{key}", result["metrics"][key]
    cost = result["cost"]
    for key in ("train_seconds", "evaluation_seconds", "images_per_second"):
        yield f"time/{key}", cost[key]
    yield "system/peak_memory_mb", cost["peak_memory_bytes"] / 1e6
    yield from _measures(result)


def _measures(result: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What a run measured of its dynamics, feature spaces and other data sets; none where that was not measured."""
    measures = {f"dynamics/{name}": value for name, value in result.get("dynamics", {}).items()}
    for space, metrics in result.get("spaces", {}).items():
        for name, value in {"mAP": metrics["mAP"], **result["clusters"][space]}.items():
            measures[f"spaces/{space}_{name}"] = value
    for name, value in domain_scores(result).items():
        measures[f"final/{name.replace('@', ':')}"] = value
    for name, value in result.get("custom", {}).items():
        measures[f"final/{name}"] = value
    yield from ((name, value) for name, value in measures.items() if value is not None)


def _curves(folder: RunFolder) -> Iterator[tuple[str, float, int]]:
    """(metric, value, iteration), thinned. Before the end only bins whose epochs are done: the rest still changes."""
    curves, (done, epochs) = folder.curves(), progress(folder)
    if curves is None:
        return
    ended = folder.read_state().state.has_result
    if not ended:
        size = epochs_a_bin(epochs)
        curves = curves[curves["epoch"] <= done // size * size]
    bin_of = bins(curves["epoch"].to_numpy(), epochs)
    iteration = curves["iteration"].to_numpy()
    for key, column in CURVES.items():
        if column not in curves:  # trained before it was recorded
            continue
        values = curves[column].to_numpy()
        kept = extremes(values, bin_of)
        if ended:  # MLflow shows the last point as the metric's value
            kept = np.union1d(kept, np.flatnonzero(np.isfinite(values))[-1:])
        yield from zip([key] * len(kept), values[kept].tolist(), iteration[kept].tolist(), strict=True)


def arm_points(folders: list[RunFolder]) -> list[Point]:
    """Means over an arm's finished seeds, and the standard deviation of mAP. A mean of more seeds wins by its time."""
    finished = [folder for folder in folders if folder.state() == "finished"]
    if not finished:
        return []
    results: list[Mapping[str, float]] = [folder.read("result")["metrics"] for folder in finished]
    time = max(milliseconds(folder.read("run")["created"]) for folder in finished) + len(finished)
    points = [Point(f"final/{key}", mean(result[key] for result in results), time) for key in FINAL]
    measured = [dict(_measures(folder.read("result"))) for folder in finished]
    shared = [key for key in measured[0] if all(key in one for one in measured)]
    points += [Point(key, mean(one[key] for one in measured), time) for key in shared]
    if len(results) > 1:
        points.append(Point("final/mAP_sd", stdev(result["mAP"] for result in results), time))
    return points


def switched_list(grid: Grid, arm: str) -> str:
    """The factors that an arm switches, as a Markdown list."""
    lines = [f"- **{factor['title']}** ({factor['short']}): {level}" for factor, level in grid.switched(arm)]
    return "\n".join(lines) or "- nothing: this is the baseline"


def arm_note(grid: Grid, arm: str, states: list[str]) -> str:
    return (
        f"### Arm {arm}\n\n{switched_list(grid, arm)}\n\n"
        f"Metrics are means over the {states.count('finished')} of {len(states)} seeds that have finished."
    )


def run_note(grid: Grid, folder: RunFolder) -> str:
    state, planned, (done, epochs) = folder.read("state"), grid.runs[folder.signature], progress(folder)
    lines = [
        f"### Arm {planned['arm']}, seed {planned['seed']}",
        switched_list(grid, planned["arm"]),
        f"**{state['state']}** after {done} of {epochs} epochs. {state.get('reason') or ''}".strip(),
        f"Folder: `runs/{folder.signature}`",
    ]
    if state.get("error"):
        lines.append(f"```\n{state['error'][-3000:].strip()}\n```")
    return "\n\n".join(lines)
