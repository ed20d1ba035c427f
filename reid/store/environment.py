"""The machine and the packages that a result depends on."""

import os
import platform
import socket
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import torch

import reid

MODULES = {"pillow": "PIL"}
PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "pillow", "mlflow", "typst", "matplotlib")


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
