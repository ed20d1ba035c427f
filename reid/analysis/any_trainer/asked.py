"""What a user says of a table of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reid.errors import InputError
from reid.metrics.spec import spec_of

METRIC = "outcome"  # the metric's column in the analysis: a name without a unit
ERRORS = ("loss", "error", "err", "wer", "cer", "mae", "mse", "rmse", "fid", "eer", "perplexity", "ppl")
COSTS = ("latency", "seconds", "time", "duration", "memory", "cost")


@dataclass(frozen=True)
class Asked:
    """What a user says of a table: names of columns, words of its states that count as finished, base levels."""

    factors: Sequence[str]
    metric: str
    seed: str | None = None
    state: str | None = None
    finished: Sequence[str] = ()
    base: Mapping[str, str] = field(default_factory=dict)
    higher_is_better: bool | None = None

    @property
    def more_is_better(self) -> bool:
        """Whether more of the metric is better: as said, as registered, else yes unless its name speaks of a cost."""
        if self.higher_is_better is not None:
            return self.higher_is_better
        spec = spec_of(self.metric)
        if spec is not None and spec.higher_is_better is not None:
            return spec.higher_is_better
        words = self.metric.casefold().replace("_", " ").replace("/", " ").replace(".", " ").replace("-", " ").split()
        if cost := next((word for word in words if word in ERRORS + COSTS), None):
            raise InputError(
                f"--metric {self.metric}: a {cost} may be better lower; say --lower-is-better or --higher-is-better"
            )
        return True
