"""The HTML report in Chromium: whole, and no wider than the window."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reid.report import write_report
from tests.helpers.grids_on_disk import write_grid
from tests.helpers.services import need_chromium
from tests.helpers.studies_on_disk import write_study

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A running Chromium; skips without one, fails where services are required."""
    program = need_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The HTML reports of a grid and of a study."""
    folder = tmp_path_factory.mktemp("html")
    made = {"grid": write_grid(folder / "output", iterations=60), "study": write_study(folder / "output")}
    return {name: write_report(source, folder / name, ["html"])[0] for name, source in made.items()}


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["grid", "study"])
def test_every_image_is_shown_and_nothing_is_wider_than_the_window(
    chromium: Any, reports: dict[str, Path], name: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
    page.goto(reports[name].as_uri())
    assert page.evaluate("document.images.length") > 4
    assert page.evaluate("[...document.images].filter(image => !image.naturalWidth).length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.querySelectorAll('h2')].length") > 5
    assert errors == []
    page.close()
