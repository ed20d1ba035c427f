"""What a study looks like in a terminal: a live board on a TTY, a line an event elsewhere."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reid.cli.views.grid_terminal import TerminalView
from reid.cli.views.status_table import clock
from reid.store.study import ComparisonRecord, KnobRecord, KnobValue, StudyRecord, TrialRecord, TrialState
from reid.studies.forecast import StudyForecast
from reid.studies.launch import Outcome
from reid.studies.search import SearchStatus
from reid.studies.study_file import EVALUATED

COLOURS = {
    TrialState.COMPLETE: "green",
    TrialState.PRUNED: "yellow",
    TrialState.FAILED: "red",
    TrialState.RUNNING: "cyan",
    TrialState.WAITING: "dim",
}
SHOWN = 12


class StudyTerminal(TerminalView):
    """A terminal view that shows searches too."""

    def search(self, status: SearchStatus, ended: TrialRecord | None) -> None:
        """Redraw the board; without a TTY print a line where a trial ended."""
        if self.live is not None:
            if not self.live.is_started:
                self.live.start()
            self.live.update(self._render_search(status), refresh=True)
        elif ended is not None:
            line = f"[{status.over()}/{status.study.trials}] {trial_line(ended, status.study.metrics)}"
            self._print(line)

    def end_study(self, outcome: Outcome) -> None:
        """What came of it."""
        if self.live is not None:
            self.live.stop()
        for line in closing(outcome)[0]:
            self._print(line)

    def _print(self, line: str) -> None:
        self.console.print(line, soft_wrap=True)

    def _render_search(self, status: SearchStatus) -> Group:
        study, counts = status.study, status.counts()
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(f"study {study.name}", style="bold"),
            ProgressBar(total=study.trials, completed=status.over(), width=32),
            f"{status.over()}/{study.trials}",
            Text("  ").join(Text(f"{state} {count}", style=COLOURS[state]) for state, count in counts.items()),
            f"ETA {clock(status.remaining_seconds())}",
        )
        running = Table("trial", "epoch", "mAP", *[knob.name for knob in study.knobs], title="training", box=None)
        for trial in (trial for trial in status.trials if trial.state == TrialState.RUNNING):
            now = status.progress.get(trial.runs[-1].signature) if trial.runs else None
            mAP = now.scores.mAP if now and now.scores else None
            epoch = str(now.epoch if now else 0)
            running.add_row(str(trial.number), epoch, shown("mAP", mAP), *_knobs(trial, study.knobs))
        best = Table("trial", *study.metrics, *[knob.name for knob in study.knobs], title="best so far", box=None)
        for trial in study.ranked(status.trials)[:SHOWN]:
            best.add_row(str(trial.number), *_values(trial, study.metrics), *_knobs(trial, study.knobs))
        notices = [Text(notice, style="dim") for notice in status.notices]
        return Group(head, running, best, *notices, *([Text(self.warning, style="yellow")] if self.warning else []))


def trial_line(trial: TrialRecord, metrics: Sequence[str]) -> str:
    """One trial in one line."""
    parts = [f"trial {trial.number}", trial.state.value]
    if trial.values is not None:
        parts += [f"{metric} {value}" for metric, value in zip(metrics, _values(trial, metrics), strict=True)]
    parts += [f"{name} {_word(value)}" for name, value in trial.params.items()]
    return "  ".join([*parts, *([trial.reason.splitlines()[0]] if trial.reason else [])])


def trials_table(study: StudyRecord, trials: Sequence[TrialRecord]) -> Table:
    """Every trial with its state, for `reid tune --status`."""
    best = study.best(trials)
    table = Table("trial", "state", *study.metrics, *[knob.name for knob in study.knobs], "seeds", "reason", box=None)
    for trial in trials:
        state = "best" if trial == best else trial.state.value
        table.add_row(
            str(trial.number), Text(state, style=COLOURS[trial.state]), *_values(trial, study.metrics),
            *_knobs(trial, study.knobs), str(len(trial.runs)), trial.reason.splitlines()[0] if trial.reason else "",
        )  # fmt: skip
    return table


def counts_text(trials: Sequence[TrialRecord]) -> str:
    """Trials by state in words."""
    return ", ".join(f"{count} {state}" for state, count in Counter(trial.state for trial in trials).items())


def closing(outcome: Outcome) -> tuple[list[str], int]:
    """What a launch of a study says in the end, and its exit code."""
    study = outcome.study
    lines = [f"study {study.name}: " + ", ".join(f"{count} {state}" for state, count in outcome.trials.items())]
    if outcome.best is not None:
        lines.append(f"best on validation identities: {trial_line(outcome.best, study.metrics)}")
    if outcome.comparison is not None:
        lines += comparison_lines(outcome.comparison)
    if outcome.gave_up:
        return [*lines, outcome.gave_up], 1
    if outcome.stopped:
        return [*lines, "stopped before the end; the same command goes on from here"], 130
    if outcome.best is None:
        why = f"no trial is complete, so there is no winner: `reid tune --status {study.name}` says why"
        return [*lines, why], 1
    if outcome.elsewhere:
        return [*lines, "another process compares the winner with the defaults"], 0
    return lines, 0


def comparison_lines(found: ComparisonRecord) -> list[str]:
    """The winner against the defaults, on the test set."""
    if found.winner.runs == found.defaults.runs:
        flattered = _gap(found.metric, found.optimism)
        return [f"the paper's defaults won, so nothing is gained; the search flattered them by {flattered}"]
    difference = _gap(found.metric, found.difference)
    gain = f"winner minus defaults on the test set, {found.pairs} pairs of fresh seeds: {difference}"
    if found.low is not None:
        gain += f" (95 % interval {_gap(found.metric, found.low)} to {_gap(found.metric, found.high)}, p {found.p:.2g})"
    elif found.by_ranks:
        gain += f" (p {found.p:.2g} by ranks, a diverged run the worst)"
    lines = [gain, f"the search flattered its winner by {_gap(found.metric, found.optimism)}"]
    return [found.divergence, *lines] if found.divergence else lines


def forecast_lines(forecast: StudyForecast) -> list[str]:
    """What `reid tune --dry-run` prints."""
    hours = forecast.slot_hours
    shared = f", and {forecast.rankings} that share one of them" if forecast.rankings else ""
    ranking = f", {forecast.seconds_a_ranking:.2g} s an evaluation of a shared one" if forecast.rankings else ""
    return [
        f"trials       {forecast.trials} to go, {forecast.over} over; {forecast.seeds} seeds each",
        f"search       {forecast.trainings} trainings at most{shared}",
        f"comparison   {forecast.compared} runs on fresh seeds: winner, defaults, and the winner validated again",
        f"time         {clock(hours / forecast.slots * 3600)} on {forecast.slots} slots, {hours:.1f} slot hours to go; "
        f"{forecast.seconds_a_run:.0f} s a run from {forecast.source}{ranking}",
    ]


def shown(metric: str, value: float | None) -> str:
    """Fractions in per cent with one decimal; other metrics as they are."""
    if value is None:
        return ""
    return f"{100 * value:.1f}" if metric in EVALUATED else f"{value:.3g}"


def _gap(metric: str, value: float | None) -> str:
    if value is None:
        return "an unknown amount"
    return f"{100 * value:+.1f} points of {metric}" if metric in EVALUATED else f"{value:+.3g} {metric}"


def _values(trial: TrialRecord, metrics: Sequence[str]) -> list[str]:
    return [shown(metric, value) for metric, value in zip(metrics, trial.values or [None] * len(metrics), strict=False)]


def _knobs(trial: TrialRecord, knobs: Sequence[KnobRecord]) -> list[str]:
    return [_word(trial.params.get(knob.name)) for knob in knobs]


def _word(value: KnobValue) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
