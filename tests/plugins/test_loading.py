"""Plugin files are read before what they register is named, and unloaded without a trace."""

from pathlib import Path

import pytest

from reid.data.layouts import LAYOUTS
from reid.errors import InputError
from reid.grids.grid_file import GridFile
from reid.losses import LOSSES
from reid.metrics.spec import METRICS, is_fraction
from reid.models.backbones.registry import BUILDERS
from reid.recipe import BACKBONES, LOSS_SECTIONS, Recipe
from reid.recipe.overrides import parse_assignments
from reid.recipe.yaml import load
from reid.registry import Plugin, activate, active_plugins, load_plugins
from reid.store.fingerprint import training_code
from reid.tricks import TRICKS

TRICK = """
import reid
reid.register_trick(reid.Trick(name="{name}", short="M", title="Mine",
    card=reid.MethodCard(idea="{idea}", formula="", source="", cost="", interactions=""),
    settings={{"{field}": {value}}}))
"""


def write(file: Path, name: str = "mine", idea: str = "", field: str = "schedule.epochs", value: object = 3) -> Path:
    file.write_text(TRICK.format(name=name, idea=idea, field=field, value=value))
    return file


def test_examples_register_one_of_each_and_leave_no_trace(examples: list[Path]) -> None:
    assert len(active_plugins()) == len(examples) == 5
    assert {"weight_average"} <= TRICKS.keys()
    assert {"tiny_depthwise"} <= BUILDERS.keys() & BACKBONES.keys()
    assert {"arcface"} <= LOSSES.keys() & LOSS_SECTIONS.keys()
    assert {"person_folders"} <= LAYOUTS.keys()
    assert is_fraction("mAP_worst_camera")
    activate([])
    for registry in (TRICKS, BUILDERS, BACKBONES, LOSSES, LOSS_SECTIONS, LAYOUTS, METRICS):
        assert all(registry.origin(name) == "reid" for name in registry)


def test_examples_are_short(examples: list[Path]) -> None:
    assert all(len(file.read_text().splitlines()) <= 40 for file in examples)


def test_a_recipe_knows_the_section_of_a_loss(examples: list[Path]) -> None:
    assert examples
    recipe = Recipe().set({"losses.arcface.weight": 0.5, "losses.arcface.margin": 0.2})
    assert recipe.flat()["losses.arcface.margin"] == 0.2
    assert recipe.model_dump()["losses"] == {"arcface": {"weight": 0.5, "margin": 0.2, "scale": 16.0}}
    off = recipe.set({"losses.arcface.weight": 0.0, "losses.arcface.margin": 0.3})
    assert off == Recipe()
    assert off.signature() == Recipe().signature()
    with pytest.raises(InputError, match=r"losses\.arcface\.margn: unknown recipe field; did you mean"):
        parse_assignments(["losses.arcface.margn=1"])


@pytest.mark.parametrize(
    ("recipe", "problem"),
    [
        ("{losses: {arcfac: {weight: 1}}}", r"losses: no such loss 'arcfac'; did you mean 'arcface'\?"),
        ("{losses: {arcface: {weigt: 1}}}", r"losses\.arcface\.weigt: unknown key; did you mean 'weight'\?"),
        ("{losses: {arcface: {weight: -1}}}", r"losses\.arcface\.weight: .*greater than or equal to 0, found -1"),
        ("{losses: 3}", r"losses: .*found 3"),
    ],
)
def test_a_wrong_section_is_one_line(examples: list[Path], tmp_path: Path, recipe: str, problem: str) -> None:
    assert examples
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe)
    with pytest.raises(InputError, match=problem):
        load(file, Recipe)


def test_a_grid_file_names_plugins_relative_to_itself(tmp_path: Path) -> None:
    write(tmp_path / "mine.py")
    file = tmp_path / "grid.yaml"
    file.write_text(
        "name: g\nplugins: [mine.py]\ndataset: {name: d, root: d}\nfactors: {mine: , warmup: }\n"
        "recipe: {schedule: {epochs: 5, milestones: []}}\n"
    )
    assert load(file, GridFile).plugins == ("mine.py",)
    assert [plugin.path for plugin in active_plugins()] == [str(tmp_path / "mine.py")]
    assert TRICKS["mine"].fields == {"schedule.epochs"}
    file.write_text(file.read_text().replace("mine.py", "absent.py"))
    with pytest.raises(InputError, match=r"grid\.yaml: plugins: .*absent\.py cannot be read .* give the path"):
        load(file, GridFile)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    load_plugins([write(tmp_path / "mine.py", value=3)], "plugins")
    load_plugins([write(tmp_path / "mine.py", value=4)], "plugins")
    assert TRICKS["mine"].settings == {"schedule.epochs": 4}
    assert len(active_plugins()) == 1


def test_the_training_code_counts_statements_of_plugins_and_not_their_cards(tmp_path: Path) -> None:
    without = training_code()
    codes = []
    for idea, value in (("one", 3), ("another", 3), ("one", 4)):
        load_plugins([write(tmp_path / "mine.py", idea=idea, value=value)], "plugins")
        codes.append(training_code())
    assert codes[0] == codes[1]
    assert len({without, *codes}) == 3
    activate([])
    assert training_code() == without


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import reid\n\n1 / 0\n", r"mine\.py:3: the plugin fails \(ZeroDivisionError: division by zero\)"),
        ("def f(:\n", r"mine\.py:1: the plugin fails \(SyntaxError"),
        ("import nowhere_to_be_found\n", r"mine\.py:1: the plugin fails \(ModuleNotFoundError"),
        (TRICK.format(name="bnneck", idea="", field="schedule.epochs", value=3), r"mine\.py: trick 'bnneck' is regist"),
        (TRICK.format(name="a b", idea="", field="schedule.epochs", value=3), r"the name of a trick must be letters"),
        (TRICK.format(name="m", idea="", field="schedule.epoch", value=3), r"no field 'schedule\.epoch'; did you mean"),
    ],
)
def test_a_plugin_that_fails_is_one_line(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(InputError, match=problem):
        load_plugins([file], "plugins")
    assert active_plugins() == ()


def test_a_plugin_that_fails_half_way_registers_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", name="first")
    file.write_text(file.read_text() + "1 / 0\n")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        load_plugins([file], "plugins")
    assert "first" not in TRICKS


def test_a_run_gets_the_file_it_was_planned_with_or_none(tmp_path: Path) -> None:
    load_plugins([write(tmp_path / "mine.py"), write(tmp_path / "other.py", name="other")], "plugins")
    planned = active_plugins()[:1]
    activate(planned)
    assert active_plugins() == planned
    assert "other" not in TRICKS
    write(tmp_path / "mine.py", value=5)
    with pytest.raises(InputError, match=r"plugin mine: .*mine\.py has changed since this was planned"):
        activate(planned)
    (tmp_path / "mine.py").unlink()
    with pytest.raises(InputError, match=r"plugin mine: .*mine\.py cannot be read"):
        activate(planned)
    with pytest.raises(InputError, match="module reid_of_nobody is not installed here"):
        activate([Plugin(name="nobody", module="reid_of_nobody", sha256="0" * 16)])
