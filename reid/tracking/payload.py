"""What MLflow is told about a run and about an arm: tags, parameters, metrics, notes. Knows folders, not mlflow."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean, stdev

import numpy as np
from pydantic import JsonValue

from reid.recipe import digest
from reid.store.looks import LookRecord
from reid.store.measured import ENDING, mean_across_domains
from reid.store.plan import Plan
from reid.store.run_folder import RunFolder
from reid.store.run_records import ResultRecord, RunRecord, RunState
from reid.tracking import keys
from reid.tracking.downsample import bins, epochs_a_bin, extremes

CURVES = {"accuracy": "train/accuracy", "conflict_share": "train/conflict"}  # besides the losses
# One colour for every number of tricks that are on; more than six share the last.
COLORS = ("#9E9E9E", "#1F77B4", "#2CA02C", "#FF7F0E", "#D62728", "#9467BD", "#17202A")
# The state of an arm is that of its seeds which most needs to be seen.
URGENCY = (
    RunState.RUNNING, RunState.UNREADABLE, RunState.FAILED, RunState.STOPPED, RunState.PLANNED,
    RunState.FINISHED, RunState.DIVERGED,
)  # fmt: skip
Params = dict[str, JsonValue]
TRAIN_ON = "train_on"  # the factor that is not in a recipe


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


def arm_state(states: Sequence[RunState]) -> RunState:
    """The state of an arm from those of its seeds: the one that most needs to be seen."""
    return min(states, key=URGENCY.index)


def arm_signature(plan: Plan, arm: str) -> str:
    """What an arm is trained with: 16 hexadecimal digits of its recipe and its data, the same in every plan."""
    record = plan.arm_by_name[arm]
    data = [plan.dataset.fingerprint if plan.dataset else "", record.levels.get(TRAIN_ON, "")]
    return digest([record.recipe.root or record.levels, *data])


def arm_tags(plan: Plan, arm: str, state: RunState) -> dict[str, str]:
    """Tags that an arm and its runs have in common."""
    tricks = {f"trick.{level.factor.name}": level.label for level in plan.levels(arm)}
    color = COLORS[min(len(plan.switched(arm)), len(COLORS) - 1)]
    return {"reid.arm": arm, "reid.state": state, "mlflow.runColor": color, **tricks}


def arm_params(plan: Plan, arm: str) -> Params:
    """Numbers for the parallel coordinates: the position of every factor's level."""
    return {f"trick.{plan.shorts[level.factor.name]}": level.position for level in plan.levels(arm)}


def run_tags(plan: Plan, folder: RunFolder) -> dict[str, str]:
    """Tags of one training of a grid, its environment among them."""
    planned, state = plan.run_by_signature[folder.signature], folder.read_state().state
    tags = training_tags(folder.require_run(), plan.command, run_note(plan, folder))
    own = {"reid.kind": "run", "reid.signature": folder.signature}
    return {**own, **tags, **arm_tags(plan, planned.arm, state)}


def training_tags(asked: RunRecord, command: str, note: str) -> dict[str, str]:
    """Tags of one training, of a grid or of a study."""
    environment: Params = asked.environment.model_dump(exclude_unset=True) if asked.environment else {}
    packages = environment.pop("packages", None) or {}
    assert isinstance(packages, dict)
    return {
        "reid.seed": str(asked.seed),
        "reid.code": asked.code,
        "mlflow.source.name": command,
        "mlflow.source.type": "LOCAL",
        "mlflow.note.content": note,
        **{f"env.{key}": str(value) for key, value in (environment | packages).items()},
    }


def run_params(plan: Plan, folder: RunFolder) -> Params:
    """Tricks, seed, data set and every recipe field by its dotted path, as recorded: older folders project too."""
    return {
        **arm_params(plan, plan.run_by_signature[folder.signature].arm),
        **training_params(folder.require_run()),
    }


def training_params(asked: RunRecord) -> Params:
    """Seed, data set and every recipe field by its dotted path, as recorded."""
    dataset = {"dataset": asked.dataset.name, "dataset.fingerprint": asked.dataset.fingerprint}
    return {**asked.recipe.flat(), "seed": asked.seed, **dataset}


def run_points(folder: RunFolder) -> list[Point]:
    """All metrics of one training. NaN and infinity are left out: a diverged run's curve ends where its numbers do."""
    time, result = milliseconds(folder.require_run().created), folder.read_result()
    points = [Point(key, value, time) for key, value in (_results(result) if result else ())]
    for evaluation in folder.read_evaluations():
        scores = evaluation.model_dump(exclude={"epoch"})
        points += [Point(f"val/{key}", value, time, evaluation.epoch) for key, value in scores.items()]
    points += [Point(key, value, time, step) for key, value, step in _curves(folder)]
    return [point for point in points if math.isfinite(point.value)]


def progress(folder: RunFolder) -> tuple[int, int]:
    """Whole epochs trained, and epochs asked for."""
    return folder.read_state().epoch, folder.require_run().recipe.epochs


