"""`reid data synthesize | list | check | cache`."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Column, Table

from reid.cli.options import CamerasKnown, Skip
from reid.cli.views.screen import Screen, say
from reid.errors import InputError

if TYPE_CHECKING:  # it imports numpy
    from reid.data.dataset import Integers

data = typer.Typer(no_args_is_help=True, help="Make and check data sets.")
SHOWN = 5  # of the errors of unreadable images
MOST_CAMERAS = 30


@data.command("synthesize")
def synthesize_command(
    out: Path,
    train_identities: Annotated[int, typer.Option(min=1)],
    test_identities: Annotated[int, typer.Option(min=1)],
    cameras: Annotated[int, typer.Option()] = 6,
    images: Annotated[int, typer.Option(help="Images per identity, over all its cameras.")] = 12,
    seed: int = 0,
    domain: Annotated[
        Literal["day", "night"], typer.Option(help="Two worlds: other cameras, light, places and clothes.")
    ] = "day",
) -> None:
    """Draw a pedestrian data set in Market-1501's layout."""
    from pydantic import ValidationError

    from reid.cli.views.grid_terminal import TerminalView
    from reid.data.synthetic import SyntheticSpec, synthesize
    from reid.recipe.yaml import describe

    try:
        spec = SyntheticSpec(
            train_identities=train_identities,
            test_identities=test_identities,
            cameras=cameras,
            images=images,
            seed=seed,
            domain=domain,
        )
    except ValidationError as error:
        raise InputError(f"--{describe(error, SyntheticSpec).replace('_', '-', 1)}") from error
    with TerminalView(Screen()) as view, view.preparing("drawing") as progress:
        synthesize(out, spec, progress)
    say(f"{out}: {train_identities} identities to train on, {test_identities} to test on, {cameras} cameras")


@data.command("list")
def list_command() -> None:
    """The layouts that can be read, with what each is known to hold as identities / images."""
    from reid.data.layouts import LAYOUTS

    columns = ("data set", "train", "query", "gallery", "cameras", "source")
    table = Table(Column("layout", no_wrap=True), *columns, box=None)
    for title, group in groupby(LAYOUTS.values(), lambda layout: layout.title):
        layouts = list(group)
        names = layouts[0].name if len(layouts) == 1 else f"{layouts[0].name}, {layouts[1].name} … {layouts[-1].name}"
        known = layouts[0].known
        counts = [
            f"{known[s].identities} / {known[s].images}" if s in known else "" for s in ("train", "query", "gallery")
        ]
        cameras = max((split.cameras or 0 for split in known.values()), default=0)
        table.add_row(names, title, *counts, str(cameras or ""), layouts[0].source)
    Screen().print(table)


@data.command("check")
def check_command(
    name: Annotated[str, typer.Argument(help="Layout; `reid data list` shows all.")],
    path: Annotated[Path, typer.Argument(help="Folder of the data set.")],
    cameras: CamerasKnown = "labelled",
    skip_unreadable: Skip = False,
) -> None:
    """Read a data set and open each of its images.

    Ends with code 0 and notes where it can be evaluated on, with 2 where it cannot: where no query has a match, or an
    image is missing or broken that is not to be left out.
    """
    from reid.cli.views.grid_terminal import TerminalView
    from reid.data import load_dataset
    from reid.data.inspection import inspect
    from reid.data.layouts import LAYOUTS

    dataset = load_dataset(name, path, cameras=cameras)
    with TerminalView(Screen()) as view, view.preparing("opening images") as progress:
        unreadable, left = inspect(dataset, progress)
    table = Table("split", "identities", "images", "cameras", "unreadable", box=None)
    for split, part in dataset.splits.items():
        counts, known = part.counts(), LAYOUTS[name].known.get(split)
        found = [f"{counts[w]} of {getattr(known, w)}" if known else str(counts[w]) for w in ("identities", "images")]
        table.add_row(split, *found, "none" if cameras == "none" else few(part.cameras), str(len(unreadable[split])))
    Screen().print(table)
    errors = [error for lines in unreadable.values() for error in lines]
    for note in [*left.notes, *errors[:SHOWN]]:
        say(f"note: {note}")
    if len(errors) > SHOWN:
        say(f"note: and {len(errors) - SHOWN} more images that cannot be read")
    if errors and not skip_unreadable:
        total = sum(len(part) for part in dataset.splits.values())
        raise InputError(f"{path}: {len(errors)} of {total} images cannot be read; the first is {errors[0]}")
    left.require_evaluable()


def few(cameras: "Integers") -> str:
    """Numbers of cameras for a cell of a table."""
    names = [str(camera) for camera in sorted(set(cameras.tolist()))]
    return " ".join(names) if len(names) <= MOST_CAMERAS else f"{names[0]} … {names[-1]} ({len(names)})"


@data.command("cache")
def cache_command(
    output: Annotated[Path, typer.Option(help="Output folder whose cache is meant.")] = Path("output"),
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is not being built now.")] = False,
) -> None:
    """Decoded images: show them, or remove them. They are decoded again when they are needed."""
    from reid.data.cache_entries import entries
    from reid.data.cache_entries import prune as prune_cache

    if prune:
        removed, left = prune_cache(output / "cache")
        say(f"{output / 'cache'}: {len(removed)} removed, {megabytes(sum(entry.bytes for entry in removed))}")
        for entry in left:
            say(f"{entry.folder.name}: left, it is being built")
        return
    found = entries(output / "cache")
    table = Table("data set", "images", "size", "entry", "folder", box=None)
    for entry in found:
        table.add_row(
            entry.dataset or "(interrupted)", str(entry.images), megabytes(entry.bytes), entry.folder.name, entry.root
        )
    if found:
        Screen().print(table)
    say(f"{output / 'cache'}: {len(found)} entries, {megabytes(sum(entry.bytes for entry in found))}")


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
