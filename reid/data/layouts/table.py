"""The user's own data as a CSV file: path,identity,camera,split and, if she likes, sequence.

Without the column `camera` all images are of one, which can be trained on, and evaluated on with `cameras: none`.
"""

import csv
import io
from pathlib import Path

from reid.data.dataset import SPLITS, BenchmarkDataset, Split
from reid.data.layouts.files import listed, number, text_of, unique
from reid.data.layouts.folders import JUNK
from reid.data.layouts.layout import Layout
from reid.errors import InputError

COLUMNS = {"path", "identity", "split"}
OPTIONAL = {"camera", "sequence"}


def read_table(name: str, root: Path) -> BenchmarkDataset:
    """The data set that a CSV file describes; `root` is the file, or a folder that holds no other CSV file.

    Paths are relative to the file's folder and stay inside it. Identity −1 is junk and dropped. Raises InputError with
    file and line for anything else than the columns and whole numbers. The sequence is checked and not used.
    """
    file = _find(root)
    splits: dict[str, list[tuple[Path, int, int]]] = {split: [] for split in SPLITS}
    table = csv.reader(io.StringIO(text_of(file), newline=""), strict=True)
    try:
        header = next(table, [])
        if len(set(header)) < len(header) or not COLUMNS <= set(header) <= COLUMNS | OPTIONAL:
            raise InputError(
                f"{file}:1: columns must be path,identity,camera,split[,sequence], found {','.join(header)!r}; "
                "where nothing is known of cameras, leave that column out"
            )
        for cells in table:
            where = f"{file}:{table.line_num}"
            if len(cells) not in (0, len(header)):
                raise InputError(f"{where}: must have {len(header)} cells as the first line does, found {len(cells)}")
            if cells:
                split, row = _row(dict(zip(header, cells, strict=True)), file.parent, where)
                splits[split].append(row)
    except csv.Error as error:
        raise InputError(f"{file}:{table.line_num}: not a CSV file: {error}") from error
    for rows in splits.values():
        unique((row[0] for row in rows), file)
    train, query, gallery = (Split.of([row for row in rows if row[1] != JUNK]) for rows in splits.values())
    return BenchmarkDataset(name, file.parent, train, query, gallery)


def _find(root: Path) -> Path:
    files = [root] if root.is_file() else sorted(root.glob("*.csv")) if root.is_dir() else []
    if len(files) != 1:
        raise InputError(f"{root}: give a CSV file, or a folder that holds one; found {len(files)}")
    return files[0]


def _row(cells: dict[str, str], folder: Path, where: str) -> tuple[str, tuple[Path, int, int]]:
    """The split, and path, identity and camera, of a line."""
    if cells["split"] not in SPLITS:
        raise InputError(f"{where}: split must be {', '.join(SPLITS)}, found {cells['split']!r}")
    numbers = {what: number(text, what, where) for what, text in cells.items() if what not in ("path", "split")}
    path = listed(folder, cells["path"], where)
    return cells["split"], (path, numbers["identity"], numbers.get("camera", 0))


CSV = Layout(
    name="csv",
    title="your own, as a CSV file",
    read=read_table,
    source="columns path,identity[,camera],split[,sequence]",
)
