"""What stands between a camera and a person: bushes, poles, boxes and railings."""

import numpy as np
from PIL import Image, ImageDraw

from reid.data.synthetic.canvas import Canvas
from reid.data.synthetic.wardrobe import COLOURS

KINDS = ("bush", "pole", "box", "railing", "car")


def paint_occluder(canvas: Canvas, rng: np.random.Generator) -> None:
    """One random occluder; it hides up to about half of the picture."""
    kind = str(rng.choice(KINDS))
    width, height = canvas.albedo.size
    colour = COLOURS[str(rng.choice(list(COLOURS)))]
    top = height * float(rng.uniform(0.58, 0.85))
    if kind == "bush":
        _bush(canvas, rng, top)
    elif kind == "pole":
        x, half = float(rng.uniform(0.1, 0.9)) * width, float(rng.uniform(3, 8))
        canvas.shape([(x - half, 0), (x + half, 0), (x + half, height), (x - half, height)], (86, 86, 88), 104)
        left, right = x - 0.4 * half, x + 0.5 * half
        canvas.shadow([(left, 0), (right, 0), (right, height), (left, height)], 138)
    elif kind == "box":
        left = float(rng.uniform(-0.6, 0.7)) * width
        right = left + float(rng.uniform(0.5, 1.0)) * width
        canvas.shape([(left, top), (right, top), (right, height), (left, height)], colour, 112)
        canvas.shadow([(left, top), (right, top), (right, top + 10), (left, top + 10)], 146)
    elif kind == "railing":
        for y in (top, (top + height) / 2):
            canvas.line([(0, y), (width, y)], 5, (92, 94, 98), 118)
        for x in range(int(rng.integers(0, 24)), width, 24):
            canvas.line([(x, top), (x, height)], 3, (92, 94, 98), 118)
    else:
        front = float(rng.uniform(0.0, 0.7)) * width
        bonnet = [(front, top + 26), (front + 30, top + 44), (front + 34, height)]
        canvas.shape([(-9, top + 20), *bonnet, (-9, height)], colour, 120)
        canvas.shape([(-9, top - 12), (front - 24, top - 8), (front, top + 26), (-9, top + 20)], (50, 56, 64), 124)


def _bush(canvas: Canvas, rng: np.random.Generator, top: float) -> None:
    """Leaves over a dark green mass with a ragged edge."""
    width, height = canvas.albedo.size
    xs = np.linspace(-8, width + 8, 12)
    ys = top + rng.normal(0, 7, 12)
    edge = list(zip(xs.tolist(), ys.tolist(), strict=True))
    canvas.shape([*edge, (width + 8, height), (-8, height)], (40, 66, 30), 112)
    leaves = Image.new("RGB", (width, height), (40, 66, 30))
    draw = ImageDraw.Draw(leaves)
    spots = rng.random((130, 3))
    for x, y, tone in zip(spots[:, 0] * width, top - 6 + spots[:, 1] * (height - top), spots[:, 2], strict=True):
        green = (round(30 + 46 * tone), round(52 + 66 * tone), round(22 + 26 * tone))
        draw.ellipse((x - 5, y - 3, x + 4, y + 3), fill=green)
    canvas.shape([(x, y - 4) for x, y in edge] + [(width + 8, height), (-8, height)], leaves, 120)
