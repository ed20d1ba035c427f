"""The wheel alone, in an environment without the repository, from another folder."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
GRID = """\
name: small
dataset:
  name: drawn
  root: drawn
  synthesize: {train_identities: 8, test_identities: 4, cameras: 3, images: 6, seed: 1}
recipe:
  image: {size: [32, 16]}
  augmentation: {pad: 2}
  batch: {identities: 4, images: 2}
  backbone: {name: resnet10_narrow, stem_relu: true, pretrained: none}
  schedule: {base: 3e-3, epochs: 2, milestones: []}
  evaluation: {every: 2}
factors: {bnneck: }
seeds: [0, 1]
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has the wheel, and from elsewhere what the wheel depends on, but not this checkout.

    The dependencies are gigabytes: they are read from where the tests have them, without their editable installs.
    """
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("reid_ablation-*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    command = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        str(packages),
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    # addsitedir would follow the .pth files there, an editable install of this checkout among them; a path does not.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def reid(python: Path, folder: Path, *words: str) -> str:
    done = subprocess.run(
        [str(python), "-I", "-m", "reid", *words], cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_ablates_reports_and_lists(python: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [str(python), "-I", "-c", "import reid; print(reid.__file__)"], cwd=tmp_path, capture_output=True, text=True
    )
    assert Path(where.stdout.strip()).is_relative_to(python.parents[1]), where.stderr
    (tmp_path / "small.yaml").write_text(GRID)
    reid(python, tmp_path, "ablate", "small.yaml", "--device", "cpu")
    reid(python, tmp_path, "report", "small", "--format", "pdf,html,csv")
    folder = tmp_path / "output" / "grids" / "small"
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "<style>" in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "tables" / "effects.csv").exists()
    assert "bnneck" in reid(python, tmp_path, "list", "tricks")
    assert "batch.identities" in reid(python, tmp_path, "schema", "grid")
