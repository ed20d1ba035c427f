"""`reid sync | ui`."""

from typing import Annotated

import typer

from reid.cli.options import OUTPUT, Output, TrackingUri, tell_damaged
from reid.cli.views.screen import say
from reid.errors import InputError


def sync(
    grid: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this grid or study; default: all.")] = None,
    output: Output = OUTPUT,
    tracking_uri: TrackingUri = None,
) -> None:
    """Rebuild MLflow from the run folders; what was killed is not RUNNING there afterwards.

    What MLflow refuses is told, and keeps nothing else from being shown.
    """
    from reid.store.run_store import settle_all
    from reid.tracking import TrackingError
    from reid.tracking import sync as rebuild

    settle_all(output)
    tell_damaged(output)
    try:
        done = rebuild(output, tracking_uri, grid)
    except TrackingError as error:
        raise InputError(f"MLflow: {error}") from error
    for notice in done.notices:
        say(f"note: {notice}", err=True)
    say(f"{done.runs} runs projected")
    if done.refused:
        more = f"; and {len(done.refused) - 1} more" if len(done.refused) > 1 else ""
        raise InputError(f"MLflow: {done.refused[0]}{more}")


def ui(
    output: Output = OUTPUT,
    tracking_uri: TrackingUri = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 5000,
    browser: Annotated[bool, typer.Option(help="Open the newest grid's leaderboard.")] = True,
) -> None:
    """Serve the MLflow UI on 127.0.0.1 and open the answer."""
    from reid.tracking import TrackingError, serve

    tell_damaged(output)
    try:
        serve(output, tracking_uri, port, browser)
    except TrackingError as error:
        raise InputError(f"MLflow: {error}") from error
