"""Figures of a run and of an arm, inline in their MLflow pages. No pyplot: a thread must not touch global state."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reid.store.measured import SUM, loss_title, loss_values, metric_title, read_curves, smooth, weighted_losses
from reid.store.run_folder import RunFolder
from reid.tracking.downsample import bins, extremes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORES = ("mAP", "rank1", "mINP")


def draw_figures(folder: RunFolder, title: str, to: Path) -> None:
    """Write figures/losses.png and figures/learning.png under `to`, each only if the folder has its numbers."""
    curves, evaluations = folder.curves(), folder.read_evaluations()
    (to / "figures").mkdir()
    if curves is not None and len(curves):
        with _Page(
            to / "figures" / "losses.png", f"{title}: weighted losses", "iteration", "loss", "upper right"
        ) as axes:
            bin_of = bins(curves["epoch"].to_numpy(), int(curves["epoch"].iloc[-1]))
            for column in [*weighted_losses([curves]), SUM]:
                kept = curves.iloc[extremes(curves[column].to_numpy(), bin_of)]
                if len(kept):
                    axes.plot(kept["iteration"], kept[column], label=loss_title(column), linewidth=1)
    if evaluations:
        with _Page(to / "figures" / "learning.png", f"{title}: evaluations", "epoch", "%", "lower right") as axes:
            epochs = [evaluation.epoch for evaluation in evaluations]
            for score in SCORES:
                values = [100 * evaluation.model_dump()[score] for evaluation in evaluations]
                axes.plot(epochs, values, marker="o", label=metric_title(score))


def draw_arm(folders: Sequence[RunFolder], title: str, to: Path) -> None:
    """Write figures/losses.png of an arm under `to`: every weighted loss, a line a seed, smoothed over raw."""
    (to / "figures").mkdir()
    runs = read_curves(folders)
    page = _Page(to / "figures" / "losses.png", f"{title}: weighted losses by seed", "iteration", "loss", "upper right")
    with page as axes:
        for number, column in enumerate(weighted_losses(runs)):
            color = f"C{number}"
            for seed, curves in enumerate(runs):
                values = loss_values(curves, column)
                bold = smooth(values, max(1, len(values) // 50))
                kept = extremes(values.to_numpy(), bins(curves["epoch"].to_numpy(), int(curves["epoch"].iloc[-1])))
                axes.plot(curves["iteration"].iloc[kept], values.iloc[kept], color=color, linewidth=0.4, alpha=0.3)
                every = slice(None, None, max(1, len(bold) // 300))
                label = None if seed else loss_title(column)
                axes.plot(curves["iteration"][every], bold[every], color=color, label=label)


class _Page:
    """``with _Page(path, …) as axes: axes.plot(…)`` writes one PNG."""

    def __init__(self, path: Path, title: str, x: str, y: str, corner: Literal["upper right", "lower right"]) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.path = path
        self.corner = corner
        self.figure = Figure(figsize=(8, 4.5), dpi=80)
        self.figure.subplots_adjust(0.09, 0.11, 0.98, 0.92)  # a layout engine would draw everything twice
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_subplot(title=title, xlabel=x, ylabel=y)

    def __enter__(self) -> "Axes":
        return self.axes

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.axes.grid(alpha=0.3)
            self.axes.legend(loc=self.corner)  # "best" would cost as much as the drawing
            self.figure.savefig(self.path, pil_kwargs={"compress_level": 1})
