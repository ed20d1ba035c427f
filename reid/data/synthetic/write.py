"""Draws a data set into a folder: whole or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from pydantic import ValidationError

from reid.data.synthetic.camera import Camera, camera
from reid.data.synthetic.domain import DOMAINS
from reid.data.synthetic.identity import person
from reid.data.synthetic.plan import DISTRACTOR, GALLERY, JUNK, QUERY, TRAIN, Shot, shots
from reid.data.synthetic.scene import photograph, walk
from reid.data.synthetic.spec import SyntheticSpec
from reid.errors import InputError

SPEC_FILE = "synthetic.json"
JUNK_SLACK = 5.0  # how far off a junk crop is, where 1 is usual
Progress = Callable[[int, int], None]


def synthesize(out: Path, spec: SyntheticSpec, progress: Progress | None = None) -> None:
    """Draw the data set `spec` into the folder `out` in Market-1501's layout, with `spec` as synthetic.json beside it.

    128x64 (height x width) JPEG files in bounding_box_train, query and bounding_box_test. Equal specs give equal bytes
    with the same numpy and Pillow. If `out` holds this very data set already, nothing is done. The folder appears under
    its name when it is complete. `progress(drawn, total)` is called after every image. Raises InputError if `out` holds
    anything else or cannot be written.
    """
    temporary = out.with_name(f".{out.name}.drawing")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(out.with_name(f".{out.name}.lock")):
            if out.exists():
                _refuse_another(out, spec)
                return
            shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
            for folder in (TRAIN, QUERY, GALLERY):
                (temporary / folder).mkdir(parents=True)
            _draw(temporary, spec, progress)
            (temporary / SPEC_FILE).write_text(spec.model_dump_json(indent=1) + "\n", encoding="utf-8")
            temporary.rename(out)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise InputError(f"{out}: cannot be written ({error.strerror}): choose another folder") from error


def _refuse_another(out: Path, spec: SyntheticSpec) -> None:
    """InputError unless `out` holds the data set `spec`."""
    try:
        held = SyntheticSpec.model_validate_json((out / SPEC_FILE).read_text("utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        raise InputError(f"{out}: exists and is no drawn data set: remove it or choose another folder") from None
    if held != spec:
        raise InputError(
            f"{out}: holds a drawn data set with {_difference(held, spec)}: remove it or choose another folder"
        )


def _difference(held: SyntheticSpec, spec: SyntheticSpec) -> str:
    pairs = zip(held.model_dump().items(), spec.model_dump().values(), strict=True)
    return ", ".join(f"{key} {value} (asked: {asked})" for (key, value), asked in pairs if value != asked)


def _draw(folder: Path, spec: SyntheticSpec, progress: Progress | None) -> None:
    plan = list(shots(spec))
    cameras = {index: camera(spec.seed, index, DOMAINS[spec.domain]) for index in range(1, spec.cameras + 1)}
    for done, shot in enumerate(plan, start=1):
        image = _image(spec.seed, cameras[shot.camera], shot)
        (folder / shot.folder / shot.name).write_bytes(image)
        if progress is not None:
            progress(done, len(plan))


def _image(seed: int, view: Camera, shot: Shot) -> bytes:
    """Junk is a bad crop of a stranger, a distractor a stranger or, every other one, nobody at all."""
    words: tuple[int, ...]
    if shot.pid in (JUNK, DISTRACTOR):
        words = (shot.pid, shot.camera, shot.frame)
        nobody = shot.pid == DISTRACTOR and shot.step % 2 == 1
        who = None if nobody else person(seed, "stranger", *words, clothes=view.domain.clothes)
        slack = JUNK_SLACK if shot.pid == JUNK else 1.0
    else:
        words = (shot.pid, shot.camera)
        who, slack = person(seed, "identity", shot.pid, clothes=view.domain.clothes), 1.0
    return photograph(seed, view, who, walk(seed, view, "walk", *words), shot.step, slack, "image", *words, shot.step)
