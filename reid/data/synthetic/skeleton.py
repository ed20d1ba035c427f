"""A walking body in three dimensions and its projection to the picture."""

import math
from dataclasses import dataclass

from reid.data.synthetic.canvas import Point
from reid.data.synthetic.identity import Person

Spot = tuple[float, float, float]  # (to the person's left, up, forward) in body heights, feet at height 0

THIGH, SHIN, UPPER_ARM, FOREARM, ANKLE = 0.245, 0.225, 0.165, 0.15, 0.04
SHOULDER_HEIGHT = 0.815


@dataclass(frozen=True)
class Pose:
    """One moment of a walk.

    yaw: 0 faces the camera, 90 walks to the picture's right (degrees). phase: of the gait, radians. stride: 0
    (stands) .. 1. bend: of the elbows, radians. foot: where the ground below the body is, pixels. height: of the
    body, pixels.
    """

    yaw: float
    phase: float
    stride: float
    bend: float
    foot: Point
    height: float


@dataclass(frozen=True)
class Leg:
    hip: Spot
    knee: Spot
    ankle: Spot
    toe: Spot


@dataclass(frozen=True)
class Arm:
    shoulder: Spot
    elbow: Spot
    hand: Spot


class Skeleton:
    """Joints of `person` in `pose` for a camera that looks down by `pitch` degrees; `legs` and `arms` by side -1, 1."""

    def __init__(self, person: Person, pose: Pose, pitch: float) -> None:
        self.pose, self.unit = pose, pose.height
        self.cos, self.sin = math.cos(math.radians(pose.yaw)), math.sin(math.radians(pose.yaw))
        self._tilt = math.tan(math.radians(pitch)) * 0.45
        self._wide = 1 / math.cos(math.radians(pitch) * 0.8)
        self._near = pitch / 300  # from above, heads look larger than feet
        self.hips = 0.072 * person.build
        self.chest = 0.104 * person.shoulders * (0.5 + 0.5 * person.build)
        self.depth = 0.062 * person.build
        raw = {side: self._leg(side, person, 0.0) for side in (-1, 1)}
        lowest = min(leg.ankle[1] for leg in raw.values())
        self.lift = ANKLE - lowest
        self.legs = {side: self._leg(side, person, self.lift) for side in (-1, 1)}
        self.hip_height = self.legs[1].hip[1]
        self.arms = {side: self._arm(side, person) for side in (-1, 1)}

    def at(self, spot: Spot) -> Point:
        """Where `spot` is in the picture, in pixels."""
        x, y, _ = spot
        y -= self._near * y * (1 - y)
        across = x * self.cos + spot[2] * self.sin
        return (
            self.pose.foot[0] + self.unit * self._wide * across,
            self.pose.foot[1] - self.unit * (y - self._tilt * self.toward(spot)),
        )

    def toward(self, spot: Spot) -> float:
        """How far `spot` is in front of the body's axis as the camera sees it, in body heights."""
        return spot[2] * self.cos - spot[0] * self.sin

    def half_width(self, width: float, depth: float) -> float:
        """Half the width in pixels of an elliptic body part of half axes `width` and `depth`."""
        return self.unit * self._wide * math.hypot(width * self.cos, depth * self.sin)

    def size(self, length: float) -> float:
        """A radius in pixels."""
        return self.unit * length

    def _leg(self, side: int, person: Person, lift: float) -> Leg:
        phase = self.pose.phase + (math.pi if side < 0 else 0.0)
        swing = 0.42 * person.stride * self.pose.stride
        thigh = swing * math.sin(phase)
        shin = thigh - 1.5 * swing * max(0.0, math.cos(phase)) - 0.04
        scale = person.legs / 0.51
        x = side * self.hips * 0.52
        hip = (x, (THIGH + SHIN) * scale + ANKLE + lift, 0.0)
        knee = (x * 0.95, hip[1] - THIGH * scale * math.cos(thigh), THIGH * scale * math.sin(thigh))
        ankle = (x * 0.9, knee[1] - SHIN * scale * math.cos(shin), knee[2] + SHIN * scale * math.sin(shin))
        heel = min(0.0, shin) * 0.8  # the heel comes off the ground behind the body
        toe = (x * 1.15, ankle[1] - 0.026 + 0.07 * math.sin(heel), ankle[2] + 0.07 * math.cos(heel))
        return Leg(hip, knee, ankle, toe)

    def _arm(self, side: int, person: Person) -> Arm:
        phase = self.pose.phase + (math.pi if side > 0 else 0.0)
        swing = 0.42 * person.stride * self.pose.stride * math.sin(phase)
        x = side * (self.chest - 0.008)
        shoulder = (x, SHOULDER_HEIGHT + self.lift - 0.022, -0.004)
        elbow = (x + side * 0.03, shoulder[1] - UPPER_ARM * math.cos(swing), UPPER_ARM * math.sin(swing))
        lower = swing + self.pose.bend + 0.3 * max(0.0, swing)
        hand = (elbow[0] - side * 0.004, elbow[1] - FOREARM * math.cos(lower), elbow[2] + FOREARM * math.sin(lower))
        return Arm(shoulder, elbow, hand)
