"""The plan of a grid: what plan.json says, and what every run.json does."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from reid.data import DecodedDataset
from reid.grids.datasets import TRAIN_ON
from reid.grids.grid import Grid
from reid.recipe.yaml import read_text
from reid.registry import active_plugins
from reid.store.dataset_record import domains_record
from reid.store.plan import ArmRecord, FactorRecord, Plan, PlannedRun, UntilRecord
from reid.store.run_folder import RunFolder
from reid.store.run_records import RecipeRecord, RunRecord
from reid.store.run_store import asked_now
from reid.store.shared_training import shared_trainings

Opened = Mapping[str, DecodedDataset]  # data sets by name


def make_plan(
    grid: Grid, opened: Opened, folder_of: Callable[[str], RunFolder], command: str, batches: int = 0
) -> Plan:
    """The plan of a grid on its open data sets; `folder_of` gives the folder of a run by its signature.

    Of a grid in batches it has the arms and runs of the first `batches`, and at least those that are trained anyway.
    """
    spec = grid.spec
    runs = grid.runs(fingerprints(opened), batches)
    used = {arm.name for _, arm, _ in runs}
    dataset = domains_record(grid.domains(grid.arms[0]), spec.sources, opened)
    if TRAIN_ON in spec.factors:
        dataset = dataset.model_copy(update={"name": ", ".join(opened)})
    shares = shares_of(grid, opened, folder_of, batches)
    return Plan(
        name=spec.name,
        title=spec.title or spec.name,
        question=spec.question,
        command=command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        yaml=read_text(grid.file),
        design=spec.design_name,
        matters=spec.smallest,
        pairs_nil=spec.pairs == "nil",
        until=_until(grid),
        factors=tuple(
            FactorRecord(name=f.name, short=f.short, title=f.title, levels=tuple(level.label for level in f.levels))
            for f in grid.factors
        ),
        seeds=tuple(dict.fromkeys(seed for _, _, seed in runs)),
        budget={kind: halving.model_dump() for kind, halving in spec.budget.items()},
        dataset=dataset,
        arms=tuple(
            ArmRecord(arm=a.name, levels=a.levels, recipe=RecipeRecord.of(a.recipe), placebo=a.placebo)
            for a in grid.arms
            if a.name in used
        ),
        runs=tuple(
            PlannedRun(signature=signature, arm=arm.name, seed=seed, shares=shares.get(signature))
            for signature, arm, seed in runs
        ),
        follow_up=grid.follow_up,
        left_out=dict(grid.left_out),
        plugins=active_plugins(),
    )


def _until(grid: Grid) -> UntilRecord | None:
    rule, batches = grid.spec.until, grid.batches
    if rule is None or batches is None:
        return None
    at_most = rule.at_most // batches.size * batches.size
    return UntilRecord(half_width=rule.half_width, at_most=at_most, batch=batches.size)


def asked_runs(grid: Grid, plan: Plan, opened: Opened) -> list[RunRecord]:
    """What run.json says of every run of the plan."""
    datasets = {arm.name: domains_record(grid.domains(arm), grid.spec.sources, opened) for arm in grid.arms}
    return [
        asked_now(run.signature, plan.arm_by_name[run.arm].recipe, run.seed, datasets[run.arm], run.shares)
        for run in plan.runs
    ]


def change_of_plan(before: Plan, now: Plan) -> str | None:
    """One line about how the plan of a grid changes under its name; None where it does not, or grows."""
    old, new = set(before.run_by_signature), set(now.run_by_signature)
    grown = now.until is not None and old <= new
    if before.factors == now.factors and (old == new or grown):
        return None
    were, are = ({factor.name: factor for factor in plan.factors} for plan in (before, now))
    parts = [f"new runs: {len(new - old)}"]
    if list(were) != list(are):
        parts.insert(0, f"its factors were {', '.join(were)}, now {', '.join(are)}")
    elif changed := [name for name in are if are[name] != were[name]]:
        parts.insert(0, f"other levels of {', '.join(changed)}")
    if old - new:
        parts.append(f"no longer part of it, kept in their folders: {len(old - new)}")
    return f"grid {now.name}: the plan has changed: {'; '.join(parts)}"


def shares_of(grid: Grid, opened: Opened, folder_of: Callable[[str], RunFolder], batches: int = 0) -> dict[str, str]:
    """By signature, the run whose training a run shares, see `shared_trainings`."""
    content = fingerprints(opened)
    return shared_trainings(
        (
            (signature, arm.recipe, seed, grid.domains(arm).fingerprint(content))
            for signature, arm, seed in grid.runs(content, batches)
        ),
        folder_of,
    )


def fingerprints(opened: Opened) -> dict[str, str]:
    """The fingerprint of each open data set, by name."""
    return {name: data.fingerprint for name, data in opened.items()}
