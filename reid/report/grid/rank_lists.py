"""Rank lists: a few queries with their top ten, for the base arm and the best."""

import warnings
from pathlib import Path

from PIL import Image

from reid.analysis.results import Results
from reid.data.decode import FORMATS, regular
from reid.files import DamagedFileError
from reid.recipe import digest
from reid.report.elements import Element, RankedImage, RankList, Ranks, Section, Text
from reid.report.grid.cells import describe
from reid.store.run_records import DatasetRecord

HEIGHT = 128  # pixels of a thumbnail


def rank_lists(results: Results, folder: Path) -> Section:
    """The same queries for both arms; images are read from the data set's folder, and copied small to `folder`."""
    best, _ = results.best
    base = "0" * len(results.names)
    shown: list[Element] = []
    for label, arm in {"Base arm": base, "Best arm": best}.items():
        title = f"{label} {arm}: {describe(results.plan.factors, arm)}"
        try:
            shown.append(Ranks(title, _lists(results, arm, folder)))
        except _AbsentError as reason:
            shown.append(Text(f"{title}. {reason}"))
    caption = (
        "The same queries (left) and what each arm ranks first, nearest first. A right image has a solid blue frame, a "
        "wrong one a dashed orange frame; images of the query's own camera are left out, as the protocol asks."
    )
    return Section("Rank lists", [Text(caption), *shown])


class _AbsentError(Exception):
    """Why there is nothing to show, in words."""


def _lists(results: Results, arm: str, folder: Path) -> list[RankList]:
    """The lists of the arm's first finished run, with thumbnails. Raises _AbsentError."""
    runs = results.runs
    finished = runs.loc[(runs["arm"] == arm) & (runs["state"] == "finished"), "signature"].tolist()
    if not finished:
        raise _AbsentError("It has no finished run.")
    run = results.grid.run(finished[0])
    try:
        lists, root = run.read_rank_lists(), _root(run.require_run().dataset, results.plan.dataset)
    except DamagedFileError as error:
        raise _AbsentError(f"{run.signature}: ranklists.json cannot be read ({error}).") from None
    if not lists:
        raise _AbsentError("Its run folder holds no ranklists.json: it was trained before rank lists were kept.")
    if not root.name:
        raise _AbsentError("A server does not say where images are: name the data set's folder with --images.")
    try:
        return [
            RankList(
                _thumbnail(root, ranked.query, folder),
                [RankedImage(_thumbnail(root, image.file, folder), image.right) for image in ranked.top],
            )
            for ranked in lists
        ]
    except FileNotFoundError:
        raise _AbsentError(f"Its images cannot be shown: they are no longer in {root}.") from None
    except Exception as error:  # a broken or hostile file may raise nearly anything inside a decoder
        raise _AbsentError(f"Its images cannot be shown: {error}.") from None


def _root(asked: DatasetRecord, planned: DatasetRecord | None) -> Path:
    """The folder of the images of a run: what it was asked for, or where the plan found the same images since."""
    places = [asked, *([planned, *planned.sets.values()] if planned else [])]
    same = {record.fingerprint for record in (asked, *asked.sets.values()) if record.root == asked.root}
    roots = [Path(place.root) for place in places if place.root == asked.root or place.fingerprint in same]
    root = next((root for root in roots if root.exists()), roots[0])
    return root.parent if root.is_file() else root  # that of a CSV data set is its file


def _thumbnail(root: Path, file: str, folder: Path) -> str:
    """A small copy of an image; returns its file name. Raises OSError where it is not one, or not below `root`."""
    name = f"image-{digest(str(root / file))}.jpg"  # two data sets may have a file of one name
    if not (folder / name).exists():
        path = (root / file).resolve()
        if not path.is_relative_to(root.resolve()):
            raise OSError(f"{file} leads out of {root}")
        regular(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                small = image.convert("RGB").resize((max(1, round(image.width * HEIGHT / image.height)), HEIGHT))
        small.save(folder / name, quality=80)
    return name
