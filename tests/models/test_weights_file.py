"""What is given for weights and is none is called by its name, with what to do about it."""

import pickle
from pathlib import Path

import pytest
import torch

from reid.errors import InputError
from reid.models.weights_file import read_weights


def saved(**tensors: torch.Tensor) -> bytes:
    file = Path("w.pth")
    torch.save(tensors, file)
    return file.read_bytes()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(content: bytes) -> str:
    Path("w.pth").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_weights(Path("w.pth"), "--checkpoint")
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; copy or download it again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 94000000\n",
            "`git lfs pull` fetches them",
        ),
        (b"\n <!DOCTYPE html><html><body>Sign in</body></html>", "is a web page, which a server sent instead"),
        (b"<HTML>404</HTML>", "is a web page"),
        (b"epoch,loss\n1,2\n", "is not a file that torch.save wrote"),
        (pickle.dumps({"epoch": print}), "holds pickled Python objects"),
    ],
)
def test_it_is_called_by_its_name(content: bytes, words: str) -> None:
    line = refusal(content)
    assert line.startswith("--checkpoint: w.pth ")
    assert words in line


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_what_was_cut_off_is_said_to_be(share: float) -> None:
    whole = saved(weight=torch.arange(1000.0))
    part = whole[: int(share * len(whole))]
    assert f"is cut off after {len(part):,} bytes; copy or download it again" in refusal(part)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_of_a_training_that_diverged_are_refused(value: float) -> None:
    content = saved(one=torch.zeros(3), two=torch.tensor([0.0, value]))
    assert "two has values that are not finite: its training diverged" in refusal(content)


def test_weights_are_read() -> None:
    saved(**{"module.weight": torch.ones(2), "batches": torch.tensor(3)})
    assert {name: tensor.tolist() for name, tensor in read_weights(Path("w.pth"), "x").items()} == {
        "weight": [1.0, 1.0],
        "batches": 3,
    }
