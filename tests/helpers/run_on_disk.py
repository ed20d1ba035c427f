"""Run folders of runs that nobody trained: every file that docs/run-folder.md names, of one recipe and one mAP."""

from pathlib import Path

import numpy as np
import pandas as pd

from reid.files import write_json, write_record
from reid.recipe import Recipe
from reid.store.run_folder import RunFolder
from reid.store.run_records import (
    Cost,
    Counts,
    DatasetRecord,
    Environment,
    RecipeRecord,
    ResultRecord,
    RunRecord,
    RunState,
    StateRecord,
)
from tests.helpers.records import evaluation, scored

CREATED = "2026-01-01T00:00:00+00:00"
STARTED = 1767225600.0  # the same moment
DATASET = DatasetRecord(
    name="fabricated",
    layout="market1501",
    root="data/fabricated",
    fingerprint="0123456789abcdef",
    counts={
        "train": Counts(identities=40, images=640, cameras=4),
        "query": Counts(identities=30, images=60, cameras=4),
    },
    skipped=("query/0007_c9.jpg: truncated JPEG",),
)
ENVIRONMENT = Environment(python="3.11.9", packages={"torch": "2.14.1"}, device="cpu", threads=2, host="fabric")
CENSORED = "censored"  # as tables of runs call a run that a budget stopped for good
REASONS = {
    RunState.DIVERGED: "loss is NaN at iteration 311",
    RunState.FAILED: "RuntimeError: no luck",
    RunState.STOPPED: "asked to stop",
}
QUERIES = 60


def standard_recipe(epochs: int = 12) -> Recipe:
    """The baseline for so many epochs, evaluated six times."""
    return Recipe().set(
        {"schedule.epochs": epochs, "schedule.milestones": (epochs,), "evaluation.every": max(1, epochs // 6)}
    )


def write_run(
    output: Path,
    signature: str,
    recipe: Recipe,
    seed: int = 0,
    *,
    state: str = RunState.FINISHED,
    mAP: float = 0.7,
    seconds: float | None = None,
    iterations: int = 0,
    dataset: DatasetRecord = DATASET,
) -> RunFolder:
    """The folder of one run in `state`, a RunState or CENSORED, anew where there is one.

    A planned run has its run.json only; one that did not finish, half its epochs; one that was censored, a third.
    `iterations` are those of a whole training, 0 for no curves. `mAP` and `seconds` are those of a finished run.
    """
    folder = RunFolder(output / "runs" / signature)
    folder.path.mkdir(parents=True, exist_ok=True)
    (folder.path / "result.json").unlink(missing_ok=True)
    asked = RunRecord(
        signature=signature,
        recipe=RecipeRecord.of(recipe),
        seed=seed,
        dataset=dataset,
        code="c0de" * 4,
        environment=ENVIRONMENT,
        created=CREATED,
    )
    folder.write_run(asked, durable=False)
    if state == RunState.PLANNED:
        return folder
    random = np.random.default_rng(int(signature, 16) % 2**32)
    became = RunState.STOPPED if state == CENSORED else RunState(state)
    epochs = recipe.schedule.epochs
    done = {RunState.FINISHED: epochs, CENSORED: epochs // 3}.get(state, epochs // 2)
    record = StateRecord(
        state=became,
        early_stopped=state == CENSORED,
        epoch=done,
        epochs=epochs,
        reason=REASONS.get(became),
        error=f"Traceback (most recent call last):\n{REASONS[became]}" if became == RunState.FAILED else None,
        attempts=1,
        started=STARTED,
        updated=STARTED + 60 * done,
    )
    folder.write_state(record, durable=False)
    reached = {epoch: mAP * (1 - np.exp(-4 * epoch / epochs)) for epoch in range(1, done + 1)}
    seen = [evaluation(epoch, value) for epoch, value in reached.items() if epoch % recipe.evaluation.every == 0]
    write_json(folder.path / "evaluations.json", [one.model_dump() for one in seen], durable=False)
    if iterations:
        whole = draw_curves(epochs, iterations, recipe, random)
        drawn = whole[whole["epoch"] <= done + (became == RunState.RUNNING)].copy()
        if became == RunState.DIVERGED:
            drawn.iloc[-3:, 2:] = np.nan
        folder.write_curves(drawn)
    folder.log.write_text(f"{became}\n")
    if became == RunState.FINISHED:
        spread = random.normal(0, 0.1, QUERIES)
        np.save(folder.path / "query_ap.npy", mAP + spread - spread.mean())
        np.save(folder.path / "query_identities.npy", np.arange(QUERIES) // 2)
        write_record(folder.path / "result.json", draw_result(recipe, mAP, seconds, random), durable=False)
    return folder


def draw_result(recipe: Recipe, mAP: float, seconds: float | None, random: np.random.Generator) -> ResultRecord:
    """A result of that mAP; with the last stride at 1 a training takes a quarter longer and more memory."""
    fine = recipe.backbone.last_stride == 1
    rank1 = min(mAP + 0.21 + random.normal(0, 0.004), 1.0)
    scores = scored(mAP).model_copy(
        update={"mINP": mAP - 0.3, "rank1": rank1, "rank5": min(rank1 + 0.1, 1.0), "rank10": 1.0}
    )
    # In steps of 0.6 s means over two or three seeds have one decimal: no page rounds them otherwise than a table.
    taken = 240 + 60 * fine + 0.6 * round(random.normal(0, 6)) if seconds is None else seconds
    cost = Cost(
        train_seconds=taken,
        evaluation_seconds=9.0,
        images_per_second=7680 / taken,
        peak_memory_bytes=2**30 + 2**28 * fine,
    )
    return ResultRecord(scores=scores, cmc=(rank1,) * 50, queries=QUERIES, valid_queries=QUERIES, cost=cost)


def draw_curves(epochs: int, iterations: int, recipe: Recipe, random: np.random.Generator) -> pd.DataFrame:
    """Losses that fall and wobble, less so with BNNeck; a floor under the ID loss with smoothed labels."""
    t = np.arange(1, iterations + 1)
    calm, smoothed = recipe.neck.kind == "bnneck", recipe.id_loss.epsilon > 0
    wobble = random.normal(1, 0.12 if calm else 0.3, size=(2, iterations)).clip(0)
    id_loss = 0.6 * smoothed + (0.15 + 5 * np.exp(-t / (150 if calm else 260))) * wobble[0]
    triplet = (0.06 + 0.9 * np.exp(-t / (320 if calm else 240))) * wobble[1]
    frame = pd.DataFrame({"iteration": t, "epoch": 1 + (t - 1) * epochs // iterations})
    for name, values in {"id": id_loss, "triplet": triplet, "center": np.nan}.items():
        frame[f"{name}_loss"] = frame[f"{name}_weighted"] = values
    frame["total_loss"] = id_loss + triplet
    frame["accuracy"] = 1 - np.exp(-4 * t / iterations)
    return frame.astype({"iteration": "int32", "epoch": "int32", **dict.fromkeys(frame.columns[2:], "float32")})
