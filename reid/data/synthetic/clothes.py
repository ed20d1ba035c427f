"""Clothes on a skeleton: legs with their trousers, the torso with its garment, arms with their sleeves."""

from reid.data.synthetic.canvas import Canvas, Point
from reid.data.synthetic.fabric import fabric
from reid.data.synthetic.identity import Person
from reid.data.synthetic.skeleton import SHOULDER_HEIGHT, Skeleton, Spot
from reid.data.synthetic.wardrobe import LOWER, RGB, UPPER, Cut

WAIST = 0.6


def paint_legs(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """Both legs, the farther one first, with shoes and whatever the lower garment covers."""
    cut, skirted = LOWER[person.lower.kind], "skirt" in person.lower.kind
    dressed = person.upper.kind == "dress"
    for side in sorted((-1, 1), key=lambda s: body.toward((s * body.hips, 0.0, 0.0))):
        leg, thick = body.legs[side], body.size(0.6 * person.build + 0.4)
        near = body.toward((side * body.hips, 0.0, 0.0)) > 0.0
        hip, knee = body.at(leg.hip), body.at(leg.knee)
        _shoe(canvas, body, person, leg.ankle, leg.toe, thick)
        if skirted or dressed or person.lower.kind == "shorts":
            radii = [0.058 * thick, 0.038 * thick, 0.023 * thick]
            canvas.limb([hip, knee, body.at(leg.ankle)], radii, person.skin, near)
        if skirted or dressed:
            continue
        wide, paint = thick * cut.bulk, person.lower.rgb
        if person.lower.kind == "shorts":
            canvas.limb([hip, knee], [0.062 * wide, 0.044 * wide], paint, near)
        else:
            end, hem = body.at(_between(leg.knee, leg.ankle, 0.95)), 0.045 if cut.bulk > 1.2 else 0.029
            canvas.limb([hip, knee, end], [0.031 * (thick + wide), 0.041 * wide, hem * wide], paint, near)
            canvas.line([(knee[0] - 0.025 * wide, knee[1] + 3), (knee[0] + 0.03 * wide, knee[1])], 1, None, 114)
    if skirted and not dressed:
        _skirt(canvas, body, cut, person.lower.rgb)


def paint_torso(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """The upper garment from the neck to its hem, with print, opening and collar."""
    garment, cut = person.upper, UPPER[person.upper.kind]
    neck = body.at((0.0, SHOULDER_HEIGHT + body.lift + 0.06, 0.0))
    base = body.at((0.0, SHOULDER_HEIGHT + body.lift - 0.01, 0.0))
    canvas.limb([neck, base], [body.size(0.03), body.size(0.034)], person.skin)
    outline = _outline(body, person, cut)
    paint = fabric(canvas, body, garment)
    canvas.shape(outline, paint, 104)
    for share, tone in ((0.74, 126), (0.36, 140)):
        canvas.shadow(_narrowed(outline, share, canvas.light * 0.32), tone)
    _creases(canvas, outline)
    if body.cos > 0.15:
        _front(canvas, body, person)
    elif body.cos < -0.15 and garment.kind == "hoodie":
        hood = body.at((0.0, SHOULDER_HEIGHT + body.lift + 0.005, -body.depth))
        canvas.ellipse(hood, body.half_width(0.062, 0.03), body.size(0.036), garment.rgb, 112)


def paint_arm(canvas: Canvas, body: Skeleton, person: Person, side: int) -> None:
    """One arm: skin, the sleeve over it and the hand."""
    arm, cut, thick = body.arms[side], UPPER[person.upper.kind], body.size(0.55 * person.build + 0.45)
    shoulder, elbow, hand = (body.at(joint) for joint in (arm.shoulder, arm.elbow, arm.hand))
    canvas.ellipse(hand, 0.021 * thick, 0.025 * thick, person.skin)
    canvas.limb([shoulder, elbow, hand], [0.036 * thick, 0.027 * thick, 0.018 * thick], person.skin, contact=True)
    wide = thick * (0.5 + 0.5 * cut.bulk)
    paint = person.upper.accent if person.upper.pattern == "sleeves" else fabric(canvas, body, person.upper)
    if cut.sleeve > 0.6:
        end = body.at(_between(arm.elbow, arm.hand, (cut.sleeve - 0.5) * 1.85))
        canvas.limb([shoulder, elbow, end], [0.039 * wide, 0.033 * wide, 0.025 * wide], paint, contact=True)
    elif cut.sleeve > 0:
        end = body.at(_between(arm.shoulder, arm.elbow, cut.sleeve * 1.9))
        canvas.limb([shoulder, end], [0.04 * wide, 0.039 * wide], paint, contact=True)


def _shoe(canvas: Canvas, body: Skeleton, person: Person, ankle: Spot, toe: Spot, thick: float) -> None:
    heel, tip = body.at(ankle), body.at(toe)
    heel = (heel[0], heel[1] + 0.014 * thick)
    if person.shoes == "boots":
        shaft = body.at((ankle[0], ankle[1] + 0.06, ankle[2]))
        canvas.limb([shaft, heel], [0.032 * thick, 0.03 * thick], person.shoes_rgb)
    canvas.limb([heel, tip], [0.026 * thick, 0.02 * thick], person.shoes_rgb)
    if person.shoes == "trainers":
        drop = 0.017 * thick
        canvas.line([(heel[0], heel[1] + drop), (tip[0], tip[1] + drop)], 0.016 * thick, (225, 225, 222))


def _skirt(canvas: Canvas, body: Skeleton, cut: Cut, paint: RGB) -> None:
    levels = [(0.57, body.hips * 0.98, body.depth), (0.5, body.hips * 1.25, body.depth * 1.15)]
    levels.append((cut.hem, body.hips * 1.2 * cut.flare, max(body.depth * cut.flare, _stride(body, cut.hem))))
    outline = _sides(body, levels, 0.0)
    canvas.shape(outline, paint, 104)
    for share, tone in ((0.74, 126), (0.34, 140)):
        canvas.shadow(_narrowed(outline, share, canvas.light * 0.32), tone)
    _creases(canvas, outline)


def _outline(body: Skeleton, person: Person, cut: Cut) -> list[Point]:
    chest, hips, depth = body.chest * (0.4 + 0.6 * cut.bulk), body.hips * 1.2 * cut.bulk, body.depth * cut.bulk
    waist = 0.5 * (chest + hips) * (1.0 if cut.bulk > 1.05 else 0.9) + 0.5 * person.belly
    levels = [
        (SHOULDER_HEIGHT + 0.045, 0.036, 0.034),
        (SHOULDER_HEIGHT + 0.026, chest * 0.6, depth * 0.58),
        (SHOULDER_HEIGHT + 0.004, chest * 0.92, depth * 0.8),
        (SHOULDER_HEIGHT - 0.04, chest * 1.02, depth * 0.95),
        (0.7, chest * 0.96, depth),
        (WAIST, waist, depth + 0.5 * person.belly),
        (0.5, hips, depth * 1.05),
    ]
    if cut.hem < 0.4:
        levels.append((0.39, hips * 1.04, max(depth * 1.1, _stride(body, 0.39) + 0.015)))
        levels.append((cut.hem, hips * cut.flare, max(depth * cut.flare, _stride(body, cut.hem))))
    else:
        levels[-1] = (cut.hem, hips * cut.flare, depth * 1.05)
    return _sides(body, levels, person.belly)


def _stride(body: Skeleton, height: float) -> float:
    """How far the legs reach forward or backward at `height`: what a skirt must cover."""
    reach, height = 0.0, height + body.lift
    for leg in body.legs.values():
        upper, lower = (leg.hip, leg.knee) if height > leg.knee[1] else (leg.knee, leg.ankle)
        share = (upper[1] - height) / (upper[1] - lower[1])
        reach = max(reach, abs(_between(upper, lower, share)[2]))
    return reach + 0.05


def _sides(body: Skeleton, levels: list[tuple[float, float, float]], belly: float) -> list[Point]:
    """Outline through (height, half width, half depth) levels: down the left side, up the right side."""
    left, right = [], []
    for height, width, depth in levels:
        x, y = body.at((0.0, height + body.lift, 0.5 * belly if height == WAIST else 0.0))
        half = body.half_width(width, depth)
        left.append((x - half, y))
        right.append((x + half, y))
    (x0, y), (x1, _) = left[-1], right[-1]
    drop = body.unit * 0.012  # a hem hangs a little lower in the middle
    hem = [(0.75 * x0 + 0.25 * x1, y + drop), (0.25 * x0 + 0.75 * x1, y + drop)]
    return left + hem + right[::-1]


def _narrowed(outline: list[Point], share: float, shift: float) -> list[Point]:
    """The part of an outline around its middle that light falls on."""
    half = len(outline) // 2
    result = []
    for (x, y), (other, _) in zip(outline, outline[::-1], strict=True):
        middle, arm = (x + other) / 2, (x - other) / 2
        result.append((middle + arm * share + shift * abs(arm), y))
    return result[1:half] + result[half:-1]


def _creases(canvas: Canvas, outline: list[Point]) -> None:
    """Two soft folds across the waist."""
    half = len(outline) // 2
    (x0, y0), (x1, y1) = outline[half - 3], outline[half + 2]
    canvas.line([(x0 + 0.1 * (x1 - x0), y0 - 6), (x0 + 0.6 * (x1 - x0), y0 + 3)], 2, None, 112)
    canvas.line([(x0 + 0.45 * (x1 - x0), y1 + 8), (x0 + 0.95 * (x1 - x0), y1 - 2)], 2, None, 114)


def _front(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """What only shows from the front: an open jacket, a collar, a print."""
    garment, front, top = person.upper, body.depth, SHOULDER_HEIGHT + body.lift
    if garment.kind in ("jacket", "coat"):
        corners = [(-0.016, 0.03), (0.02, 0.03), (0.03, -0.33), (-0.022, -0.33)]
        canvas.shape([body.at((x, top + y, front)) for x, y in corners], person.inner, 118)
        return
    collar = [(-0.034, 0.035), (0.034, 0.035), (0.0, -0.02 if garment.kind != "hoodie" else 0.0)]
    canvas.shape([body.at((x, top + y, front * 0.7)) for x, y in collar], person.skin, 116)
    if garment.print == "none" or garment.pattern in ("stripes", "checks"):
        return
    if garment.print == "band":
        corners = [(-0.1, -0.09), (0.1, -0.09), (0.1, -0.15), (-0.1, -0.15)]
        canvas.shape([body.at((x * body.chest / 0.1, top + y, front * 0.5)) for x, y in corners], garment.accent)
    elif garment.print == "round":
        centre = body.at((0.0, top - 0.11, front))
        canvas.ellipse(centre, body.size(0.045) * body.cos, body.size(0.042), garment.accent)
    elif garment.print == "block":
        corners = [(-0.05, -0.07), (0.05, -0.07), (0.05, -0.16), (-0.05, -0.16)]
        canvas.shape([body.at((x, top + y, front)) for x, y in corners], garment.accent)
    else:
        for row in (-0.085, -0.115):
            for x in (-0.045, -0.015, 0.015, 0.045):
                box = [(x - 0.01, row), (x + 0.01, row), (x + 0.01, row - 0.02), (x - 0.01, row - 0.02)]
                canvas.shape([body.at((a, top + b, front)) for a, b in box], garment.accent)


def _between(start: Spot, end: Spot, share: float) -> Spot:
    return (
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
        start[2] + share * (end[2] - start[2]),
    )
