"""What a name on the command line means: a grid or a study of the output folder."""

from pathlib import Path

from reid.errors import InputError
from reid.files import DamagedFileError
from reid.registry import load_present
from reid.store.looks import read_looks
from reid.store.plan import read_plan
from reid.store.run_folder import RunFolder
from reid.store.run_store import RunStore
from reid.store.study import read_study

KINDS = {"grid": ("grids", "plan.json"), "study": ("studies", "study.json")}
MAKERS = {"grid": "reid ablate", "study": "reid tune"}


def find_kind(output: Path, kind: str, name: str) -> Path:
    """The folder of a launched "grid" or "study". InputError, naming those there are, where it is unknown."""
    place, file = KINDS[kind]
    folder = output / place / name
    if not _is_file(folder / file):
        known = ", ".join(_names(output, kind)) or f"none yet ({MAKERS[kind]} makes one)"
        raise InputError(f"no {kind} {name!r} in {output}; there are: {known}")
    return folder


def find_named(output: Path, name: str) -> Path:
    """The folder of the grid or study called `name`, or `name` itself where it is the path of such a folder.

    Raises InputError, naming what there is, where it is neither, and naming both where it is both.
    """
    if any(_is_file(Path(name) / file) for _, file in KINDS.values()):
        return Path(name)
    found = [output / place / name for place, file in KINDS.values() if _is_file(output / place / name / file)]
    if len(found) > 1:
        paths = " or ".join(map(str, found))
        raise InputError(f"{name!r}: is a grid and a study in {output}; give the folder of one: {paths}")
    if not found:
        known = {kind: ", ".join(_names(output, kind)) or "none" for kind in KINDS}
        raise InputError(
            f"{name!r}: must be a grid or a study in {output}, found grids: {known['grid']}; studies: {known['study']}"
        )
    return found[0]


def damaged_plans(output: Path) -> list[str]:
    """A line for each grid and study of an output folder that no command shows, because what it is cannot be read."""
    lines = []
    for readers, (place, file) in zip(((read_plan, read_looks), (read_study,)), KINDS.values(), strict=True):
        for path in sorted(output.glob(f"{place}/*/{file}")):
            try:
                for read in readers:
                    read(path.parent)
            except DamagedFileError as error:
                lines.append(str(error))
    return lines


def _is_file(path: Path) -> bool:
    """Whether there is such a file; there is none of a name that no file system takes."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _names(output: Path, kind: str) -> list[str]:
    place, file = KINDS[kind]
    return sorted(path.parent.name for path in output.glob(f"{place}/*/{file}"))


def find_run(output: Path, name: str) -> RunFolder:
    """The folder of a run by its signature or the beginning of one. InputError where none or several match."""
    matches = [folder for folder in RunStore(output).folders() if name and folder.signature.startswith(name)]
    if len(matches) != 1:
        raise InputError(f"run {name!r}: must begin exactly one signature in {output / 'runs'}, found {len(matches)}")
    return matches[0]


def use_recorded_plugins(folder: Path) -> list[str]:
    """Load the plugins of a grid or study, for titles, units and method cards; returns a line for each that is absent.

    What is absent leaves raw names.
    """
    is_study = (folder / KINDS["study"][1]).is_file()
    recorded = read_study(folder).plugins if is_study else read_plan(folder).plan.plugins
    return [f"{line}; the report has raw names without it" for line in load_present(recorded)]
