"""Head, face, hair and hat."""

from reid.data.synthetic.canvas import Canvas
from reid.data.synthetic.identity import Person
from reid.data.synthetic.skeleton import Skeleton
from reid.data.synthetic.wardrobe import RGB

CENTRE = 0.925  # height of the head's middle


def paint_hair_behind(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """Long hair that falls behind the shoulders; to be painted before the torso when the face is seen."""
    if person.hair in ("long", "bob"):
        _fall(canvas, body, person)


def paint_head(canvas: Canvas, body: Skeleton, person: Person) -> None:
    """Skull, face, hair and hat, over the torso."""
    radius, height = 0.067 * person.head, CENTRE + body.lift
    wide = body.size(radius * 0.8) * (1 + 0.1 * abs(body.sin))
    centre = body.at((0.0, height, 0.008))
    canvas.ellipse(centre, wide, body.size(radius), person.skin)
    if person.hair != "bald":
        _hair(canvas, body, person, radius, height, wide)
    if body.cos > -0.35:
        _face(canvas, body, person, radius, height)
    if person.hair in ("long", "bob") and body.cos < 0.15:
        _fall(canvas, body, person)
    if person.hair == "ponytail" and body.cos < 0.5:
        tail = [body.at((0.0, height + 0.02, -0.062)), body.at((0.0, height - 0.12, -0.085))]
        canvas.limb(tail, [body.size(0.02), body.size(0.01)], person.hair_rgb)
    if person.hair == "bun":
        canvas.ellipse(body.at((0.0, height + 0.062, -0.04)), body.size(0.03), body.size(0.028), person.hair_rgb)
    if person.hat != "none":
        _hat(canvas, body, person, height, wide)


def _hair(canvas: Canvas, body: Skeleton, person: Person, radius: float, height: float, wide: float) -> None:
    full = 1.07 if person.hair in ("long", "bob") else 1.0
    back = body.at((0.0, height + 0.014, -0.012))
    canvas.ellipse(back, wide * full, body.size(radius * 0.94), person.hair_rgb)


def _face(canvas: Canvas, body: Skeleton, person: Person, radius: float, height: float) -> None:
    across = max(0.3, 0.42 + (0.42 if person.hair in ("long", "bob") else 0.52) * body.cos)
    ahead = 0.045 if person.hair != "bald" else 0.03
    centre = body.at((0.0, height - 0.014, ahead))
    half = body.size(radius * 0.8) * across
    canvas.ellipse(centre, half, body.size(radius * 0.8), person.skin)
    if person.beard:
        chin = body.at((0.0, height - 0.046, ahead + 0.004))
        canvas.ellipse(chin, half * 0.85, body.size(0.024), _darker(person.hair_rgb, person.skin))
    for side in (-1, 1):
        eye = (side * 0.022, height + 0.002, 0.055)
        if body.toward(eye) > 0.012:
            x, y = body.at(eye)
            size = body.size(0.013 if person.glasses else 0.0075)
            canvas.ellipse((x, y), size, size * 0.8, (36, 30, 30))
    nose = body.at((0.0, height - 0.016, 0.066))
    canvas.ellipse(nose, body.size(0.009), body.size(0.012), person.skin, 112)


def _fall(canvas: Canvas, body: Skeleton, person: Person) -> None:
    length = 0.16 if person.hair == "long" else 0.085
    top, end = CENTRE + body.lift, CENTRE + body.lift - length
    half, round_end = body.half_width(0.055, 0.036), body.size(0.02)
    (x0, y0), (x1, y1) = body.at((0.0, top + 0.01, -0.024)), body.at((0.0, end, -0.036))
    right = [(x0 + half, y0), (x1 + half * 1.08, y1 - round_end), (x1 + half * 0.6, y1)]
    left = [(x1 - half * 0.6, y1), (x1 - half * 1.08, y1 - round_end), (x0 - half, y0)]
    canvas.shape(right + left, person.hair_rgb, 108)
    shine = x0 + canvas.light * 0.3 * half
    wide, thin = 0.3 * half, 0.2 * half
    canvas.shadow([(shine - wide, y0), (shine + wide, y0), (shine + thin, y1), (shine - thin, y1)], 138)


def _hat(canvas: Canvas, body: Skeleton, person: Person, height: float, wide: float) -> None:
    x, y = body.at((0.0, height + 0.028, -0.004))
    dome = [(x - 1.1 * wide, y), (x - wide, y - body.size(0.035)), (x - 0.5 * wide, y - body.size(0.056))]
    dome += [(2 * x - a, b) for a, b in reversed(dome)]
    if person.hat == "sun hat":
        canvas.ellipse((x, y), 1.9 * wide, body.size(0.018), person.hat_rgb)
    canvas.shape(dome, person.hat_rgb, 124)
    if person.hat == "cap" and body.cos > -0.5:
        corners = ((-0.045, 0.03), (0.045, 0.03), (0.036, 0.1), (-0.036, 0.1))
        brim = [body.at((across, height + 0.026, ahead)) for across, ahead in corners]
        canvas.shape(brim, person.hat_rgb, 100)
        canvas.line([(x - wide, y), (x + wide, y)], body.size(0.012), person.hat_rgb, 96)
    if person.hat == "beanie":
        canvas.line([(x - 1.1 * wide, y), (x + 1.1 * wide, y)], body.size(0.02), person.hat_rgb, 104)


def _darker(hair: RGB, skin: RGB) -> RGB:
    red, green, blue = (round(0.7 * a + 0.3 * b) for a, b in zip(hair, skin, strict=True))
    return red, green, blue
