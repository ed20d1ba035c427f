"""Where the layout of the PDF and the style of the HTML lie."""

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"
