"""The saved views of a study's experiment, as reid/tracking/grid_views.py has them for a grid."""

from reid.tracking.grid_views import STATE, State, line_chart, links_to, runs_page, tags_of
from reid.tracking.keys import key
from reid.tracking.study.payload import StudyFolder

TRIALS = "tags.`reid.kind` = 'trial'"


def trials_view(study: StudyFolder) -> State:
    """Trials in order of the first objective, with the values of their knobs."""
    return runs_page(
        {**_results(study), **_knobs(study), **STATE},
        searchFilter=TRIALS,
        orderByKey=next(iter(_results(study))),
        orderByAsc=study.record.objectives[0].direction == "minimize",
    )


def charts_view(study: StudyFolder) -> State:
    """Parallel coordinates of the knobs, and how the trials learn."""
    first = study.record.metrics[0]
    final = key(f"final/{first}")
    cards: list[State] = [
        {
            "type": "PARALLEL",
            "displayName": f"Knobs and {first}",
            "selectedParams": [key(knob.name) for knob in study.record.knobs],
            "selectedMetrics": [final],
            "showAllRuns": True,
        },
        line_chart(f"{first} on validation identities", key(f"val/{first}")),
        {"type": "BAR", "displayName": f"{first} by trial", "metricKey": final},
    ]
    common = {"metricSectionId": "reid", "deleted": False, "isGenerated": False, "runsCountToCompare": 500}
    section = {
        "uuid": "reid",
        "name": study.record.name,
        "display": True,
        "isGenerated": False,
        "columns": 3,
        "cardHeight": 300,
    }
    return runs_page(
        {**STATE, **_results(study)},
        searchFilter=TRIALS,
        compareRunCharts=[{"uuid": f"reid-{index}", **common, **card} for index, card in enumerate(cards)],
        compareRunSections=[{"isReordered": False, "deleted": False, **section}],
        isAccordionReordered=True,
    )


VIEWS = {"trials": ("Trials", trials_view), "charts": ("Charts", charts_view)}


def study_view_tags(study: StudyFolder) -> dict[str, str]:
    """The experiment tags that make the saved views of a study."""
    return tags_of(study.record.created, {key: (name, make(study)) for key, (name, make) in VIEWS.items()})


def study_links(base: str, experiment: str) -> dict[str, str]:
    """Address of both views of a study by name."""
    return links_to(base, experiment, {key: name for key, (name, _) in VIEWS.items()})


def _results(study: StudyFolder) -> dict[str, int]:
    return {f"metrics.`{key(f'final/{metric}')}`": 100 for metric in study.record.metrics}


def _knobs(study: StudyFolder) -> dict[str, int]:
    return {f"params.`{key(knob.name)}`": 110 for knob in study.record.knobs}
