"""What a name on the command line means: a grid or a study of the output folder."""

from pathlib import Path

from reid.errors import InputError

KINDS = {"grid": ("grids", "plan.json"), "study": ("studies", "study.json")}


def find_named(output: Path, name: str) -> Path:
    """The folder of the grid or study called `name`, or `name` itself where it is the path of such a folder.

    Raises InputError, naming what there is, where it is neither, and naming both where it is both.
    """
    if any((Path(name) / file).is_file() for _, file in KINDS.values()):
        return Path(name)
    found = [output / place / name for place, file in KINDS.values() if (output / place / name / file).is_file()]
    if len(found) > 1:
        paths = " or ".join(map(str, found))
        raise InputError(f"{name!r}: is a grid and a study in {output}; give the folder of one: {paths}")
    if not found:
        known = {
            kind: ", ".join(sorted(path.parent.name for path in output.glob(f"{place}/*/{file}"))) or "none"
            for kind, (place, file) in KINDS.items()
        }
        raise InputError(
            f"{name!r}: must be a grid or a study in {output}, found grids: {known['grid']}; studies: {known['study']}"
        )
    return found[0]
