"""The domains that can be drawn: by day on a street, or by night in winter. Other cameras, light, places and clothes.

A network that was trained on one loses on the other. The statistics of cameras and places are here, those of clothes in
wardrobe.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reid.data.synthetic.wardrobe import DAY_CLOTHES, NIGHT_CLOTHES, RGB, Wardrobe

Range = tuple[float, float]


@dataclass(frozen=True)
class Optics:
    """Statistics of cameras: ranges to draw from evenly, or standard deviations.

    pitch: degrees below the horizon. cast: of the log gain of a colour channel, around `tint`. gain, contrast,
    saturation: factors. haze: a grey veil, of 255. sharpness: share of the image's resolution that is resolved.
    blur: standard deviation in pixels. noise: the same, of 255. jpeg: quality.
    """

    pitch: Range = (4.0, 30.0)
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    cast: float = 0.09
    gain: Range = (0.72, 1.2)
    contrast: Range = (0.72, 1.12)
    saturation: Range = (0.55, 1.15)
    haze: Range = (0.0, 34.0)
    sharpness: Range = (0.5, 1.0)
    blur: Range = (0.0, 0.55)
    noise: Range = (2.0, 9.0)
    jpeg: tuple[int, int] = (62, 92)


@dataclass(frozen=True)
class Place:
    """What cameras look at: grounds and walls with their colours, and the colour of windows without a light."""

    grounds: Mapping[str, RGB] = field(
        default_factory=lambda: {
            "asphalt": (112, 110, 108), "grass": (96, 112, 56), "tiles": (156, 148, 136), "sand": (150, 132, 104),
            "concrete": (136, 138, 140),
        }
    )  # fmt: skip
    walls: Mapping[str, RGB] = field(
        default_factory=lambda: {
            "plaster": (172, 160, 140), "brick": (140, 84, 66), "hedge": (56, 78, 38), "shop": (92, 112, 122),
            "panels": (96, 148, 150), "grey": (120, 118, 124),
        }
    )  # fmt: skip
    pane: RGB = (58, 66, 76)


@dataclass(frozen=True)
class Domain:
    """A world of its own to draw people in."""

    optics: Optics
    place: Place
    clothes: Wardrobe


DAY = Domain(Optics(), Place(), DAY_CLOTHES)
NIGHT = Domain(
    Optics(
        pitch=(12.0, 30.0), tint=(1.12, 1.0, 0.8), cast=0.12, gain=(0.6, 0.98), contrast=(0.8, 1.2),
        saturation=(0.45, 0.95), haze=(0.0, 22.0), sharpness=(0.42, 0.85), blur=(0.1, 0.7), noise=(5.0, 12.0),
        jpeg=(50, 82),
    ),
    Place(
        grounds={"asphalt": (64, 66, 74), "snow": (206, 210, 220), "tiles": (104, 98, 96), "slush": (128, 126, 124)},
        walls={
            "plaster": (110, 102, 96), "brick": (88, 54, 46), "shop": (206, 168, 98), "grey": (70, 70, 78),
            "dark": (36, 38, 46),
        },
        pane=(240, 208, 136),
    ),
    NIGHT_CLOTHES,
)  # fmt: skip
DOMAINS: Mapping[str, Domain] = {"day": DAY, "night": NIGHT}
