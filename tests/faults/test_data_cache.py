"""The cache of decoded images: two processes at once, a killed one, a full disk."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from reid.data import load_dataset, open_dataset
from reid.data.cache_entries import entries

pytestmark = pytest.mark.faults

# Builds the cache; prints when it begins to decode and how many images it decoded, or its one line of error.
BUILD = """
import resource, sys, time
from pathlib import Path
from reid.data import load_dataset, open_dataset
from reid.errors import InputError
root, cache, limit, pause = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
decoded = 0
def progress(done, total):
    global decoded
    decoded = done
    if done == 1:
        print("decoding", flush=True)
    time.sleep(pause)
try:
    data = open_dataset(load_dataset("market1501", root), (64, 32), cache, progress=progress)
    print(decoded, int(data.pixels["train"].sum()), flush=True)
except InputError as error:
    print(error, flush=True)
    sys.exit(2)
"""


def build(root: Path, cache: Path, limit: int = 0, pause: float = 0.0) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", BUILD, str(root), str(cache), str(limit), str(pause)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> list[str]:
    out, error = process.communicate(timeout=120)
    assert "Traceback" not in error, error
    return out.splitlines()


def test_two_processes_at_once_decode_once_and_see_the_same(tiny_root: Path, tmp_path: Path) -> None:
    both = [build(tiny_root, tmp_path / "cache", pause=0.005) for _ in range(2)]
    results = [ended(process)[-1].split() for process in both]
    images = sum(len(split) for split in load_dataset("market1501", tiny_root).splits.values())
    assert sorted(int(decoded) for decoded, _ in results) == [0, images]
    assert len({pixels for _, pixels in results}) == 1


def test_a_killed_build_leaves_nothing_that_counts(tiny_root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    process = build(tiny_root, cache, pause=0.05)
    assert process.stdout is not None
    assert process.stdout.readline() == "decoding\n"
    other = build(tiny_root, cache)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert ended(other)[-1].split()[0] != "0", "the one that waited builds it"
    (entry,) = entries(cache)
    assert sorted(file.name for file in entry.folder.iterdir()) == [
        "gallery.npy",
        "index.json",
        "query.npy",
        "train.npy",
    ]


def test_a_full_disk_is_one_line_and_the_next_launch_goes_on(tiny_root: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the same system call fails in the same place."""
    process = build(tiny_root, tmp_path / "cache", limit=200_000)
    lines = ended(process)
    assert process.returncode == 2
    assert len(lines) == 2
    assert "decoded images cannot be written (File too large); make room (`reid data cache --prune`)" in lines[1]
    data = open_dataset(load_dataset("market1501", tiny_root), (64, 32), tmp_path / "cache")
    assert np.array(data.pixels["train"]).any()


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of 256 kB. Needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a file system here")
    return folder


def test_a_disk_that_is_really_full(tiny_root: Path, small_disk: Path) -> None:
    try:
        process = build(tiny_root, small_disk / "cache")
        lines = ended(process)
        assert process.returncode == 2
        assert "decoded images cannot be written (No space left on device); make room" in lines[-1]
        assert not list(small_disk.rglob("*.tmp"))
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)
