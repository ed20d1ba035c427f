"""What a result depends on besides its recipe, seed and data: the code that trains, and the machine."""

import hashlib
import os
import platform
import socket
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

import reid

TRAINING_CODE = ("recipe.py", "streams.py", "tricks", "data", "models", "losses", "training", "evaluation")
MODULES = {"pillow": "PIL"}
PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "pillow", "mlflow", "typst", "matplotlib")


@cache
def training_code() -> str:
    """16 hexadecimal digits of the sources that can change a trained weight or a metric.

    The generator of drawn data is left out: what it draws is in the data's fingerprint.
    """
    root = Path(reid.__file__).parent
    files = sorted(
        file for part in TRAINING_CODE for file in [root / part, *(root / part).rglob("*.py")] if file.is_file()
    )
    total = hashlib.sha256()
    for file in files:
        name = file.relative_to(root).as_posix()
        if not name.startswith("data/synthetic/"):
            total.update(f"{name}\n".encode() + file.read_bytes())
    return total.hexdigest()[:16]


def environment(device: torch.device) -> dict[str, Any]:
    """The machine and the packages a run used."""
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES if find_spec(MODULES.get(name, name))},
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "host": socket.gethostname(),
        "reid": reid.__version__,
    }
