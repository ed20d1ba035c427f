"""Tables that others have published, as files of this folder."""

from pathlib import Path

import pandas as pd


def published_table(name: str) -> pd.DataFrame:
    """The table `name`.csv of this folder."""
    return pd.read_csv(Path(__file__).parent / f"{name}.csv")


def published_ladder(name: str) -> pd.DataFrame:
    """A cumulative table of Luo et al. 2019 by the trick that each row adds; "none" is the first row."""
    return published_table(name).set_index("trick")
