"""Which images a data set holds: whom, by which camera, in which folder, under which name. Nothing is drawn here.

Training identities have even numbers and test identities odd ones, so neither part depends on the size of the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reid.data.synthetic.spec import SyntheticSpec
from reid.seeding import numpy_generator

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"
JUNK, DISTRACTOR = -1, 0
EXTRA = 6  # every test identity brings images / EXTRA junk images and as many distractors, at least one of each


@dataclass(frozen=True)
class Shot:
    """One image to draw. `pid` is in its name (-1 junk, 0 distractor); `pid`, `camera` and `visit` call its streams."""

    folder: str
    pid: int
    camera: int
    sequence: int
    frame: int
    box: int
    step: int

    @property
    def name(self) -> str:
        """Market-1501's file name, e.g. ``0002_c1s1_000451_03.jpg``."""
        pid = "-1" if self.pid == JUNK else f"{self.pid:04d}"
        return f"{pid}_c{self.camera}s{self.sequence}_{self.frame:06d}_{self.box:02d}.jpg"


def shots(spec: SyntheticSpec) -> Iterator[Shot]:
    """Every image of the data set, in a fixed order."""
    for number in range(1, spec.train_identities + 1):
        yield from _tracklets(spec, 2 * number, query=False)
    for number in range(spec.test_identities):
        yield from _tracklets(spec, 2 * number + 1, query=True)
        yield from _extras(spec, 2 * number + 1)


def _tracklets(spec: SyntheticSpec, pid: int, query: bool) -> Iterator[Shot]:
    """The images of one identity: 2 or more cameras, 2 or more images each; the first of each is the query."""
    rng = numpy_generator(spec.seed, "visits", pid)
    most = min(spec.cameras, spec.images // 2)
    count = int(max(rng.integers(2, most + 1, 2)))
    seen = sorted(int(camera) + 1 for camera in rng.permutation(spec.cameras)[:count])
    for place, camera in enumerate(seen):
        images = spec.images // count + (place < spec.images % count)
        sequence, frame = int(rng.integers(1, 7)), int(rng.integers(1, 90_000))
        for step in range(images):
            asked = query and step == 0
            box = 0 if asked else int(rng.integers(1, 8))
            yield Shot(QUERY if asked else GALLERY if query else TRAIN, pid, camera, sequence, frame, box, step)
            frame += int(rng.integers(5, 60))


def _extras(spec: SyntheticSpec, pid: int) -> Iterator[Shot]:
    """Junk and distractors of the gallery; the frame holds `pid`, so no two have one name."""
    rng = numpy_generator(spec.seed, "extras", pid)
    for kind in (JUNK, DISTRACTOR):
        for k in range(max(1, spec.images // EXTRA)):
            camera, sequence, box = (int(rng.integers(1, high)) for high in (spec.cameras + 1, 7, 8))
            yield Shot(GALLERY, kind, camera, sequence, 100 * pid + k, box, k)
