import pytest

from reid.errors import InputError
from reid.execution.devices import plan_slots, visible_gpus
from reid.execution.executors.local import Slot, slot_name


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
