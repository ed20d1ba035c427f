"""Which recorded plugins a report loads: those of folders here, none that a server names."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reid.cli.app import app
from reid.registry import active_plugins, load_plugins
from tests.plugins.conftest import EXAMPLES

PLAN = {"name": "g", "factors": [], "seeds": [0], "arms": [], "runs": []}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grid's folder that records a plugin which is there, unchanged, and not loaded."""
    before = active_plugins()
    load_plugins([EXAMPLES / "my_trick.py"], "plugins")
    (recorded,) = (plugin for plugin in active_plugins() if plugin not in before)
    monkeypatch.setattr("reid.registry.plugins._active", {})
    (tmp_path / "plan.json").write_text(json.dumps(PLAN | {"plugins": [recorded.model_dump()]}))
    monkeypatch.setattr("reid.report.write_report", lambda *_: [])
    monkeypatch.setattr("reid.tracking.download", lambda *_: tmp_path)
    return tmp_path


def test_a_folder_here_has_its_plugins(folder: Path) -> None:
    assert CliRunner().invoke(app, ["report", str(folder)]).exit_code == 0
    assert [plugin.name for plugin in active_plugins()] == ["my_trick"]


def test_what_a_server_records_is_not_run(folder: Path) -> None:
    assert folder.exists()
    assert CliRunner().invoke(app, ["report", "g", "--from-mlflow", "http://127.0.0.1:1"]).exit_code == 0
    assert active_plugins() == ()
