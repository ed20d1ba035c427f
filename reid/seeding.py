"""Randomness with names: every generator is derived from a seed and what it is for, never from what ran before."""

import hashlib

import numpy as np
import torch


def seed_of(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream named by `names` under `seed`."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """The NumPy generator of a named stream."""
    return np.random.default_rng(seed_of(seed, *names))


def torch_generator(seed: int, *names: str | int) -> torch.Generator:
    """The torch CPU generator of a named stream."""
    return torch.Generator().manual_seed(seed_of(seed, *names))
