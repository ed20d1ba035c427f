"""The page on the two feature spaces: ranking, clusters and verification in each, and a picture of them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from reid.analysis.results import Results
from reid.files import DamagedFileError
from reid.metrics.formatting import MISSING
from reid.report import style
from reid.report.elements import Element, Figure, Section, Table, left, right, wide
from reid.report.loss_panels import arms_shown
from reid.report.style import BLACK
from reid.store.run_records import ResultRecord

Floats = NDArray[np.float64]
FEATURES = {"before": "f_t", "after": "f_i"}
METRICS = ("euclidean", "cosine")
CLUSTERS = {
    "intra": "to centre",
    "inter": "between",
    "ratio": "ratio",
    "silhouette": "silhouette",
    "davies_bouldin": "Davies–Bouldin",
    "tpr_at_fpr": "TPR*",
    "eer": "EER",
}
MEASURES = (*CLUSTERS, *(f"mAP_{feature}_{metric}" for feature in FEATURES for metric in METRICS))  # columns of runs
MARKERS = "os^Dv<>Pph*X"


def spaces_section(results: Results, folder: Path) -> list[Section]:
    """Feature and metric, clusters, and the picture; no page where no finished run of a shown arm has them."""
    shown = arms_shown(results)
    found = {arm: runs for arm in shown if (runs := read_arm(results, arm))}
    if not found:
        return []
    pictures = {title: stored for arm, title in shown.items() if (stored := embeddings(results, arm)) is not None}
    content: list[Element] = [space_table(found, shown)]
    if pictures:
        content.append(
            Figure(
                style.save(folder / "spaces.svg", 5.4, draw_spaces(pictures)),
                "The same test identities in both spaces, a colour and mark each; one seed. Upper rows: the first two "
                "principal components of f_t and of f_i. Lower row: directions of f_i, its unit vectors seen along "
                "their two main axes: what a cosine sees.",
            )
        )
    return [Section("The two feature spaces", content)]


def read_arm(results: Results, arm: str) -> list[ResultRecord]:
    """The results of an arm's finished runs that hold the spaces."""
    runs = results.runs[(results.runs["arm"] == arm) & (results.runs["state"] == "finished")]
    read = [results.grid.run(signature).read_result() for signature in runs["signature"]]
    return [result for result in read if result and result.spaces]


def space_table(found: Mapping[str, list[ResultRecord]], titles: Mapping[str, str]) -> Table:
    """A row an arm and space: ranking and cluster measures, means over seeds. Without a neck f_i is f_t."""
    rows = []
    for arm, runs in found.items():
        for feature, metric in ((feature, metric) for feature in FEATURES for metric in METRICS):
            space = f"{feature}_{metric}"
            if feature == "after" and all(run.spaces[space] == run.spaces[f"before_{metric}"] for run in runs):
                continue
            scores = [run.spaces[space] for run in runs]
            ranked = [np.mean([score.mAP for score in scores]), np.mean([score.rank1 for score in scores])]
            clusters = [_mean([run.clusters[space][name] for run in runs]) for name in CLUSTERS]
            rows.append([arm, FEATURES[feature], metric, *(f"{100 * value:.1f}" for value in ranked), *clusters])
    heads = [right("mAP, %"), right("rank-1, %"), *(right(title) for title in CLUSTERS.values())]
    return Table(
        [wide("Arm"), left("Feature"), left("Distance"), *heads],
        rows,
        "Each feature under each distance, means over seeds: ranking; mean distance of test images to the centre of "
        "their identity, between centres, and the ratio of the two (lower is tighter); silhouette (higher is better); "
        "Davies–Bouldin (lower), of large test sets by a sample that all runs share; and verification of pairs across "
        "cameras: TPR* at a false-positive rate of 0.1 %, "
        "equal error rate. Arms: " + "; ".join(f"{arm} {titles[arm]}" for arm in found) + ".",
    )


def _mean(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.3f}".replace("-", "−") if known else MISSING


def embeddings(results: Results, arm: str) -> dict[str, Floats] | None:
    """Features of the pictured identities from the arm's finished run of the lowest seed, or None."""
    runs = results.runs[(results.runs["arm"] == arm) & (results.runs["state"] == "finished")].sort_values("seed")
    for signature in runs["signature"]:
        with suppress(DamagedFileError):  # the next run shows the arm as well
            if stored := results.grid.run(signature).embeddings():
                return stored
    return None


def draw_spaces(pictures: Mapping[str, Mapping[str, Floats]]) -> Callable[[Canvas], None]:
    """A column an arm; f_t, f_i, and the directions of f_i."""

    def draw(figure: Canvas) -> None:
        grid = figure.subplots(3, len(pictures), squeeze=False)
        for column, (title, stored) in zip(grid.T, pictures.items(), strict=True):
            views = {
                "f_t": plane(stored["before"], centred=True),
                "f_i": plane(stored["after"], centred=True),
                "f_i, directions": directions(stored["after"]),
            }
            for axes, (name, points) in zip(column, views.items(), strict=True):
                _scatter(axes, points, stored["identities"])
                axes.set_ylabel(name)
            turn = np.linspace(0, 2 * np.pi, 100)
            column[-1].plot(np.cos(turn), np.sin(turn), color=BLACK, linewidth=0.4, zorder=0)
            column[0].set_title("\n".join(_wrapped(title)))

    return draw


def _scatter(axes: Axes, points: Floats, identities: Floats) -> None:
    import matplotlib as mpl

    colours = mpl.colormaps["tab20"].colors  # type: ignore[attr-defined]
    for i, identity in enumerate(np.unique(identities)):
        x, y = points[identities == identity].T
        style = {"color": colours[2 * i % 20], "marker": MARKERS[i % len(MARKERS)], "linewidth": 0}
        axes.plot(x, y, markersize=3, alpha=0.85, **style)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", "datalim")
    axes.grid(visible=False)


def _wrapped(title: str, width: int = 22) -> list[str]:
    """A title in lines of about `width` characters."""
    lines = [""]
    for word in title.split():
        lines += [""] if len(lines[-1]) + len(word) > width else []
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def plane(features: Floats, centred: bool) -> Floats:
    """Features (N, D) on their two main axes (N, 2), principal components if centred; the sign of an axis is fixed."""
    wide = features.astype(np.float64)
    axes = np.linalg.svd(wide - wide.mean(0) if centred else wide, full_matrices=False)[2][:2]
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
    points: Floats = (wide - wide.mean(0) if centred else wide) @ axes.T
    return points


def directions(features: Floats) -> Floats:
    """Unit vectors of features (N, D) in the plane of their two main axes (N, 2): within the unit circle, at its edge
    where the plane holds the whole direction."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return plane(features / np.where(lengths > 0, lengths, 1), centred=False)
