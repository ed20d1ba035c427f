"""A grid's plan may change under its name: every such version is a generation of the grid's experiment.

A generation has a run of its own that keeps the plan, and the looks of a grid that grows. What the newest plan does not
have is retired: it stays in MLflow under another kind, with a name and a note that say so, and counts nowhere.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reid.recipe import digest
from reid.store.looks import LOOKS, LookRecord, LooksRecord
from reid.store.plan import Plan
from reid.tracking import payload as facts
from reid.tracking.mlflow_store import Store
from reid.tracking.writer import Writer, agrees

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

PLAN, YAML = "plan.json", "grid.yaml"
NUMBER, VERSION, RUNS = "reid.generation", "reid.plan_version", "reid.plan_runs"


def version_of(plan: Plan) -> str:
    """A digest of what gives a run its place in a plan: planned again or with more runs, it is the same."""
    data = plan.dataset.fingerprint if plan.dataset else ""
    return digest([plan.model_dump(mode="json", include={"factors"}), data])


def open_generation(
    store: Store, writer: Writer, experiment: "Experiment", plan: Plan, looks: Sequence[LookRecord]
) -> str:
    """Make the plan and its looks the newest of its experiment, and return the number of its generation.

    It is a new one where the factors have changed or a run is left out; with more runs a plan only grows.
    """
    tags = {VERSION: version_of(plan), RUNS: digest(sorted(plan.run_by_signature))}
    told = experiment.tags.get(NUMBER, "")
    known = {key: experiment.tags.get(key) for key in tags}
    old = [] if known == tags else _not_of(plan, store.search(experiment.experiment_id, {}))
    is_new = not told.isdecimal() or known[VERSION] != tags[VERSION] or bool(old)
    number = str((int(told) if told.isdecimal() else 0) + is_new)
    kept = _keep_plan(store, writer, experiment, plan, number, looks)
    if is_new:
        old += [run for run in store.search(experiment.experiment_id, {"reid.kind": "plan"}) if run.info.run_id != kept]
    for run in old:
        writer.retire(run, f"plan {number}, of {plan.created}, does not have it")
    store.tag_experiment(experiment, {NUMBER: number, **tags})  # last: until then it is done again
    return number


def _keep_plan(
    store: Store, writer: Writer, experiment: "Experiment", plan: Plan, number: str, looks: Sequence[LookRecord]
) -> str:
    """Write the plan, the grid's file and the looks to the run of a generation; returns its id."""
    tags = {"reid.kind": "plan", NUMBER: number}
    run = writer.find_or_create(experiment.experiment_id, tags, {"reid.plan": PLAN}, f"plan {number}", plan.created)
    run_id = str(run.info.run_id)
    store.log(run_id, [], {}, {"mlflow.note.content": facts.plan_note(plan)})
    store.client.log_text(run_id, plan.model_dump_json(by_alias=True), PLAN)
    store.client.log_text(run_id, plan.yaml, YAML)
    if looks:
        writer.log(run_id, facts.look_points(plan, looks), {}, {})
        store.client.log_text(run_id, LooksRecord(looks=tuple(looks)).model_dump_json(by_alias=True), LOOKS)
    writer.end(run_id, "FINISHED", facts.milliseconds(plan.created))
    return run_id


def _not_of(plan: Plan, runs: "Iterable[Run]") -> "list[Run]":
    """Arms and runs that are shown and not of this plan, or under parameters that are not this plan's."""
    arms = {facts.arm_signature(plan, arm.arm): arm.arm for arm in plan.arms}
    planned = {run.signature: run.arm for run in plan.runs}
    found = []
    for run in runs:
        tags = run.data.tags
        match tags.get("reid.kind"):
            case "arm":
                arm = arms.get(tags.get("reid.recipe", ""))
            case "run":
                arm = planned.get(tags.get("reid.signature", ""))
            case _:
                continue
        if arm is None or not agrees(run, facts.arm_params(plan, arm)):
            found.append(run)
    return found
