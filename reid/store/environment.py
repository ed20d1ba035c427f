"""The machine and the packages that a result depends on."""

import os
import platform
import socket
from importlib.metadata import version
from importlib.util import find_spec

import torch

import reid
from reid.store.run_records import Environment

MODULES = {"pillow": "PIL"}
PACKAGES = ("torch", "torchvision", "timm", "numpy", "pandas", "pillow", "mlflow", "typst", "matplotlib")


def current_environment(device: torch.device) -> Environment:
    """The machine and the packages a run used."""
    return Environment(
        python=platform.python_version(),
        packages={name: version(name) for name in PACKAGES if find_spec(MODULES.get(name, name))},
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        processor=platform.processor() or platform.machine(),
        threads=torch.get_num_threads(),
        cores=os.cpu_count(),
        host=socket.gethostname(),
        reid=reid.__version__,
    )
