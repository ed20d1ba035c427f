import json
import subprocess
import sys
from pathlib import Path

import pytest

from reid.ablation.ledger import Ledger, claim, set_state
from reid.errors import InputError
from reid.run_folder import RunFolder, atomic, write_json

HOLD = """
import sys
from pathlib import Path
from reid.ablation.ledger import claim
from reid.run_folder import RunFolder
with claim(RunFolder(Path(sys.argv[1]))) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return Ledger.create(tmp_path).enter({"signature": "abc", "seed": 0})


def test_a_folder_is_entered_once(tmp_path: Path, folder: RunFolder) -> None:
    assert folder.state() == "planned"
    assert Ledger(tmp_path).enter({"signature": "abc", "seed": 9}).read("run")["seed"] == 0


def test_a_claim_is_exclusive_and_dies_with_its_holder(folder: RunFolder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with claim(folder) as mine:
            assert not mine
        holder.kill()
        holder.wait()
    with claim(folder) as mine:
        assert mine


def test_settling_marks_what_nobody_holds(tmp_path: Path, folder: RunFolder) -> None:
    set_state(folder, state="running", epoch=3)
    with claim(folder):
        assert Ledger(tmp_path).settle("abc") == "running"
    assert Ledger(tmp_path).settle("abc") == "stopped"
    assert folder.read("state")["epoch"] == 3
    set_state(folder, state="finished")
    assert Ledger(tmp_path).settle("abc") == "finished"
    assert Ledger(tmp_path).is_over("abc")


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: the output folder must be writable"):
        Ledger.create(tmp_path / "file")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(RuntimeError), atomic(tmp_path / "a.json") as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
