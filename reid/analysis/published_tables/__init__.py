"""Tables that others have published, as files of this folder."""

from pathlib import Path

import pandas as pd


def published_table(name: str) -> pd.DataFrame:
    """The table `name`.csv of this folder."""
    return pd.read_csv(Path(__file__).parent / f"{name}.csv")
