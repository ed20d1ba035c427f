"""The pages about training: loss curves and cost."""

from pathlib import Path

from reid.analysis.results import MAIN, Results
from reid.analysis.runs_table import COSTS
from reid.metrics.formatting import number
from reid.metrics.signs import Sign
from reid.report import style
from reid.report.elements import Alert, Figure, Section, Table, Text, centred, left, right, wide
from reid.report.grid import loss_pairs as curves
from reid.report.grid.cells import describe, effect_cells
from reid.store.measured import active_losses, loss_title

MOST_HEIGHT = 8.8  # inches: a figure and its caption fit on a page
MOST_ARMS = 4


def learning_warning(results: Results) -> list[Alert]:
    """For the first page: finished runs that seem to have learnt nothing; nothing where all learnt."""
    finished = results.runs[results.runs["state"] == "finished"]
    found = []
    for words in (sign.words for sign in Sign):
        arms = finished.loc[finished["signs"].str.contains(words, regex=False), "arm"]
        if len(arms):
            named = list(dict.fromkeys(arms))
            more = f" and {len(named) - MOST_ARMS} more" if len(named) > MOST_ARMS else ""
            found.append(
                f"{words} in {len(arms)} of {len(finished)} finished runs ({', '.join(named[:MOST_ARMS])}{more})"
            )
    if not found:
        return []
    return [
        Alert(
            f"{'; '.join(found)}. These runs count with the mAP they reached, as leaving them out would favour what "
            "made them fail: an effect can be the difference between learning and not learning."
        )
    ]


def loss_curves(results: Results, folder: Path) -> Section:
    """Every loss with one factor off and on: BNNeck where the grid has it, else the largest effect."""
    sizes = results.effects[MAIN]["effect"].abs().fillna(0).to_numpy()
    names = [term.name for term in results.terms]
    term = results.terms[names.index("bnneck") if "bnneck" in names else int(sizes.argmax())]
    factor, name = term.factor, results.names[term.factor]
    every = results.plan.factors[factor].levels
    levels = [every[0], every[term.level]]
    title = results.plan.factors[factor].title or name
    shown, unread = curves.pairs(results.grid, results.runs, term)
    notes = [Text(f"Left out: {note}.") for note in unread]
    heading = f"Loss curves: {title}"
    if not shown:
        nothing = Text("No two runs that differ in this factor only have curves yet.")
        return Section(heading, [nothing, *notes])
    others = [other for other in results.plan.factors if other.name != name]
    company = [describe(others, pair.arms[0][:factor] + pair.arms[0][factor + 1 :]) for pair in shown]
    contexts = ["alone" if words == "none" else f"with {words}" for words in company]
    losses = active_losses(curves.runs_of(shown))
    drawing = curves.draw_pairs(shown, losses, contexts, [f"{title} {level}" for level in levels])
    figure = Figure(
        style.save(folder / "curves.svg", min(0.8 + 2 * len(losses), MOST_HEIGHT), drawing),
        f"Loss over iterations with {title} {levels[0]} (dashed) and {levels[1]} (solid): each panel is a pair of "
        "runs of one seed that differ in nothing else. Faint: every few iterations as measured. Bold: moving "
        "average over a fiftieth of the longest run. Axes are shared along a row; the highest 0.5 % of points are "
        "cut. A line that ends early is a run that diverged or is not finished.",
    )
    table = Table(
        [
            wide("In company"),
            left("Level"),
            right("seed"),
            right("iterations"),
            *(right(head) for loss in losses for head in (loss_title(loss), "±")),
        ],
        curves.final_losses(shown, losses, contexts, levels),
        "The last tenth of each curve: mean loss, and its standard deviation around the moving average.",
    )
    return Section(heading, [figure, table, *notes])


def cost(results: Results, folder: Path) -> Section:
    """What quality costs in time and memory."""
    best, _ = results.best
    names = list(results.arms.index)
    arms = {"best arm": best}
    if results.switches:
        arms |= {"none": "0" * len(results.names), "all": "1" * len(results.names)}
    marked = {f"{label} ({arm})": names.index(arm) for label, arm in arms.items() if arm in names}
    rows = [
        [title, *(cell for metric in (MAIN, *COSTS) for cell in effect_cells(results, metric, name)[:2])]
        for name, title in results.titles.items()
    ]
    columns = [
        wide("Factor"),
        right("mAP"),
        centred("95 %"),
        right("seconds"),
        centred("95 %"),
        right("images/s"),
        centred("95 %"),
        right("memory, MB"),
        centred("95 %"),
    ]
    seconds = results.arms["train_seconds"]
    figure = Figure(
        style.save(folder / "cost.svg", 3.9, style.cost(results.arms, marked)),
        "Each point is an arm: mean training time and mean mAP of its finished runs. Up and to the left is "
        "better; the line joins the arms that no other beats on both.",
    )
    table = Table(
        columns,
        rows,
        f"Main effects on mAP (points) and on cost. Training takes {number(seconds.min())} to "
        f"{number(seconds.max())} seconds an arm; times are comparable only where all runs had the machine to "
        "themselves.",
    )
    return Section("Cost against mAP", [figure, table])
