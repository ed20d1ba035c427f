"""`python matlab_values.py FILE NAME...`: variables of a MATLAB file as JSON, each a list of its cells in order.

Runs as a process of its own: scipy's parser ends its process on some broken files, which no exception tells.
"""

import json
import sys
from typing import Any

import numpy as np
from scipy.io import loadmat


def plain(value: Any) -> Any:
    """A cell of text as a string, a number as a number; MATLAB's doubles that are whole as integers."""
    if isinstance(value, np.ndarray):
        value = np.squeeze(value).tolist()
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    file, *names = sys.argv[1:]
    content = loadmat(file)
    json.dump({name: [plain(value) for value in np.ravel(content[name]).tolist()] for name in names}, sys.stdout)
