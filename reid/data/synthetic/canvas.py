"""A picture being painted: flat colours on one layer, light and shadow on another, multiplied at the end."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from reid.data.synthetic.wardrobe import RGB

Point = tuple[float, float]
Paint = RGB | Image.Image  # a flat colour, or a picture of the canvas' size to paint through the shape (a pattern)
Pixels = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

NEUTRAL = 128  # a tone of 128 leaves the colour as it is
EDGE, CONTACT = 98, 92
# Layers of a limb, from dark rim to light ridge: shift towards the light, share of the width, pixels added, tone.
CYLINDER = ((0.0, 1.0, 0.0, EDGE), (0.3, 0.7, 0.0, NEUTRAL), (0.48, 0.32, 0.0, 142))
_ARC = [(math.cos(math.pi * i / 6), math.sin(math.pi * i / 6)) for i in range(7)]


class Canvas:
    """Painted back to front. `light` is where light comes from: -1 left .. 1 right."""

    def __init__(self, background: Image.Image, light: float) -> None:
        self.albedo = background
        self.tone = Image.new("L", background.size, NEUTRAL)
        self.light = light
        self._albedo = ImageDraw.Draw(self.albedo)
        self._tone = ImageDraw.Draw(self.tone)

    def shape(self, points: Sequence[Point], paint: Paint, tone: int = NEUTRAL) -> None:
        """A filled polygon of at least 3 points."""
        self._tone.polygon(points, fill=tone)
        if isinstance(paint, tuple):
            self._albedo.polygon(points, fill=paint)
        else:
            self._paste(points, paint)

    def shadow(self, points: Sequence[Point], tone: int) -> None:
        """A polygon of light (over 128) or shadow (under 128) on what is already there."""
        self._tone.polygon(points, fill=tone)

    def ellipse(self, centre: Point, width: float, height: float, paint: RGB, tone: int = NEUTRAL) -> None:
        """An ellipse of half axes `width` and `height`, lit from the light's side."""
        (x, y), lit = centre, self.light * 0.22 * width
        box = (x - width, y - height, x + width, y + height)
        self._albedo.ellipse(box, fill=paint)
        self._tone.ellipse(box, fill=tone - 22)
        self._tone.ellipse((x + lit - 0.74 * width, box[1], x + lit + 0.74 * width, y + 0.8 * height), fill=tone + 6)

    def limb(self, joints: Sequence[Point], radii: Sequence[float], paint: Paint, contact: bool = False) -> None:
        """A rounded limb through 2 or more joints, a radius at each, shaded round; `contact` darkens its rim."""
        bones = list(pairwise(zip(joints, radii, strict=True)))
        for shift, share, extra, tone in ((0.0, 1.0, 2.0, CONTACT), *CYLINDER) if contact else CYLINDER:
            across = shift * self.light
            for ((x0, y0), first), ((x1, y1), last) in bones:
                start, end = (x0 + across * first, y0), (x1 + across * last, y1)
                outline = _capsule(start, end, share * first + extra, share * last + extra)
                if tone == EDGE:
                    self.shape(outline, paint, EDGE)
                else:
                    self.shadow(outline, tone)

    def line(self, points: Sequence[Point], width: float, paint: RGB | None, tone: int = NEUTRAL) -> None:
        """A thin line; without paint it is a crease of the given tone."""
        thick = max(1, round(width))
        if paint is not None:
            self._albedo.line(points, fill=paint, width=thick)
        self._tone.line(points, fill=tone, width=thick)

    def pixels(self, size: tuple[int, int]) -> Pixels:
        """The picture reduced to `size` (width, height): float32 (height, width, 3), 0..255 and a little above."""
        colour = np.asarray(self.albedo.resize(size, Image.Resampling.BOX), np.float32)
        tone = np.asarray(self.tone.resize(size, Image.Resampling.BOX), np.float32)
        return colour * (tone[..., None] / np.float32(NEUTRAL))

    def _paste(self, points: Sequence[Point], picture: Image.Image) -> None:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        box = (
            max(0, math.floor(min(xs))),
            max(0, math.floor(min(ys))),
            min(self.albedo.width, math.ceil(max(xs)) + 1),
            min(self.albedo.height, math.ceil(max(ys)) + 1),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        mask = Image.new("1", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in points], fill=1)
        self.albedo.paste(picture.crop(box), box, mask)


def _capsule(start: Point, end: Point, first: float, last: float) -> list[Point]:
    """Outline of two discs of radii `first` and `last` and what lies between them."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    dx, dy = dx / length, dy / length
    front = [(end[0] + last * (dx * s - dy * c), end[1] + last * (dy * s + dx * c)) for c, s in _ARC]
    back = [(start[0] - first * (dx * s - dy * c), start[1] - first * (dy * s + dx * c)) for c, s in _ARC]
    return front + back
