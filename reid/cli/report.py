"""`reid report`."""

from pathlib import Path
from typing import Annotated

import typer

from reid.cli.options import OUTPUT, Output
from reid.cli.views.screen import say
from reid.errors import InputError


def report(
    name: Annotated[str, typer.Argument(metavar="GRID|STUDY", help="Name of a grid or a study, or its folder.")],
    formats: Annotated[
        str | None, typer.Option("--format", help="Of pdf,html,latex,csv,markdown; default: pdf,csv.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder, or a file; default: the folder of the grid or study.")
    ] = None,
    matters: Annotated[
        float | None,
        typer.Option(help="From how many points of mAP on an effect matters to you; default: the grid file's."),
    ] = None,
    allow_mixed: Annotated[
        bool, typer.Option("--allow-mixed", help="Mix code versions, data or protocols; the first page says so.")
    ] = False,
    from_mlflow: Annotated[
        str | None, typer.Option(metavar="URI", help="Read the grid from an MLflow server alone.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="With --from-mlflow: the data set, for pictures of rank lists."),
    ] = None,
    output: Output = OUTPUT,
) -> None:
    """Write the report of a grid (which trick helps, by how much, how sure) or of a study (does tuning pay)."""
    from tempfile import TemporaryDirectory

    from reid.report import chosen_formats, write_report
    from reid.store.lookup import find_named, use_recorded_plugins

    if matters is not None and not 0 < matters <= 100:
        raise InputError(f"--matters: a number of points of mAP above 0, up to 100, found {matters:g}")

    def write(folder: Path, to: Path) -> None:
        share = None if matters is None else matters / 100
        for path in write_report(folder, to, chosen_formats(formats, to), share, allow_mixed):
            say(path)

    if from_mlflow is None:
        if images is not None:
            raise InputError(f"--images {images}: goes with --from-mlflow; runs of your own say where their images are")
        folder = find_named(output, name)
        for line in use_recorded_plugins(folder):  # not what a server records: it may not name code to run here
            say(f"note: {line}", err=True)
        write(folder, out or folder)
        return
    from reid.tracking import TrackingError, download

    try:
        with TemporaryDirectory() as temporary:
            write(download(from_mlflow, name, Path(temporary), images), out or Path(f"{name}-report"))
    except TrackingError as error:
        raise InputError(f"MLflow: {error}") from error
