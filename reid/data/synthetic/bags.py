"""Backpacks, handbags and shoulder bags."""

from reid.data.synthetic.canvas import Canvas
from reid.data.synthetic.identity import Person
from reid.data.synthetic.skeleton import SHOULDER_HEIGHT, Skeleton
from reid.data.synthetic.wardrobe import RGB


def paint_backpack(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """The pack itself, behind the back."""
    top, middle = SHOULDER_HEIGHT + body.lift + 0.005, -body.depth - 0.045
    half, points = body.half_width(0.085, 0.048), []
    for height, share in ((0.0, 0.7), (-0.03, 1.0), (-0.21, 1.08), (-0.235, 0.85)):
        x, y = body.at((0.0, top + height, middle))
        points.append((x, y, half * share))
    outline = [(x - w, y) for x, y, w in points] + [(x + w, y) for x, y, w in reversed(points)]
    canvas.shape(outline, person.bag_rgb, 100)
    canvas.shadow([(x - w * 0.6, y) for x, y, w in points] + [(x + w * 0.7, y) for x, y, w in reversed(points)], 134)
    if body.cos < -0.2:
        x, y, w = points[2]
        seam = y - body.size(0.09)
        canvas.line([(x - 0.8 * w, seam), (x + 0.8 * w, seam)], 2, _dark(person.bag_rgb), 100)


def paint_straps(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """The shoulder straps of a backpack, seen from the front."""
    top = SHOULDER_HEIGHT + body.lift
    for side in (-1, 1):
        spots = ((0.06, 0.025, 0.0), (0.062, -0.06, body.depth), (0.075, -0.17, body.depth * 0.7))
        if body.toward((side * 0.06, 0.0, body.depth)) > 0:
            canvas.line([body.at((side * x, top + y, z)) for x, y, z in spots], body.size(0.024), person.bag_rgb, 112)


def paint_handbag(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """A bag that hangs from one hand."""
    hand = body.arms[person.side].hand
    x, y = body.at((hand[0] + person.side * 0.012, hand[1], hand[2]))
    half, drop = body.half_width(0.022, 0.062), body.size(0.05)
    canvas.line([(x - 0.6 * half, y + drop), (x, y), (x + 0.6 * half, y + drop)], 2, _dark(person.bag_rgb))
    _pouch(canvas, (x, y + drop), half, body.size(0.095), person.bag_rgb)


def paint_strap(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """The strap of a shoulder bag across the chest and the back."""
    face = body.depth if body.cos > 0 else -body.depth
    start = body.at((-person.side * 0.07, SHOULDER_HEIGHT + body.lift + 0.02, face * 0.4))
    end = body.at((person.side * body.hips * 1.3, 0.54 + body.lift, face * 0.4))
    canvas.line([start, end], body.size(0.014), _dark(person.bag_rgb), 112)


def paint_shoulder_bag(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """The bag at the hip."""
    x, y = body.at((person.side * (body.hips * 1.3 + 0.02), 0.54 + body.lift, -0.01))
    _pouch(canvas, (x, y), body.half_width(0.024, 0.07), body.size(0.11), person.bag_rgb)


def _pouch(canvas: Canvas, top: tuple[float, float], half: float, height: float, paint: RGB) -> None:
    x, y = top
    low, flap = y + height, y + 0.35 * height
    canvas.shape([(x - 0.85 * half, y), (x + 0.85 * half, y), (x + half, low), (x - half, low)], paint, 106)
    canvas.shadow([(x - 0.5 * half, y), (x + 0.6 * half, y), (x + 0.6 * half, low), (x - 0.5 * half, low)], 136)
    canvas.line([(x - 0.85 * half, flap), (x + 0.85 * half, flap)], 1, None, 92)


def _dark(rgb: RGB) -> RGB:
    red, green, blue = (round(0.6 * value) for value in rgb)
    return red, green, blue
