"""Looks at a grid that grows by batches: what is decided so far, and whether another batch is worth its runs.

A sign is called against bounds that spend 5 % over all looks, shared after Holm among the factors that have none yet
(Maurer and Bretz 2013); that an effect does not matter, against bounds that spend 2.5 % a side for every factor. Once
called, a factor stays called. docs/decisions/0022 says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from reid.analysis.verdict import LEVEL, Kind, Scale
from reid.statistics.inference import Inference, holm, simultaneous
from reid.statistics.linear_model import analyse
from reid.statistics.spending import bound
from reid.store.looks import FactorLook, LookRecord

Stop = Literal["", "decided", "narrow", "at_most"]


@dataclass(frozen=True)
class StopRule:
    """When a grid has enough: every factor decided, or, with `half_width`, every interval as narrow as that.

    `matters` and `half_width` in units of the metric; `at_most` in runs, whole batches.
    """

    matters: float | None
    half_width: float | None
    at_most: int


def take_look(
    table: pd.DataFrame,
    factors: Sequence[str],
    metric: str,
    rule: StopRule,
    batch: int,
    earlier: Sequence[LookRecord],
) -> LookRecord:
    """The look at all batches of `batch` runs launched so far, each with a seed of its own.

    `table` is tidy (see `read_runs`); diverged and failed runs are rows of it and count as batches but not as numbers.
    `earlier` are the looks before this one. The same table and looks give the same look.
    """
    batches = int(table["seed"].nunique())
    analysis = analyse(table, factors, metric, lenient=False)
    found = analysis.infer_main()
    names = [term.name for term in analysis.coding.terms]
    scale = Scale.of(metric, rule.matters)
    looks: dict[str, FactorLook]
    if rule.half_width is not None:
        critical, looks = _by_width(names, found, scale)
        halves = [(look.high - look.low) / 2 for look in looks.values()]
        done: Stop = "narrow" if max(halves) <= rule.half_width else ""
    else:
        shares = tuple(count * batch / rule.at_most for count in (*(look.batches for look in earlier), batches))
        before = earlier[-1].factors if earlier else {}
        critical, looks = _by_bounds(names, found, scale, shares, before)
        done = "decided" if all(_is_decided(look.kind) for look in looks.values()) else ""
    states = table["state"].value_counts()
    return LookRecord(
        look=len(earlier) + 1,
        batches=batches,
        runs=int(((table["state"] == "finished") & table[metric].notna()).sum()),
        diverged=int(states.get("diverged", 0)),
        failed=int(states.get("failed", 0)),
        critical=critical,
        factors=looks,
        stop=done or ("at_most" if batches * batch >= rule.at_most else ""),
    )


def as_looked(effects: pd.DataFrame, last: LookRecord, scale: Scale) -> pd.DataFrame:
    """Effects (see `reid.analysis.effects`) as the last look tells them, whatever came in since: its intervals and
    kinds hold over all looks. There is no p beside them: that of one look does not count the others.
    """
    found = effects.copy()
    for name, look in last.factors.items():
        found.loc[name, ["effect", "low", "high"]] = look.effect, look.low, look.high
        found.loc[name, ["p", "p_holm"]] = np.nan
        found.loc[name, ["kind", "verdict"]] = Kind(look.kind), _words(look, last, scale)
    return found.replace({"low": -np.inf, "high": np.inf}, np.nan)


def _words(look: FactorLook, last: LookRecord, scale: Scale) -> str:
    kind = Kind(look.kind)
    if kind.has_sign or kind is Kind.NO_EFFECT:
        return scale.words(kind, look.low, look.high)
    if kind is Kind.NOT_ESTIMABLE:
        return "not estimable from the batches so far"
    return f"cannot tell within {last.runs} runs" if last.stop else "cannot tell yet - another batch follows"


def _is_decided(kind: str) -> bool:
    return Kind(kind).has_sign or kind == Kind.NO_EFFECT


def _by_width(names: Sequence[str], found: Inference, scale: Scale) -> tuple[float, dict[str, FactorLook]]:
    """Ordinary simultaneous intervals: a rule that does not look at the effects leaves them valid."""
    low, high = simultaneous(found)
    adjusted = holm(found.p)
    looks = {}
    for i, name in enumerate(names):
        verdict = scale.call(float(found.effect[i]), float(low[i]), float(high[i]), float(adjusted[i]))
        looks[name] = _look(found.effect[i], low[i], high[i], verdict.kind)
    return _critical(found, high), looks


def _by_bounds(
    names: Sequence[str], found: Inference, scale: Scale, shares: tuple[float, ...], before: dict[str, FactorLook]
) -> tuple[float, dict[str, FactorLook]]:
    """Repeated intervals, and the kinds that they and the looks before decide."""
    kinds = {name: Kind(before[name].kind) if name in before else Kind.UNDECIDED for name in names}
    ratio = np.abs(found.effect) / found.error
    while open_ := [i for i, name in enumerate(names) if not kinds[name].has_sign]:
        called = [
            i
            for i in open_
            if kinds[names[i]] is not Kind.NO_EFFECT
            and ratio[i] > bound(shares, LEVEL / len(open_), float(found.df[i]))
        ]
        if not called:
            break
        for i in called:
            kinds[names[i]] = scale.sign(bool(found.effect[i] > 0))
    looks, halves = {}, np.full(len(names), np.nan)
    for i, name in enumerate(names):
        effect, error, df = (float(values[i]) for values in (found.effect, found.error, found.df))
        if not error > 0:
            kind = kinds[name] if _is_decided(kinds[name]) else Kind.NOT_ESTIMABLE
            looks[name] = _look(effect, -np.inf, np.inf, kind)
            continue
        halves[i] = bound(shares, LEVEL / len(names), df) * error
        alone = bound(shares, LEVEL, df) * error
        low, high = effect - halves[i], effect + halves[i]
        if kinds[name] in (Kind.UNDECIDED, Kind.NOT_ESTIMABLE):
            within = scale.matters is not None and max(alone - effect, effect + alone) < scale.matters
            kinds[name] = Kind.NO_EFFECT if within else Kind.UNDECIDED
        if kinds[name] is Kind.NO_EFFECT and scale.matters is not None:
            low, high = max(effect - alone, -scale.matters), min(effect + alone, scale.matters)
        elif kinds[name].has_sign:
            up = kinds[name] is scale.sign(up=True)
            low, high = (max(low, 0.0), max(high, 0.0)) if up else (min(low, 0.0), min(high, 0.0))
        looks[name] = _look(effect, low, high, kinds[name])
    return _critical(found, found.effect + halves), looks


def _critical(found: Inference, high: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    """The largest bound in use, over the standard error."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = (high - found.effect) / found.error
    known = ratios[np.isfinite(ratios)]
    return float(known.max()) if len(known) else np.inf


def _look(effect: float, low: float, high: float, kind: Kind) -> FactorLook:
    known = np.isfinite(effect)
    return FactorLook(
        effect=float(effect) if known else 0.0,
        low=float(low) if known and np.isfinite(low) else -np.inf,
        high=float(high) if known and np.isfinite(high) else np.inf,
        kind=str(kind),
    )
