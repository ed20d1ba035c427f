"""Who is drawn: body, hair, clothes, bag, shoes and hat of a person, drawn from the wardrobe's statistics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from reid.data.synthetic import wardrobe
from reid.data.synthetic.wardrobe import COLOURS, DAY_CLOTHES, RGB, Wardrobe
from reid.seeding import numpy_generator

T = TypeVar("T")


@dataclass(frozen=True)
class Garment:
    """A piece of clothing. `colour` names the colour, `rgb` is its own shade of it; `period` is in body heights."""

    kind: str
    colour: str
    rgb: RGB
    pattern: str = "plain"
    accent: RGB = (0, 0, 0)
    period: float = 0.06
    print: str = "none"


@dataclass(frozen=True)
class Person:
    """An identity. Widths are factors of the average; `side` is -1 or 1, where a bag hangs."""

    build: float
    shoulders: float
    belly: float
    legs: float
    head: float
    stride: float
    skin: RGB
    hair: str
    hair_rgb: RGB
    beard: bool
    glasses: bool
    upper: Garment
    inner: RGB
    lower: Garment
    shoes: str
    shoes_rgb: RGB
    bag: str
    bag_rgb: RGB
    side: int
    hat: str
    hat_rgb: RGB


def person(seed: int, *words: str | int, clothes: Wardrobe = DAY_CLOTHES) -> Person:
    """The person called by `words`, e.g. ``person(0, "identity", 17)``."""
    rng = numpy_generator(seed, *words)
    upper, lower = _outfit(seed, rng, clothes)
    skirted = upper.kind == "dress" or "skirt" in lower.kind
    hair = pick(rng, wardrobe.HAIR_STYLES)
    return Person(
        build=float(rng.uniform(0.86, 1.22)),
        shoulders=float(rng.uniform(0.9, 1.12)),
        belly=float(rng.uniform(0.0, 0.03)),
        legs=float(rng.uniform(0.48, 0.54)),
        head=float(rng.uniform(0.94, 1.1)),
        stride=float(rng.uniform(0.75, 1.15)),
        skin=_tinted(rng, pick(rng, wardrobe.SKINS)),
        hair=hair,
        hair_rgb=pick(rng, wardrobe.HAIR_COLOURS),
        beard=bool(rng.random() < wardrobe.BEARDS) and hair in ("short", "bald") and not skirted,
        glasses=bool(rng.random() < wardrobe.GLASSES),
        upper=upper,
        inner=COLOURS[pick(rng, clothes.upper_colours)],
        lower=lower,
        shoes=pick(rng, wardrobe.SHOES),
        shoes_rgb=COLOURS[pick(rng, wardrobe.SHOE_COLOURS)],
        bag=pick(rng, wardrobe.BAGS),
        bag_rgb=COLOURS[pick(rng, clothes.upper_colours)],
        side=1 if rng.random() < 0.5 else -1,
        hat=pick(rng, clothes.hats),
        hat_rgb=COLOURS[pick(rng, clothes.upper_colours)],
    )


def _outfit(seed: int, rng: np.random.Generator, clothes: Wardrobe) -> tuple[Garment, Garment]:
    """Upper and lower garment: a popular outfit or one's own. Pattern, print and exact shade are always one's own."""
    popular = rng.random() < wardrobe.POPULAR_SHARE
    number = int(rng.integers(wardrobe.POPULAR_OUTFITS))
    choice = numpy_generator(seed, "outfit", number) if popular else rng
    upper_kind, upper_colour = pick(choice, clothes.upper_kinds), pick(choice, clothes.upper_colours)
    lower_kind, lower_colour = pick(choice, clothes.lower_kinds), pick(choice, clothes.lower_colours)
    upper = Garment(
        kind=upper_kind,
        colour=upper_colour,
        rgb=_tinted(rng, COLOURS[upper_colour]),
        pattern=pick(rng, clothes.patterns),
        accent=_contrasting(rng, upper_colour, clothes),
        period=float(rng.uniform(0.035, 0.075)),
        print=pick(rng, wardrobe.PRINTS),
    )
    return upper, Garment(kind=lower_kind, colour=lower_colour, rgb=_tinted(rng, COLOURS[lower_colour]))


def _contrasting(rng: np.random.Generator, colour: str, clothes: Wardrobe) -> RGB:
    """A second colour that can be told from `colour`."""
    others = {name: weight for name, weight in clothes.upper_colours.items() if _distance(name, colour) > 150}
    return COLOURS[pick(rng, others)]


def _distance(first: str, second: str) -> int:
    return sum(abs(a - b) for a, b in zip(COLOURS[first], COLOURS[second], strict=True))


def _tinted(rng: np.random.Generator, rgb: RGB) -> RGB:
    red, green, blue = (int(v) for v in np.clip(np.add(rgb, rng.normal(0, wardrobe.TINT, 3)), 8, 248))
    return red, green, blue


def pick(rng: np.random.Generator, table: Mapping[T, int]) -> T:
    """A key of `table` with probability proportional to its weight."""
    ticket = int(rng.integers(sum(table.values())))
    for key, weight in table.items():
        ticket -= weight
        if ticket < 0:
            return key
    raise AssertionError("unreachable: a ticket lies below the sum of the weights")
