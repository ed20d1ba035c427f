"""CUHK03 by the new protocol, detected and labeled boxes: as folders, or as the release with its .mat protocol."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from reid.data.dataset import BenchmarkDataset, Split
from reid.data.layouts import matlab_values
from reid.data.layouts.files import DIGITS, listed, number, shown
from reid.data.layouts.layout import Counts, Layout
from reid.data.layouts.market1501 import FOLDERS as MARKET_FOLDERS
from reid.errors import InputError

FOLDERS = replace(MARKET_FOLDERS, example="0003_c1_21.png")
INDICES = ("train_idx", "query_idx", "gallery_idx")
VIEW = 2  # field of 1_001_1_01.png (pair, person, view, image) between underscores: the camera


def read_cuhk03(name: str, root: Path, boxes: str) -> BenchmarkDataset:
    """The `boxes` ("detected" or "labeled") data set under `root`, from folders if there are, else by its protocol.

    Raises InputError where neither is there or what is there does not follow its layout.
    """
    protocol = f"cuhk03_new_protocol_config_{boxes}.mat"
    for folder in (root, root / "cuhk03-np", root / "cuhk03"):
        if (folder / boxes / "query").is_dir():
            dataset = FOLDERS.read(name, folder / boxes)
            return replace(dataset, root=root)
        if (folder / protocol).is_file():
            train, query, gallery = _read_protocol(folder / protocol, folder / f"images_{boxes}")
            return BenchmarkDataset(name, root, train, query, gallery)
    raise InputError(f"{root}: must hold {boxes}/bounding_box_train, query, bounding_box_test, or {protocol}")


def _read_protocol(file: Path, images: Path) -> list[Split]:
    """Train, query and gallery of a .mat file: `filelist`, `labels` and positions, counted from 1, of each split."""
    content = _read_matlab(file, ["filelist", "labels", *INDICES])
    names, labels = content["filelist"], content["labels"]
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"{file}: filelist must hold names like 1_001_1_01.png")
    for key, values in content.items():
        if key != "filelist" and not all(isinstance(value, int) and abs(value) < 10**DIGITS for value in values):
            raise InputError(f"{file}: {key} must hold whole numbers")
    if len(labels) != len(names):
        raise InputError(f"{file}: filelist and labels must be as long, found {len(names)} and {len(labels)}")
    for key in INDICES:
        if not all(1 <= position <= len(names) for position in content[key]):
            raise InputError(f"{file}: {key} must point into filelist, 1 to {len(names)}; found another number")
        if len(set(content[key])) < len(content[key]):
            raise InputError(f"{file}: {key} must name every image once")
    return [Split.of([_row(file, images, names[i - 1], labels[i - 1]) for i in content[key]]) for key in INDICES]


def _read_matlab(file: Path, names: list[str]) -> dict[str, list[Any]]:
    """Variables of a MATLAB file as lists. Raises InputError where it cannot be parsed or has others."""
    words = [sys.executable, "-P", matlab_values.__file__, str(file), *names]
    parsed = subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace", check=False)
    try:
        content: dict[str, list[Any]] = json.loads(parsed.stdout)
    except ValueError as error:
        reason = (parsed.stderr.splitlines() or [f"the parser ended with {parsed.returncode}"])[-1]
        raise InputError(
            f"{file}: must hold {', '.join(names)} as the CUHK03-NP protocol does ({shown(reason)})"
        ) from error
    return content


def _row(file: Path, images: Path, name: str, label: int) -> tuple[Path, int, int]:
    fields = name.split("_")
    if len(fields) <= VIEW:
        raise InputError(f"{file}: filelist must hold names like 1_001_1_01.png, found {name!r}")
    return listed(images, name, str(file)), label, number(fields[VIEW], "view", str(file))


SOURCE = "Li et al. 2014, Zhong et al. 2017; counted from the protocol files"

CUHK03_NP = (
    Layout(
        name="cuhk03_np_detected",
        title="CUHK03-NP detected",
        read=partial(read_cuhk03, boxes="detected"),
        source=SOURCE,
        known={"train": Counts(767, 7365, 2), "query": Counts(700, 1400, 2), "gallery": Counts(700, 5332, 2)},
    ),
    Layout(
        name="cuhk03_np_labeled",
        title="CUHK03-NP labeled",
        read=partial(read_cuhk03, boxes="labeled"),
        source=SOURCE,
        known={"train": Counts(767, 7368, 2), "query": Counts(700, 1400, 2), "gallery": Counts(700, 5328, 2)},
    ),
)
