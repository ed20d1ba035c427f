"""What a camera looks at when nobody walks by: a panorama of ground, wall and street furniture."""

import numpy as np
from PIL import Image, ImageDraw

from reid.data.synthetic.domain import Place
from reid.data.synthetic.wardrobe import COLOURS, RGB

WIDTH, HEIGHT = 1280, 336  # at twice an image's resolution, so an image sees a window of it


def paint_background(rng: np.random.Generator, pitch: float, place: Place) -> Image.Image:
    """A panorama of WIDTH x HEIGHT; the steeper the camera looks down, the higher the edge between wall and ground."""
    ground, wall = rng.choice(list(place.grounds)), rng.choice(list(place.walls))
    edge = round(HEIGHT * (0.62 - 0.019 * pitch) + rng.uniform(-12, 12))
    picture = Image.new("RGB", (WIDTH, HEIGHT), place.grounds[ground])
    draw = ImageDraw.Draw(picture)
    if ground == "tiles":
        _tiles(draw, edge, rng)
    draw.rectangle((0, 0, WIDTH, edge), fill=place.walls[wall])
    _wall(draw, wall, edge, place.pane, rng)
    if ground != "grass":
        draw.rectangle((0, edge - 3, WIDTH, edge + 2), fill=(84, 82, 80))
    for _ in range(rng.integers(5, 11)):
        _furniture(draw, int(rng.integers(0, WIDTH)), edge, rng)
    rough = (30.0 if ground == "grass" else 11.0, 26.0 if wall == "hedge" else 8.0)
    return _weathered(picture, edge, rough, rng)


def _tiles(draw: ImageDraw.ImageDraw, edge: int, rng: np.random.Generator) -> None:
    gap, y = float(rng.uniform(10, 16)), float(edge)
    while y < HEIGHT:
        draw.line((0, y, WIDTH, y), fill=(128, 121, 110), width=2)
        y += gap
        gap *= 1.16  # rows grow towards the camera
    for x in range(-WIDTH, 2 * WIDTH, 56):
        draw.line((WIDTH / 2 + (x - WIDTH / 2) * 0.6, edge, x, HEIGHT), fill=(128, 121, 110), width=2)


def _wall(draw: ImageDraw.ImageDraw, wall: str, edge: int, dark: RGB, rng: np.random.Generator) -> None:
    if wall == "brick":
        for row, y in enumerate(range(edge, 0, -10)):
            draw.line((0, y, WIDTH, y), fill=(168, 128, 112))
            for x in range(12 * (row % 2), WIDTH, 24):
                draw.line((x, y - 10, x, y), fill=(168, 128, 112))
    elif wall == "panels":
        for x in range(int(rng.integers(0, 60)), WIDTH, 84):
            draw.line((x, 0, x, edge), fill=(62, 96, 100), width=4)
    elif wall != "hedge":
        x = int(rng.integers(0, 60))
        while x < WIDTH:
            wide = int(rng.integers(40, 110))
            pane = dark if rng.random() < 0.6 else COLOURS[str(rng.choice(list(COLOURS)))]
            low = edge - int(rng.integers(4, 40)) if wall == "shop" else edge - int(rng.integers(50, 100))
            draw.rectangle((x, edge - 190, x + wide, low), fill=pane, outline=(70, 68, 66), width=3)
            draw.line((x + wide / 2, edge - 190, x + wide / 2, low), fill=(70, 68, 66), width=2)
            x += wide + int(rng.integers(20, 120))


def _furniture(draw: ImageDraw.ImageDraw, x: int, edge: int, rng: np.random.Generator) -> None:
    colour = COLOURS[str(rng.choice(list(COLOURS)))]
    kind = rng.choice(["pole", "tree", "car", "bicycle", "bin", "sign", "walker"])
    base = edge + int(rng.integers(2, 40))
    if kind == "pole":
        draw.rectangle((x, 0, x + int(rng.integers(5, 10)), base), fill=(70, 72, 74))
    elif kind == "tree":
        draw.rectangle((x, 0, x + int(rng.integers(14, 26)), base), fill=(74, 58, 44))
    elif kind == "car":
        draw.rounded_rectangle((x, base - 42, x + 130, base - 8), 10, fill=colour)
        cabin = [(x + 22, base - 42), (x + 42, base - 66), (x + 92, base - 66), (x + 112, base - 42)]
        draw.polygon(cabin, fill=(52, 58, 66))
        for wheel in (x + 28, x + 102):
            draw.ellipse((wheel - 12, base - 20, wheel + 12, base + 4), fill=(28, 28, 30))
    elif kind == "bicycle":
        for wheel in (x, x + 44):
            draw.ellipse((wheel - 16, base - 32, wheel + 16, base), outline=(44, 44, 46), width=2)
        frame = [(x, base - 16), (x + 18, base - 40), (x + 44, base - 16), (x + 22, base - 16), (x, base - 16)]
        draw.line(frame, fill=colour, width=2)
    elif kind == "bin":
        draw.rectangle((x, base - 40, x + 24, base), fill=colour)
    elif kind == "sign":
        draw.rectangle((x, base - 110, x + 36, base - 70), fill=colour, outline=(230, 230, 226), width=2)
        draw.line((x + 18, base - 70, x + 18, base), fill=(80, 82, 84), width=3)
    else:
        draw.ellipse((x - 4, base - 60, x + 4, base - 50), fill=(180, 140, 116))
        draw.rounded_rectangle((x - 8, base - 50, x + 8, base - 24), 4, fill=colour)
        draw.rectangle((x - 6, base - 24, x + 6, base), fill=(50, 50, 60))


def _weathered(picture: Image.Image, edge: int, rough: tuple[float, float], rng: np.random.Generator) -> Image.Image:
    """Stains and light on everything, coarse and fine; `rough` is the strength on ground and wall."""
    pixels = np.asarray(picture, np.float32)
    stains = sum(_clouds(rng, cell) * share for cell, share in ((120, 1.0), (40, 0.8), (12, 0.7), (4, 0.6)))
    strength = np.where(np.arange(HEIGHT) < edge, rough[1], rough[0]).astype(np.float32)
    toned = pixels * (1 + stains * strength[:, None] / 128)[..., None]
    return Image.fromarray(np.clip(toned, 0, 255).astype(np.uint8))


def _clouds(rng: np.random.Generator, cell: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Smooth noise (HEIGHT, WIDTH) of mean 0 and deviation about 1 with blobs of `cell` pixels."""
    grid = rng.standard_normal((HEIGHT // cell + 2, WIDTH // cell + 2), np.float32)
    return np.asarray(Image.fromarray(grid).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
