import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.execution.events import Progressed
from reid.execution.executors.choose import ExecutorOptions, make_executor
from reid.execution.executors.remote import Follower, RunRequest, carry_out
from reid.execution.executors.slurm import parse_options
from reid.store.fingerprint import training_code
from reid.store.run_folder import RunFolder
from reid.store.run_records import ProgressRecord
from tests.helpers.ray_cluster import free_port
from tests.helpers.records import asked, scored
from tests.helpers.services import need


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"address": "a:1"}, "--address: only goes with --executor ray, found --executor local"),
        ({"executor": "slurm", "gpus_per_run": 0.5}, "--gpus-per-run: only goes with --executor ray"),
        ({"executor": "ray", "slurm": ("time=1",)}, "--slurm: only goes with --executor slurm"),
    ],
)
def test_an_option_of_another_executor_is_refused(wanted: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ExecutorOptions(**wanted)  # type: ignore[arg-type]


def test_no_ray_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"Ray is not installed; in the folder of this repo.* '\.\[ray\]'"):
        make_executor(ExecutorOptions("ray"), "cpu", tmp_path, False)


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "nowhere", "127.0.0.1:port"])
def test_no_cluster_at_the_address_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str) -> None:
    need(None if find_spec("ray") else "Ray is not installed (pip install ray)")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    address = address.format(port=free_port())
    with pytest.raises(InputError, match=f"--address {address}: no Ray cluster answers there") as refused:
        make_executor(ExecutorOptions("ray", address=address), "cpu", tmp_path, False)
    assert "\n" not in str(refused.value)


def test_no_slurm_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="no sbatch here"):
        make_executor(ExecutorOptions("slurm"), "cpu", tmp_path, False)


def test_options_of_sbatch_are_spelled_either_way() -> None:
    given = parse_options(("partition=gpu", "gpus_per_node=1", "--time=1-00:00:00", "comment=a=b"))
    assert given == {"partition": "gpu", "gpus-per-node": "1", "time": "1-00:00:00", "comment": "a=b"}


@pytest.mark.parametrize("word", ["partition", "=gpu", "partition=", "array=0-3", "output=x", "cpus_per_task=many"])
def test_nonsense_for_sbatch_is_one_line(word: str) -> None:
    with pytest.raises(InputError, match=f"--slurm {word}: "):
        parse_options((word,))


def request(run: Path, code: str) -> RunRequest:
    return RunRequest(run, None, run / "cache", "cpu", skip_unreadable=False, threads=1, code=code)


def test_a_machine_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the output folder must have one path on every machine"):
        carry_out(request(tmp_path / "nowhere", training_code()))


def test_a_machine_with_other_code_says_so(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_run(asked(tmp_path.name))
    with pytest.raises(InputError, match="install the same version on every machine"):
        carry_out(request(tmp_path, "0123456789abcdef"))


def test_progress_is_told_once_and_never_made_up(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_progress(ProgressRecord(epoch=1))
    follower = Follower(tmp_path)
    assert follower.progress() is None, "what an earlier attempt left is no news"
    record = ProgressRecord(epoch=2, scores=scored(0.5))
    folder.write_progress(record)
    assert follower.progress() == Progressed(tmp_path.name, record, evaluated=True)
    assert follower.progress() is None
    folder.progress.unlink()
    assert follower.progress() is None
