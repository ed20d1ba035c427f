"""Files appear whole or not at all, whoever else writes beside."""

import multiprocessing
import os
from pathlib import Path

import pytest

from reid.files import atomic, read_json, write_json
from reid.store.run_folder import RunFolder


def test_two_writers_of_one_file_do_not_share_a_temporary(tmp_path: Path) -> None:
    with atomic(tmp_path / "a.json") as one, atomic(tmp_path / "a.json") as other:
        assert one != other
        one.write_text("1")
        other.write_text("2")
    assert read_json(tmp_path / "a.json") in (1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_planted_link_is_not_written_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "known")
    (tmp_path / "victim").write_text("mine")
    (tmp_path / ".a.json.known.tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        write_json(tmp_path / "a.json", "theirs")
    assert (tmp_path / "victim").read_text() == "mine"


def hammer(path: Path, seconds: float, broken: "multiprocessing.Queue[str]") -> None:
    """Write and read one file as fast as possible, as a process that believes to be number 1."""
    os.getpid = lambda: 1
    end = os.times().elapsed + seconds
    number = 0
    while os.times().elapsed < end:
        number += 1
        try:
            write_json(path, {"number": number, "text": "x" * 5000}, durable=False)
            assert isinstance(read_json(path), dict)
        except Exception as error:
            broken.put(f"{type(error).__name__}: {error}")
            return


def test_processes_of_one_number_lose_nothing_in_a_shared_folder(tmp_path: Path) -> None:
    """Two containers are both process 1 on one shared folder."""
    context = multiprocessing.get_context("spawn")
    broken: multiprocessing.Queue[str] = context.Queue()
    workers = [context.Process(target=hammer, args=(tmp_path / "state.json", 2.0, broken)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert broken.empty(), broken.get()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_what_a_killed_holder_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = (
        ".checkpoint.pt.77.tmp",
        ".curves.parquet.0a1b.tmp",
        ".query_ap.day.npy.1.tmp",
        ".query_identities.npy.1.tmp",
    )
    for name in (*left, ".run.json.3.tmp"):
        (tmp_path / name).touch()
    (tmp_path / "checkpoint.pt").touch()
    RunFolder(tmp_path).remove_leftovers()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run.json.3.tmp", "checkpoint.pt"]
