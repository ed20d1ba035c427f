"""Two containers, each with a process 1, on one shared folder: no file is lost and none is seen half written."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults

SECONDS = float(os.environ.get("REID_HAMMER_SECONDS", "3"))
HAMMER = """
import json, os, sys, time
from pathlib import Path
from reid.files import write_json
folder, me, until = Path(sys.argv[1]), sys.argv[2], time.monotonic() + float(sys.argv[3])
written = broken = 0
while time.monotonic() < until:
    written += 1
    write_json(folder / "shared.json", {"by": me, "number": written, "body": "x" * 20000}, durable=False)
    write_json(folder / f"{me}-{written % 50}.json", {"by": me, "number": written}, durable=False)
    try:
        json.loads((folder / "shared.json").read_text())
    except (ValueError, OSError):
        broken += 1
print(json.dumps({"pid": os.getpid(), "written": written, "broken": broken}))
"""


def namespaces() -> bool:
    """Whether a process may have a process table of its own here."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "--pid", "--fork", "true"], check=False).returncode == 0


def test_two_processes_1_hammer_one_folder(tmp_path: Path) -> None:
    if not namespaces():
        pytest.skip("unshare may not make a process table of its own here")
    alone = ["unshare", "--pid", "--fork", sys.executable, "-c", HAMMER, str(tmp_path)]
    both = [subprocess.Popen([*alone, me, str(SECONDS)], stdout=subprocess.PIPE, text=True) for me in ("one", "other")]
    told = [json.loads(process.communicate(timeout=SECONDS + 60)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [each["pid"] for each in told] == [1, 1]
    assert all(each["broken"] == 0 and each["written"] > 50 for each in told)
    files = {path.name: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert set(files) == {"shared.json", *(f"{me}-{n}.json" for me in ("one", "other") for n in range(50))}
