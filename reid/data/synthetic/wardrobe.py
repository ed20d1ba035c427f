"""The statistics of who walks by: clothes, colours, hair and bags as weighted tables. The one place to change them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

RGB = tuple[int, int, int]

COLOURS: Mapping[str, RGB] = {
    "black": (30, 29, 32), "charcoal": (62, 62, 66), "grey": (128, 128, 130), "silver": (186, 186, 188),
    "white": (234, 232, 226), "beige": (200, 178, 142), "brown": (104, 72, 48), "navy": (36, 44, 88),
    "denim": (74, 104, 150), "sky": (138, 182, 218), "teal": (32, 128, 126), "green": (50, 122, 62),
    "olive": (98, 102, 54), "yellow": (228, 194, 62), "orange": (222, 118, 40), "red": (190, 40, 44),
    "wine": (108, 26, 44), "pink": (228, 152, 172), "purple": (110, 72, 150),
}  # fmt: skip


class Cut(NamedTuple):
    """How a garment is cut. `hem`: height of its lower edge (body heights); `sleeve`: covered share of the arm."""

    hem: float
    bulk: float
    flare: float = 1.0
    sleeve: float = 0.0


UPPER: Mapping[str, Cut] = {
    "T-shirt": Cut(0.455, 1.0, 1.02, 0.42), "shirt": Cut(0.45, 1.0, 1.0, 0.95), "hoodie": Cut(0.455, 1.13, 0.98, 1.0),
    "jacket": Cut(0.44, 1.14, 1.02, 1.0), "coat": Cut(0.26, 1.14, 1.22, 1.0), "dress": Cut(0.27, 0.95, 1.5, 0.35),
    "tank top": Cut(0.46, 0.95, 1.02, 0.0),
}  # fmt: skip
LOWER: Mapping[str, Cut] = {
    "trousers": Cut(0.04, 1.0), "wide trousers": Cut(0.02, 1.3), "leggings": Cut(0.06, 0.82),
    "shorts": Cut(0.27, 1.22), "skirt": Cut(0.28, 1.0, 1.35), "long skirt": Cut(0.10, 1.0, 1.45),
}  # fmt: skip

PRINTS = {"none": 50, "block": 18, "round": 12, "band": 10, "letters": 10}
HAIR_STYLES = {"short": 40, "long": 24, "bun": 8, "ponytail": 12, "bob": 10, "bald": 6}
HAIR_COLOURS: Mapping[RGB, int] = {
    (24, 20, 18): 45, (66, 42, 26): 28, (176, 138, 76): 13, (150, 148, 146): 8, (128, 58, 28): 6,
}  # fmt: skip
SKINS: Mapping[RGB, int] = {(236, 196, 168): 40, (216, 168, 130): 28, (176, 124, 88): 18, (112, 74, 50): 14}
BAGS = {"none": 40, "backpack": 28, "handbag": 14, "shoulder bag": 18}
BEARDS, GLASSES = 0.3, 0.18
SHOES = {"trainers": 60, "shoes": 28, "boots": 12}
SHOE_COLOURS = {"black": 34, "white": 28, "brown": 12, "grey": 8, "red": 6, "navy": 6, "sky": 3, "yellow": 3}

POPULAR_OUTFITS = 8  # outfits that many people wear: colours alone do not tell identities apart
POPULAR_SHARE = 0.5
TINT = 11.0  # standard deviation of a garment's own shade around its colour (of 255)


@dataclass(frozen=True)
class Wardrobe:
    """What people of one domain wear."""

    upper_kinds: Mapping[str, int]
    lower_kinds: Mapping[str, int]
    upper_colours: Mapping[str, int]
    lower_colours: Mapping[str, int]
    patterns: Mapping[str, int]
    hats: Mapping[str, int]


DAY_CLOTHES = Wardrobe(
    upper_kinds={"T-shirt": 30, "shirt": 20, "hoodie": 14, "jacket": 14, "coat": 8, "dress": 8, "tank top": 6},
    lower_kinds={"trousers": 46, "wide trousers": 8, "leggings": 12, "shorts": 18, "skirt": 11, "long skirt": 5},
    upper_colours={
        "black": 18, "white": 14, "grey": 8, "charcoal": 6, "navy": 9, "sky": 6, "denim": 4, "red": 7, "wine": 3,
        "pink": 5, "green": 4, "olive": 3, "yellow": 4, "orange": 3, "purple": 3, "teal": 3, "beige": 4, "brown": 3,
        "silver": 2,
    },
    lower_colours={
        "black": 30, "navy": 12, "denim": 20, "charcoal": 10, "grey": 6, "beige": 8, "olive": 4, "white": 5, "brown": 5,
    },
    patterns={"plain": 60, "stripes": 14, "checks": 10, "pinstripes": 5, "yoke": 6, "sleeves": 8},
    hats={"none": 80, "cap": 11, "beanie": 6, "sun hat": 3},
)  # fmt: skip
NIGHT_CLOTHES = Wardrobe(
    upper_kinds={"coat": 42, "jacket": 34, "hoodie": 20, "shirt": 4},
    lower_kinds={"trousers": 62, "wide trousers": 12, "leggings": 14, "long skirt": 12},
    upper_colours={
        "black": 24, "charcoal": 16, "navy": 12, "brown": 10, "olive": 10, "wine": 8, "grey": 6, "beige": 5, "teal": 4,
        "purple": 3, "red": 2,
    },
    lower_colours={"black": 42, "charcoal": 20, "navy": 16, "brown": 10, "denim": 8, "olive": 4},
    patterns={"plain": 78, "checks": 8, "yoke": 8, "sleeves": 6},
    hats={"none": 38, "beanie": 52, "cap": 10},
)  # fmt: skip
