"""A whole person, painted back to front."""

import math

from reid.data.synthetic.bags import paint_backpack, paint_handbag, paint_shoulder_bag, paint_strap, paint_straps
from reid.data.synthetic.canvas import Canvas
from reid.data.synthetic.clothes import paint_arm, paint_legs, paint_torso
from reid.data.synthetic.head import paint_hair_behind, paint_head
from reid.data.synthetic.identity import Person
from reid.data.synthetic.skeleton import Pose, Skeleton


def paint_person(canvas: Canvas, person: Person, pose: Pose, pitch: float) -> None:
    """`person` in `pose` with a shadow on the ground, seen from a camera that looks down by `pitch` degrees."""
    body = Skeleton(person, pose, pitch)
    _ground_shadow(canvas, pose)
    far, near = sorted((-1, 1), key=lambda side: body.toward((side * body.chest, 0.0, 0.0)))
    bag_near = person.side == near or abs(body.cos) > 0.85
    if person.bag == "backpack" and body.cos > 0.0:
        paint_backpack(canvas, body, person)
    if body.cos > 0.15:
        paint_hair_behind(canvas, body, person)
    if not bag_near:
        _side_bag(canvas, body, person)
    paint_arm(canvas, body, person, far)
    paint_legs(canvas, body, person)
    paint_torso(canvas, body, person)
    paint_head(canvas, body, person)
    if person.bag == "backpack":
        paint_straps(canvas, body, person) if body.cos > 0.0 else paint_backpack(canvas, body, person)
    if person.bag == "shoulder bag":
        paint_strap(canvas, body, person)
    paint_arm(canvas, body, person, near)
    if bag_near:
        _side_bag(canvas, body, person)


def _side_bag(canvas: Canvas, body: Skeleton, person: Person) -> None:
    if person.bag == "handbag":
        paint_handbag(canvas, body, person)
    elif person.bag == "shoulder bag":
        paint_shoulder_bag(canvas, body, person)


def _ground_shadow(canvas: Canvas, pose: Pose) -> None:
    x, y = pose.foot
    for share, tone in ((1.0, 112), (0.75, 96), (0.5, 82)):
        half, flat = 0.2 * share * pose.height, 0.032 * share * pose.height
        centre = x - canvas.light * 0.1 * pose.height
        ring = [(centre + half * math.cos(i * 0.524), y + flat * math.sin(i * 0.524)) for i in range(12)]
        canvas.shadow(ring, tone)
