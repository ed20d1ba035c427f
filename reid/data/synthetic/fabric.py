"""Patterns of cloth: stripes, checks, pinstripes and a yoke."""

import math

from PIL import Image, ImageDraw

from reid.data.synthetic.canvas import Canvas, Paint
from reid.data.synthetic.identity import Garment
from reid.data.synthetic.skeleton import SHOULDER_HEIGHT, Skeleton
from reid.data.synthetic.wardrobe import RGB


def fabric(canvas: Canvas, body: Skeleton, garment: Garment) -> Paint:
    """What the garment is painted with: its colour, or its pattern laid over the whole canvas."""
    if garment.pattern not in ("stripes", "checks", "pinstripes", "yoke"):
        return garment.rgb
    width, height = canvas.albedo.size
    picture = Image.new("RGB", (width, height), garment.rgb)
    draw = ImageDraw.Draw(picture)
    left, top = body.at((0.0, SHOULDER_HEIGHT + body.lift, 0.0))
    step = max(5.0, body.size(garment.period))
    if garment.pattern == "yoke":
        if (edge := round(top + body.size(0.11))) >= 0:  # a bad crop may leave the shoulders out
            draw.rectangle((0, 0, width, edge), fill=garment.accent)
        return picture
    if garment.pattern != "pinstripes":
        for i in range(-4, math.ceil((height - top) / step)):
            y = top + i * step
            draw.rectangle((0, round(y), width, round(y + 0.42 * step)), fill=garment.accent)
    if garment.pattern == "stripes":
        return picture
    thin = 0.3 if garment.pattern == "pinstripes" else 0.42
    blend = garment.accent if garment.pattern == "pinstripes" else _mix(garment.rgb, garment.accent, 0.5)
    reach = math.ceil(width / step)
    for i in range(-reach, reach):
        x = left + i * step
        draw.rectangle((round(x), 0, round(x + thin * step), height), fill=blend)
    return picture


def _mix(first: RGB, second: RGB, share: float) -> RGB:
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return red, green, blue
