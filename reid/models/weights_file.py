"""Weights from a file that somebody else wrote: opened without running anything in it."""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reid.errors import InputError

WRAPPERS = ("state_dict", "model")  # what training scripts call the state dict among other things they save


def read_weights(file: Path, key: str) -> dict[str, Tensor]:
    """The tensors of a state dict by name, on the CPU; "module.", which DataParallel puts first, is taken off.

    The dict may lie under "state_dict" or "model" in the file. Raises InputError that begins with `key` where the file
    is absent, unreadable, holds pickled objects (a whole nn.Module, say: opening it could run any code) or no tensors.
    """
    if not file.is_file():
        raise InputError(f"{key}: no such file {file}; give the path of a state dict")
    if what := _something_else(file):
        raise InputError(f"{key}: {file} {what}")
    try:
        with warnings.catch_warnings(action="ignore"):  # on the pickle protocol
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        if isinstance(error, pickle.UnpicklingError):
            raise InputError(
                f"{key}: {file} holds pickled Python objects, which could run code when opened; "
                "save the model's state_dict() and give that"
            ) from error
        raise InputError(f"{key}: {file} is not a file that torch.save wrote whole; give a state dict") from error
    return _tensors(content, f"{key}: {file}")


def _something_else(file: Path) -> str | None:
    """What a file is that is no weights, and what to do about it; None where it may be weights."""
    with file.open("rb") as opened:
        begin = opened.read(1024)
    if not begin:
        return "is empty; copy or download it again"
    if begin.startswith(b"version https://git-lfs"):
        return "is a pointer of git-lfs and not the weights; `git lfs pull` fetches them"
    if begin.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "is a web page, which a server sent instead of the weights; download it again, by the link to the file"
    if begin.startswith(b"PK") and not zipfile.is_zipfile(file):
        return f"is cut off after {file.stat().st_size:,} bytes; copy or download it again"
    if not begin.startswith((b"PK", b"\x80")) and b"ustar" not in begin:
        return "is not a file that torch.save wrote; give a state dict"
    return None


def _tensors(content: Any, origin: str) -> dict[str, Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not (isinstance(content, dict) and content):
        raise InputError(f"{origin}: must hold a state dict, found {type(content).__name__}")
    for name, value in content.items():
        if isinstance(value, Tensor) and not torch.isfinite(value).all():
            raise InputError(
                f"{origin}: {name} has values that are not finite: its training diverged; give weights of before that"
            )
        if not (isinstance(name, str) and isinstance(value, Tensor)):
            raise InputError(
                f"{origin}: a state dict holds tensors by name only, {name!r} is {type(value).__name__}; "
                "save the model's state_dict() and give that"
            )
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}