def _results(result: ResultRecord) -> Iterator[tuple[str, float]]:
    cost = result.cost
    yield from ((f"final/{name}", value) for name, value in result.scores.model_dump().items())
    yield "time/train_seconds", cost.train_seconds
    yield "time/evaluation_seconds", cost.evaluation_seconds
    yield "time/images_per_second", cost.images_per_second
    if cost.peak_memory_mb is not None:
        yield "system/peak_memory_mb", cost.peak_memory_mb
    yield from _measures(result)


def _measures(result: ResultRecord) -> Iterator[tuple[str, float]]:
    """What a run measured of its dynamics, feature spaces and other data sets, and what plugins measured of it."""
    measures: dict[str, float | None] = {f"dynamics/{name}": value for name, value in result.dynamics.items()}
    for space, scores in result.spaces.items():
        for name, value in {"mAP": scores.mAP, **result.clusters.get(space, {})}.items():
            measures[f"spaces/{space}_{name}"] = value
    across = mean_across_domains(result)
    measures |= {f"final/mAP:{name}": scores.mAP for name, scores in result.domains.items()}
    measures["final/mAP_cross"] = across
    measures |= {f"final/{name}": value for name, value in result.custom.items()}
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
    losses = {name: f"loss/{name.removesuffix(ENDING)}" for name in map(str, curves) if name.endswith(ENDING)}
    for column, key in (losses | CURVES).items():
        if column not in curves:  # trained before it was recorded
            continue
        values = curves[column].to_numpy()
        kept = extremes(values, bin_of)
        if ended:  # MLflow shows the last point as the metric's value
            kept = np.union1d(kept, np.flatnonzero(np.isfinite(values))[-1:])
        yield from zip([key] * len(kept), values[kept].tolist(), iteration[kept].tolist(), strict=True)


def arm_points(folders: Sequence[RunFolder]) -> list[Point]:
    """Means over an arm's finished seeds, and the standard deviation of mAP."""
    ended = [folder for folder in folders if folder.read_state().state == RunState.FINISHED]
    finished = {folder: result for folder in ended if (result := folder.read_result()) is not None}
    if not finished:
        return []
    results = list(finished.values())
    scores = [result.scores.model_dump() for result in results]
    time = max(milliseconds(folder.require_run().created) for folder in finished) + len(finished)
    points = [Point(f"final/{key}", mean(one[key] for one in scores), time) for key in scores[0]]
    measured = [dict(_measures(result)) for result in results]
    shared = [key for key in measured[0] if all(key in one for one in measured)]
    points += [Point(key, mean(one[key] for one in measured), time) for key in shared]
    if len(results) > 1:
        points.append(Point("final/mAP_sd", stdev(result.scores.mAP for result in results), time))
    return [point for point in points if math.isfinite(point.value)]


def experiment_note(plan: Plan) -> str:
    """The question of a grid, and its file as far as there is room."""
    head = f"# {plan.title}\n\n{plan.question}\n\n`{plan.command}`"
    where = "the artifact `grid.yaml` of the newest run `plan`"
    return keys.note(head, plan.yaml, where, keys.LONGEST_EXPERIMENT_TAG)


def plan_note(plan: Plan) -> str:
    head = f"### {len(plan.arms)} arms, {len(plan.runs)} runs, planned {plan.created}"
    return keys.note(head, plan.yaml, "the artifact `grid.yaml`", keys.LONGEST_TAG)


def look_points(plan: Plan, looks: Sequence[LookRecord]) -> list[Point]:
    """Every factor's effect and interval over the runs that counted, how many are decided, and the bound."""
    points = []
    for look in looks:
        values = {"looks/decided": float(look.decided), "looks/bound": look.critical}
        for name, factor in look.factors.items():
            key = f"looks/{plan.shorts.get(name, name)}"
            values |= {key: factor.effect, f"{key}_low": factor.low, f"{key}_high": factor.high}
        time = milliseconds(plan.created) + look.look
        points += [Point(key, value, time, look.runs) for key, value in values.items() if math.isfinite(value)]
    return points


def switched_list(plan: Plan, arm: str) -> str:
    """The factors that an arm switches, as a Markdown list."""
    lines = [
        f"- **{level.factor.title}** ({plan.shorts[level.factor.name]}): {level.label}" for level in plan.switched(arm)
    ]
    return "\n".join(lines) or "- nothing: this is the baseline"


def arm_note(plan: Plan, arm: str, states: Sequence[RunState]) -> str:
    return (
        f"### Arm {arm}\n\n{switched_list(plan, arm)}\n\n"
        f"Metrics are means over the {states.count(RunState.FINISHED)} of {len(states)} seeds that have finished."
    )


def run_note(plan: Plan, folder: RunFolder) -> str:
    planned = plan.run_by_signature[folder.signature]
    heading = f"### Arm {planned.arm}, seed {planned.seed}"
    return training_note(folder, [heading, switched_list(plan, planned.arm)])


def training_note(folder: RunFolder, head: Sequence[str]) -> str:
    """How a training stands, under its heading."""
    state, (done, epochs) = folder.read_state(), progress(folder)
    lines = [
        *head,
        f"**{state.state}** after {done} of {epochs} epochs. {state.reason or ''}".strip(),
        f"Folder: `runs/{folder.signature}`",
    ]
    if state.error:
        lines.append(f"```\n{state.error[-3000:].strip()}\n```")
    return "\n\n".join(lines)
