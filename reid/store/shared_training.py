"""Runs that differ in evaluation only are one training: which runs share one, and what they take over from it."""

from collections.abc import Callable, Iterable, Sequence

from reid.errors import InputError
from reid.recipe import Evaluation, Recipe, digest
from reid.store.run_folder import RunFolder
from reid.store.run_records import Cost, RunState

EVALUATION_ONLY = tuple(name for name in Evaluation.model_fields if name != "every")  # how often is seen in the curves
TAKEN_OVER = ("train_seconds", "images_per_second", "peak_memory_bytes")


def run_signature(recipe: Recipe, seed: int, fingerprint: str) -> str:
    """16 hexadecimal digits that name one run: a recipe, a seed and the content of its data."""
    return digest({"recipe": recipe.model_dump(mode="json"), "seed": seed, "dataset": fingerprint})


def training_of(recipe: Recipe) -> Recipe:
    """The recipe of the training that `recipe` shares with all that differ from it in evaluation only.

    It has the default evaluation. With a seed and the fingerprint of the data it is a run like any other, and its
    `run_signature` is the same for all runs that can share one training.
    """
    defaults = Evaluation().model_dump()
    return recipe.set({f"evaluation.{name}": defaults[name] for name in EVALUATION_ONLY})


def shared_trainings(
    runs: Iterable[tuple[str, Recipe, int, str]], folder_of: Callable[[str], RunFolder]
) -> dict[str, str]:
    """By signature, the run whose training a run shares; a run that trains itself is absent.

    `runs` are (signature, recipe, seed, fingerprint of the data) in launch order. Of those with one training the first
    trains, unless one of them has been trained already, or shares the training of a run that has.
    """
    groups: dict[str, list[str]] = {}
    for signature, recipe, seed, fingerprint in runs:
        groups.setdefault(run_signature(training_of(recipe), seed, fingerprint), []).append(signature)
    shares = {}
    for members in groups.values():
        source = _trained(members, folder_of) or members[0]
        for signature in members:
            folder = folder_of(signature)
            trained_itself = folder.read_state().state.has_result and source_of(folder) == folder
            if signature != source and not trained_itself:
                shares[signature] = source
    return shares


def _trained(members: Sequence[str], folder_of: Callable[[str], RunFolder]) -> str | None:
    """The run that has been trained for one of `members`, if any has."""
    for signature in members:
        source = source_of(folder_of(signature))
        state = source.read_state().state
        if state == RunState.DIVERGED or (state == RunState.FINISHED and source.model.exists()):
            return source.signature
    return None


def source_of(folder: RunFolder) -> RunFolder:
    """The run that trained the weights of a run: itself, or the one whose training it shares."""
    asked = None if folder.read_state().state == RunState.UNREADABLE else folder.read_run()
    return folder if asked is None or asked.shares is None else RunFolder(folder.path.parent / asked.shares)


def inherited(source: RunFolder) -> tuple[RunState, str] | None:
    """State and reason of all runs that share the training of `source`, None where it has weights to evaluate.

    A training that diverged or failed did so for all of them. Raises InputError where its weights were removed.
    """
    record = source.read_state()
    state = record.state
    whose = f"training shared with run {source.signature}"
    if state in (RunState.DIVERGED, RunState.FAILED, RunState.STOPPED):
        return state, f"{record.reason} ({whose})"
    if state == RunState.UNREADABLE:
        return RunState.FAILED, f"{record.reason} ({whose})"
    if state != RunState.FINISHED:
        return RunState.STOPPED, f"{whose} is {state}; train that first"
    if not source.model.exists():
        raise InputError(f"{whose}: its {source.model.name} was removed; remove both run folders to train it again")
    return None


def shared_cost(source: RunFolder, evaluation_seconds: float) -> Cost:
    """The cost of a run that shares the training of `source`: what was taken over, and from where, is said."""
    return source.require_result().cost.model_copy(
        update={"evaluation_seconds": evaluation_seconds, "shares": source.signature, "shared": TAKEN_OVER}
    )
