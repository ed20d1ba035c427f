"""Where the report's template and the published tables lie: in the wheel, or in the source checkout."""

from pathlib import Path

PLACES = (Path(__file__).parent / "assets", Path(__file__).parents[2] / "reports")


def asset(name: str) -> Path:
    """Path of a file of reports/, e.g. "template.typ". Raises FileNotFoundError where it is not installed."""
    for place in PLACES:
        if (place / name).exists():
            return place / name
    raise FileNotFoundError(f"{name} in {' or '.join(map(str, PLACES))}")
