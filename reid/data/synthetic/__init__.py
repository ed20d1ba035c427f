"""A drawn pedestrian data set in Market-1501's layout: for demonstrations and tests where no real data may be had."""

from reid.data.synthetic.spec import SyntheticSpec
from reid.data.synthetic.write import synthesize

__all__ = ["SyntheticSpec", "synthesize"]
