"""What became of a run, in the words of the programs that keep tables of runs."""

from collections.abc import Collection, Sequence

from reid.analysis.any_trainer.sheet import Sheet, last_part
from reid.errors import InputError

# W&B, ClearML (its server's words and its page's), MLflow, Optuna, and what people write by hand.
WORDS = {
    "finished": "finished completed complete published publishing closed success succeeded done ok",
    "failed": "failed fail failure crashed killed preempted aborted stopped error canceled cancelled timeout",
    "diverged": "diverged",
    "censored": "pruned censored",
    "running": "running in_progress preempting resuming",
    "planned": "planned created draft pending queued enqueued scheduled waiting",
}
STATES = {word: state for state, words in WORDS.items() for word in words.split()}
HEADS = ("state", "status")


def find_state(sheet: Sheet, taken: Collection[int]) -> int | None:
    """The place of the column that tells the runs' states: State or Status, with words that are known in it."""
    found = [place for place, head in enumerate(sheet.heads) if last_part(head) in HEADS and place not in taken]
    known = [place for place in found if any(cell.casefold() in STATES for cell in sheet.column(place))]
    return min(known, key=lambda place: len(sheet.heads[place]), default=None)


def states_of(sheet: Sheet, place: int, finished: Sequence[str]) -> list[str]:
    """The state of every run; a cell without a word is "unknown". Words of `finished` count as finished whatever else
    they mean. Raises InputError for a word that is not known.
    """
    known = STATES | {word.casefold(): "finished" for word in finished} | {"": "unknown"}
    column = sheet.column(place)
    for row, cell in zip(sheet.rows, column, strict=True):
        if cell.casefold() not in known:
            raise InputError(
                f"{sheet.where} {row}: {sheet.heads[place]} must be a known state ({', '.join(list(STATES)[:3])}, …), "
                f"found {cell!r}; name it in --finished if such runs count, or another column with --state"
            )
    return [known[cell.casefold()] for cell in column]
