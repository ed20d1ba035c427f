"""What this machine has of what reid needs, and whether it works."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pwd import getpwuid
from tempfile import TemporaryDirectory

import reid
from reid.execution.devices import usable_cores
from reid.store.fingerprint import training_code

LIBRARIES = ("numpy", "pandas", "pillow", "matplotlib", "optuna", "pydantic")
EXTRAS = {"timm": "timm", "ray": "ray", "submitit": "slurm", "psycopg": "postgresql"}
LEAST_BYTES = 10**9  # free on a disk: below it a training soon stops


@dataclass(frozen=True)
class Part:
    """A part of the environment: what was found, and what is wrong with it, if anything."""

    name: str
    found: str
    problem: str = ""


def parts(output: Path) -> Iterator[Part]:
    """Everything that reid needs here, in the order in which it matters."""
    yield Part("reid", f"{reid.__version__}, training code {training_code()}")
    yield Part("python", f"{platform.python_version()} at {sys.executable}")
    yield Part("system", f"{platform.platform()}, {usable_cores()} usable cores")
    yield _user()
    yield from _torch()
    for name in LIBRARIES:
        yield Part(name, version(name))
    yield _checked("MLflow", _mlflow)
    yield _checked("typst", _typst)
    for name, extra in EXTRAS.items():
        yield Part(name, _version(name) or f"not installed; needed for the extra {extra} only")
    yield _disk(output)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _checked(name: str, check: Callable[[], str]) -> Part:
    """A part that is tried out: whatever it raises is what is wrong with it."""
    try:
        return Part(name, check())
    except Exception as error:
        words = " ".join(str(error).split()) or type(error).__name__
        return Part(name, _version(name.lower()) or "not installed", f"does not work: {words[:200]}")


def _user() -> Part:
    try:
        name = getpwuid(os.getuid()).pw_name
    except KeyError:
        name = "without a name here"
    return Part("user", f"{os.getuid()} {name}, text is {sys.getfilesystemencoding()}")


def _torch() -> Iterator[Part]:
    import torch

    yield Part("torch", f"{torch.__version__}, torchvision {version('torchvision')}")
    if not torch.cuda.is_available():
        built = torch.version.cuda
        driver = built and shutil.which("nvidia-smi")
        problem = "there is a driver, but torch cannot use it" if driver else ""
        found = f"none found; torch is built for CUDA {built}" if built else "none: torch is for CPUs"
        yield Part("CUDA", found, problem)
        return
    for index in range(torch.cuda.device_count()):
        yield _checked(f"GPU {index}", partial(_gpu, index))


def _gpu(index: int) -> str:
    import torch

    free, whole = torch.cuda.mem_get_info(index)
    total = float(torch.ones(1024, device=f"cuda:{index}").sum())
    assert total == 1024, "it adds wrongly"
    name = torch.cuda.get_device_name(index)
    return f"{name}, CUDA {torch.version.cuda}, {free / 1e9:.1f} of {whole / 1e9:.1f} GB free"


def _mlflow() -> str:
    from reid.tracking.grid_views import TESTED, untested

    found = untested()
    return f"{found}; saved views need {' or '.join(TESTED)}" if found else version("mlflow")


def _typst() -> str:
    """Set a line in the report's font."""
    import typst

    from reid.report.style import FONTS

    if not (FONTS / "DejaVuSans.ttf").is_file():
        raise FileNotFoundError(f"no DejaVuSans.ttf in {FONTS}; install matplotlib whole")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "line.typ"
        file.write_text('#set text(font: "DejaVu Sans", fallback: false)\nmAP ± 95 %', encoding="utf-8")
        typst.compile(file, font_paths=[FONTS], ignore_system_fonts=True, format="pdf")
    return f"{version('typst')}, fonts in {FONTS}"


def _disk(output: Path) -> Part:
    """The disk that the output folder is on, or will be."""
    place = output.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free for {output}"
    if not os.access(place, os.W_OK):
        return Part("disk", found, f"{place} cannot be written; give another --output")
    return Part("disk", found, f"less than {LEAST_BYTES / 1e9:.0f} GB" if free < LEAST_BYTES else "")
