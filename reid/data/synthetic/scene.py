"""One image: a person before a camera's background, with passers-by, occluders and a crop that is not quite right."""

from dataclasses import dataclass

import numpy as np

from reid.data.synthetic.camera import HEIGHT, WIDTH, Camera
from reid.data.synthetic.canvas import Canvas
from reid.data.synthetic.figure import paint_person
from reid.data.synthetic.identity import Person, person
from reid.data.synthetic.occluders import paint_occluder
from reid.data.synthetic.skeleton import Pose
from reid.seeding import numpy_generator

SCALE = 2  # everything is painted at twice the resolution and reduced
BEHIND, BEFORE, OCCLUDED = 0.25, 0.08, 0.16  # probabilities of a passer-by behind and in front, of an occluder


@dataclass(frozen=True)
class Walk:
    """A person's way through one camera's view, shared by a tracklet's images. `place`: 0..1 along the panorama."""

    yaw: float
    stride: float
    phase: float
    bend: float
    place: float


def walk(seed: int, camera: Camera, *words: str | int) -> Walk:
    """People follow the camera's path in one of its two directions, some cross it, some stand."""
    rng = numpy_generator(seed, *words)
    heading = camera.heading + (180 if rng.random() < 0.5 else 0)
    turn = rng.normal(0, 25) if rng.random() < 0.75 else rng.uniform(-180, 180)
    return Walk(
        yaw=float(heading + turn),
        stride=float(rng.uniform(0.55, 1.0)) if rng.random() < 0.85 else 0.06,
        phase=float(rng.uniform(0, 6.283)),
        bend=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.8 else 1.5,
        place=float(rng.random()),
    )


def photograph(
    seed: int, camera: Camera, who: Person | None, way: Walk, step: int, slack: float, *words: str | int
) -> bytes:
    """JPEG bytes of image `step` of a walk; `words` name its stream.

    `slack` is how far the crop may be off (1 is usual). Without a person it is a false alarm of the detector.
    """
    rng = numpy_generator(seed, *words)
    left = (way.place * 0.8 + 0.02 * step + rng.normal(0, 0.004)) % 1.0 * (camera.background.width - SCALE * WIDTH)
    top = rng.uniform(0.35, 0.8) * (camera.background.height - SCALE * HEIGHT)
    window = (round(left), round(top), round(left) + SCALE * WIDTH, round(top) + SCALE * HEIGHT)
    canvas = Canvas(camera.background.crop(window), camera.light)
    pose = _pose(way, step, slack, rng)
    if rng.random() < BEHIND:
        _passer_by(canvas, camera, seed, rng, pose, rng.uniform(0.72, 0.95))
    if who is not None:
        paint_person(canvas, who, pose, camera.pitch)
    if rng.random() < BEFORE:
        _passer_by(canvas, camera, seed, rng, pose, rng.uniform(1.0, 1.12))
    if rng.random() < OCCLUDED:
        paint_occluder(canvas, rng)
    return camera.develop(canvas.pixels((WIDTH, HEIGHT)), rng)


def _pose(way: Walk, step: int, slack: float, rng: np.random.Generator) -> Pose:
    height = SCALE * HEIGHT * rng.normal(0.9, 0.03 * slack)
    foot = (SCALE * WIDTH * rng.normal(0.5, 0.045 * slack), SCALE * HEIGHT * rng.normal(0.95, 0.018 * slack))
    phase = way.phase + 1.1 * step + rng.normal(0, 0.3)
    yaw = way.yaw + rng.normal(0, 10)
    return Pose(float(yaw), float(phase), way.stride, way.bend, (float(foot[0]), float(foot[1])), float(height))


def _passer_by(canvas: Canvas, camera: Camera, seed: int, rng: np.random.Generator, pose: Pose, size: float) -> None:
    """Somebody else, beside the person and partly out of the picture; smaller people are farther away."""
    stranger = person(seed, "passer-by", int(rng.integers(1 << 30)), clothes=camera.domain.clothes)
    side = 1 if rng.random() < 0.5 else -1
    beside = side * SCALE * WIDTH * rng.uniform(0.34, 0.55)
    foot = (pose.foot[0] + beside, pose.foot[1] - (1 - size) * 0.35 * pose.height)
    yaw, phase = float(rng.uniform(-180, 180)), float(rng.uniform(0, 6.283))
    paint_person(canvas, stranger, Pose(yaw, phase, 0.8, 0.3, foot, float(size * pose.height)), camera.pitch)
