import os
import subprocess
import sys

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from reid.errors import InputError
from reid.execution.devices import plan_slots, visible_gpus
from reid.execution.executors.local import PRELOADED, Slot, slot_name, take_place

IMPORTS = """
import importlib, sys, torch
def touched(*_, **__):
    raise RuntimeError("CUDA is asked while modules are imported")
torch.cuda.is_available = torch.cuda.device_count = torch.cuda._lazy_init = touched
for name in ("_cuda_init", "_cuda_getDeviceCount"):
    if hasattr(torch._C, name):
        setattr(torch._C, name, touched)
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


@pytest.mark.parametrize(
    ("variable", "count", "names"),
    [
        (None, 3, ["0", "1", "2"]),
        ("2,0", 2, ["2", "0"]),
        ("2, 0", 2, ["2", "0"]),
        ("", 0, []),
        ("-1", 0, []),
        ("1,-1,0", 1, ["1"]),  # CUDA heeds what stands before the first that it does not know
        ("GPU-8f2c0e11,GPU-1d", 2, ["GPU-8f2c0e11", "GPU-1d"]),
        ("MIG-11aa", 1, ["MIG-11aa"]),
    ],
)
def test_visible_gpus(variable: str | None, count: int, names: list[str]) -> None:
    assert visible_gpus(variable, count) == names


def test_slots_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-ab")
    assert plan_slots("cuda", None) == ["cuda:3", "cuda:GPU-ab"]
    assert plan_slots("cuda", None, 2) == ["cuda:3", "cuda:3", "cuda:GPU-ab", "cuda:GPU-ab"]
    with pytest.raises(InputError, match="--slots 4: this trains on GPUs, one run on each; use --slots-per-gpu"):
        plan_slots("cuda", 4)
    assert slot_name(Slot(2, "cuda:GPU-ab")) == "2 GPU GPU-ab"


def test_slots_of_the_cpu() -> None:
    assert plan_slots("cpu", 3) == ["cpu"] * 3
    assert set(plan_slots("cpu", None)) == {"cpu"}
    with pytest.raises(InputError, match="--slots-per-gpu 2: this trains on the CPU; use --slots"):
        plan_slots("cpu", None, 2)
    assert slot_name(Slot(1, "cpu")) == "1"


@pytest.mark.slow
def test_the_server_of_workers_does_not_touch_cuda() -> None:
    """CUDA cannot be used after a fork of a process that has."""
    done = subprocess.run([sys.executable, "-c", IMPORTS, *PRELOADED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_worker_keeps_to_its_device_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with threadpool_limits(2):
        assert take_place("cpu", 1) == torch.device("cpu")
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
        assert {library["num_threads"] for library in threadpool_info()} == {1} == {torch.get_num_threads()}
        assert os.environ["OMP_NUM_THREADS"] == "1"
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-ab")
        assert take_place("cuda:GPU-ab", 1) == torch.device("cuda")
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-ab"
