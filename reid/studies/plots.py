"""Optuna's own plots of a study, for MLflow. The report draws its own."""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState


def draw_plots(study: optuna.Study, metrics: list[str], folder: Path) -> None:
    """Write history, slices, parallel coordinates, and intermediate values or the Pareto front, as PNG under `folder`.

    A study without a complete trial has nothing to plot.
    """
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return
    import matplotlib as mpl
    from matplotlib import pyplot as plt
    from optuna.visualization import matplotlib as plots

    folder.mkdir(exist_ok=True)
    drawn: dict[str, Callable[[], Any]] = {}
    for number, metric in enumerate(metrics):
        target = partial(_value, number) if len(metrics) > 1 else None
        for name, plot in (
            ("history", plots.plot_optimization_history),
            ("slices", plots.plot_slice),
            ("parallel", plots.plot_parallel_coordinate),
        ):
            drawn[f"{name}-{metric}"] = partial(plot, study, target=target, target_name=metric)
    if len(metrics) > 1:
        drawn["front"] = partial(plots.plot_pareto_front, study, target_names=metrics)
    else:
        drawn["intermediate"] = partial(plots.plot_intermediate_values, study)
    with warnings.catch_warnings(), mpl.rc_context():  # they set a global style, and warn that they are experimental
        warnings.simplefilter("ignore")
        mpl.use("agg")
        for name, draw in drawn.items():
            draw()
            plt.gcf().savefig(folder / f"{name}.png", dpi=100, bbox_inches="tight")
            plt.close("all")


def _value(number: int, trial: FrozenTrial) -> float:
    return float(trial.values[number])
