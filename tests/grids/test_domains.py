"""Grids on several data sets: what a file may say, how runs are named, and what one run leaves."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.analysis.runs_table import mixture, read_runs
from reid.data.run_data import Domains
from reid.errors import InputError
from reid.grids.grid import Grid, read_grid
from reid.grids.launch import prepare
from reid.store.plan import Plan, read_plan
from reid.store.run_folder import RunFolder
from reid.tracking.payload import run_points
from tests.conftest import TINY_DATA
from tests.helpers.quiet_view import Silent, execute
from tests.helpers.records import raw
from tests.helpers.tiny_datasets import under_one_camera

RECIPE = """
recipe:
  image: {size: [32, 16]}
  augmentation: {pad: 2}
  batch: {identities: 4, images: 2}
  backbone: {name: resnet10_narrow, stem_relu: true, pretrained: none}
  schedule: {base: 3e-3, epochs: 3, milestones: []}
  evaluation: {every: 3}
"""
SETS = """\
name: sets
datasets:
  day: {root: day}
  night: {root: night}
  dusk: {root: dusk}
"""
NAMES = ("day", "night", "dusk")
CHOICES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)
CONTENT = {"day": "1", "night": "2", "dusk": "3"}


def grid(tmp_path: Path, text: str) -> Grid:
    file = tmp_path / "grid.yaml"
    file.write_text(text)
    return read_grid(file, {})


@given(CHOICES, CHOICES, CHOICES, CHOICES)
def test_a_run_is_named_by_the_content_that_it_is_trained_and_evaluated_on(
    train: tuple[str, ...], evaluate: tuple[str, ...], train_too: tuple[str, ...], evaluate_too: tuple[str, ...]
) -> None:
    one, two = Domains(train, evaluate), Domains(train_too, evaluate_too)
    assert (one.fingerprint(CONTENT) == two.fingerprint(CONTENT)) == (one == two)
    for name in one.names:
        assert one.fingerprint({**CONTENT, name: "changed"}) != one.fingerprint(CONTENT)
    for name in set(NAMES) - set(one.names):
        assert one.fingerprint({**CONTENT, name: "changed"}) == one.fingerprint(CONTENT)


def test_one_set_is_the_simple_form() -> None:
    assert Domains(("day",), ("day",)).fingerprint(CONTENT) == CONTENT["day"]


def test_the_primary_set_is_the_first_set_that_was_trained_on() -> None:
    assert Domains(("night",), ("day", "night", "dusk")).primary == "night"
    assert Domains(("dusk",), ("day", "night")).primary == "day"


def test_sets_to_train_on_are_a_factor(tmp_path: Path) -> None:
    text = SETS + "evaluate_on: [day, night]\nfactors: {train_on: [day, [night, dusk]], bnneck: }\n"
    made = grid(tmp_path, text)
    assert [(arm.name, arm.levels["train_on"], arm.train_on) for arm in made.arms] == [
        ("00", "day", ("day",)),
        ("01", "day", ("day",)),
        ("10", "night + dusk", ("night", "dusk")),
        ("11", "night + dusk", ("night", "dusk")),
    ]
    assert len({signature for signature, _, _ in made.runs(CONTENT)}) == 4
    single = grid(tmp_path, SETS + "evaluate_on: day\ntrain_on: night\nfactors: {bnneck: }\n")
    assert single.domains(single.arms[0]) == Domains(("night",), ("day",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train_on: dya\nevaluate_on: [day]", r"train_on: no such data set 'dya'; did you mean 'day'\?"),
        ("train_on: day\nevaluate_on: [nihgt]", r"evaluate_on: no such data set 'nihgt'; did you mean 'night'\?"),
        ("train_on: [day, day]\nevaluate_on: day", "train_on: each set once, found day 2 times"),
        ("train_on: day", "`datasets` need `evaluate_on`, of day, night, dusk"),
        ("evaluate_on: day", "`datasets` need `train_on`, as a key or as a factor: give one of the two"),
        ("train_on: day\nevaluate_on: day\ndataset: {name: x, root: x}", "either `dataset` or `datasets`"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        grid(tmp_path, f"{SETS}{text}\nfactors: {{bnneck: }}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("factors: {train_on: [day, nite]}", r"train_on: no such data set 'nite'; did you mean 'night'\?"),
        ("factors: {train_on: [day]}", r"factors.train_on: needs two or more levels, .*found \['day'\]"),
        ("factors: {train_on: [day, [1]]}", r"factors.train_on: needs two or more levels, .*found \[1\]"),
        ("factors: {train_on: }", "factors.train_on: needs two or more levels, .*found None"),
        ("factors: {train_on: [day, night]}\ntrain_on: day", "as a key or as a factor: give one of the two"),
        ("factors: {train_no: [day, night]}", r"no such trick or recipe field; did you mean 'train_on'\?"),
    ],
)
def test_levels_that_do_not_fit(tmp_path: Path, text: str, message: str) -> None:
    head = SETS if "train_no" not in text else SETS + "train_on: day\n"
    with pytest.raises(InputError, match=message):
        grid(tmp_path, f"{head}evaluate_on: day\n{text}\n")


def test_forms_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose among `datasets`, and there is one `dataset`"):
        grid(tmp_path, "name: a\ndataset: {name: x, root: x}\ntrain_on: x\nfactors: {bnneck: }\n")
    with pytest.raises(InputError, match="day: a set is called by its key; remove `name`"):
        grid(tmp_path, SETS.replace("root: day", "root: day, name: day") + "train_on: day\nevaluate_on: day\n")
    with pytest.raises(InputError, match=r"datasets.day.layuot: unknown key; did you mean 'layout'\?"):
        grid(tmp_path, SETS.replace("root: day", "root: day, layuot: x") + "train_on: day\nevaluate_on: day\n")
    split = SETS.replace("{root: day}", "{root: day, split: {validation_identities: 0.3}}")
    with pytest.raises(InputError, match=r"datasets.night.split: day has a validation split and night has none"):
        grid(tmp_path, split + "train_on: day\nevaluate_on: [day, night]\nfactors: {bnneck: }\n")


def test_a_set_that_is_not_there(tmp_path: Path, tiny_root: Path) -> None:
    text = f"name: a\ndatasets: {{here: {{root: {tiny_root}}}, gone: {{root: {tmp_path / 'gone'}}}}}\n"
    text += "train_on: here\nevaluate_on: [here, gone]\nfactors: {bnneck: }\n"
    (tmp_path / "grid.yaml").write_text(text + RECIPE)
    with pytest.raises(InputError, match="gone"):
        prepare(tmp_path / "grid.yaml", tmp_path / "output", {}, False, "", Silent())
    assert not (tmp_path / "output" / "grids").exists()


def test_every_set_that_is_evaluated_on_needs_a_query_with_a_match(tmp_path: Path, tiny_root: Path) -> None:
    one = under_one_camera(tiny_root, tmp_path / "one")
    text = f"name: a\ndatasets: {{here: {{root: {tiny_root}}}, one: {{root: {one}}}}}\nfactors: {{bnneck: }}\n{RECIPE}"

    def prepared(words: str, said: str = "") -> Plan:
        (tmp_path / "grid.yaml").write_text(text.replace(f"root: {one}", f"root: {one}{said}") + words)
        return prepare(tmp_path / "grid.yaml", tmp_path / "output", {}, False, "", Silent()).plan

    with pytest.raises(InputError, match=r"one: none of the \d+ queries has a match"):
        prepared("train_on: here\nevaluate_on: [here, one]\n")
    with pytest.raises(InputError, match=r"one: none of the \d+ queries has a match"):
        prepared("train_on: one\nevaluate_on: one\n")
    assert not (tmp_path / "output" / "grids").exists()
    prepared("train_on: [one, here]\nevaluate_on: here\n")  # what is trained on only need not be
    meant = prepared("train_on: here\nevaluate_on: [here, one]\n", ", cameras: none")
    assert meant.dataset is not None
    assert {name: record.cameras for name, record in meant.dataset.sets.items()} == {"here": "labelled", "one": "none"}
    (folder,) = {RunFolder(tmp_path / "output" / "runs" / run.signature) for run in meant.runs[:1]}
    assert execute([folder], tmp_path / "output" / "cache")[0] in ("finished", "diverged"), "workers open it alike"


def trained(tmp_path: Path, tiny_root: Path, words: str) -> tuple[Plan, list[RunFolder]]:
    """Every run of a grid on the tiny set and its twin by night, trained."""
    night = ", ".join(f"{key}: {value}" for key, value in {**TINY_DATA, "seed": 4, "domain": "night"}.items())
    sets = f"datasets: {{day: {{root: {tiny_root}}}, night: {{root: {tmp_path}/night, synthesize: {{{night}}}}}}}\n"
    (tmp_path / "grid.yaml").write_text(f"name: sets\n{sets}{words}{RECIPE}")
    launched = prepare(tmp_path / "grid.yaml", tmp_path / "output", {}, False, "", Silent())
    runs = [launched.run_store.folder(run.signature) for run in launched.plan.runs]
    execute(runs, tmp_path / "output" / "cache")
    return launched.plan, runs


def test_one_run_on_every_set(tmp_path: Path, tiny_root: Path) -> None:
    plan, runs = trained(
        tmp_path, tiny_root, "evaluate_on: [day, night]\nfactors: {train_on: [day, night, [day, night]]}\n"
    )
    by_arm = {run.arm: folder for run, folder in zip(plan.runs, runs, strict=True)}
    assert plan.dataset is not None
    assert plan.dataset.name == "day, night"
    day, night, both = (raw(by_arm[arm], "result") for arm in "012")
    assert {name: scores["trained_on"] for name, scores in day["domains"].items()} == {"day": True, "night": False}
    assert {name: scores["trained_on"] for name, scores in both["domains"].items()} == {"day": True, "night": True}
    for result, headline in ((day, "day"), (night, "night"), (both, "day")):
        scores = {key: value for key, value in result["domains"][headline].items() if key != "trained_on"}
        assert scores == result["metrics"]
    asked = raw(by_arm["1"], "run")["dataset"]
    assert (asked["name"], asked["train_on"], asked["evaluate_on"]) == (
        "night → day, night",
        ["night"],
        ["day", "night"],
    )
    joined = raw(by_arm["2"], "run")["dataset"]
    assert joined["counts"]["train"]["identities"] == 2 * TINY_DATA["train_identities"]
    evaluated = raw(by_arm["1"], "evaluations")
    assert evaluated[-1]["mAP"] == pytest.approx(night["metrics"]["mAP"]), "per epoch: the headline set"
    other = np.load(by_arm["1"].path / "query_ap.day.npy")
    assert np.nanmean(other) == pytest.approx(night["domains"]["day"]["mAP"])
    own, shown = by_arm["1"].query_ap(), by_arm["1"].query_identities()
    assert own is not None
    assert shown is not None
    assert len(shown) == len(own)
    assert len(np.load(by_arm["1"].path / "query_identities.day.npy")) == len(other)
    assert np.nanmean(own) == pytest.approx(night["metrics"]["mAP"])

    table = read_runs(read_plan(tmp_path / "output" / "grids" / "sets")).set_index("arm")
    elsewhere = day["domains"]["night"]["mAP"]
    assert [table[column].to_dict()["0"] for column in ("mAP@night", "mAP_cross")] == [elsewhere, elsewhere]
    assert np.isnan(table["mAP_cross"].to_dict()["2"]), "it was trained on both"
    assert mixture(table, ["train_on"]) == [], "meant to differ"
    points = {point.key: point.value for point in run_points(by_arm["0"])}
    assert points["final/mAP:night"] == points["final/mAP_cross"] == day["domains"]["night"]["mAP"]


def test_a_tuning_run_sees_no_test_set_of_any_domain(tmp_path: Path, tiny_root: Path) -> None:
    words = "train_on: day\nevaluate_on: [day, night]\nfactors: {bnneck: }\n"
    plan, runs = trained(tmp_path, tiny_root, words)
    (tmp_path / "tuning").mkdir()
    file = tmp_path / "grid.yaml"
    text = file.read_text().replace(f"root: {tiny_root}", f"root: {tiny_root}, split: {{validation_identities: 0.3}}")
    file.write_text(text.replace("/night, synth", "/night, split: {validation_identities: 0.3}, synth"))
    tuned = prepare(file, tmp_path / "tuning", {}, False, "", Silent())
    record = json.loads((tuned.folder / "plan.json").read_text())["dataset"]
    assert len(record["notes"]) == 2
    assert all("held out of the training part, not on the test set" in note for note in record["notes"])
    assert not {run.signature for run in plan.runs} & {run.signature for run in tuned.plan.runs}
    assert all(raw(run, "result")["domains"]["night"]["trained_on"] is False for run in runs)
