"""Study files: what they mean, and one clear line for each thing that is wrong with them."""

import shutil
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.store.run_store import RunStore
from reid.store.study import KnobValues
from reid.studies.launch import open_search
from reid.studies.search_space import params_of, space, values_of
from reid.studies.study_file import StudyPlan
from tests.helpers.quiet_view import Silent
from tests.helpers.tiny_datasets import under_one_camera
from tests.studies.synthetic import write_study

ROOT = Path(__file__).parents[2]


def plan(tmp_path: Path, more: str = "") -> StudyPlan:
    return StudyPlan(write_study(tmp_path, tmp_path, more=more))


def test_knobs_are_those_that_the_tricks_declare(tmp_path: Path) -> None:
    study = plan(tmp_path)
    assert [knob.model_dump(mode="json", by_alias=True) for knob in study.knobs] == [
        {
            "name": "label_smoothing.epsilon", "path": "id_loss.epsilon", "title": "Label smoothing: epsilon",
            "kind": "float", "low": 0.0, "high": 0.3, "log": False, "or": None, "choices": [],
            "default": 0.1,
        },
        {
            "name": "center_loss.weight", "path": "center.weight", "title": "Centre loss: weight", "kind": "float",
            "low": 1e-5, "high": 1e-2, "log": True, "or": 0.0, "choices": [], "default": 5e-4,
        },
    ]  # fmt: skip
    assert study.default_values() == {"label_smoothing.epsilon": 0.1, "center_loss.weight": 5e-4}
    assert study.recipe(study.default_values()) == study.defaults
    assert study.split.validation_identities == 0.2, "there is always one"
    assert study.fresh_seeds == (1, 2, 3, 4, 5)


def test_a_knob_with_a_value_is_not_turned(tmp_path: Path) -> None:
    file = write_study(tmp_path, tmp_path)
    file.write_text(file.read_text().replace("label_smoothing: ,", "label_smoothing: {epsilon: 0.2},"))
    study = StudyPlan(file)
    assert [knob.name for knob in study.knobs] == ["center_loss.weight"]
    assert study.defaults.id_loss.epsilon == 0.2


def test_any_field_can_be_a_knob(tmp_path: Path) -> None:
    study = plan(
        tmp_path, "knobs: {triplet.margin: , schedule.warmup_epochs: {low: 0, high: 5}, pooling.kind: [max, gem]}"
    )
    margin, epochs, pooling = study.knobs
    assert (margin.low, margin.high, margin.other, margin.default) == (0, 1, "soft", 0.3)
    assert (epochs.kind, epochs.low, epochs.high) == ("int", 0, 5)
    assert pooling.choices == ("max", "gem")
    values: KnobValues = {"triplet.margin": "soft", "schedule.warmup_epochs": 2, "pooling.kind": "gem"}
    assert study.recipe(values).triplet.margin == "soft"
    assert values_of(params_of(values, study.knobs) or {}, study.knobs) == values
    assert list(space(study.knobs)) == [
        "triplet.margin",
        "triplet.margin = soft",
        "schedule.warmup_epochs",
        "pooling.kind",
    ]
    assert params_of(study.default_values(), study.knobs) is None, "average pooling is none of the choices"


def test_a_grid_has_points(tmp_path: Path) -> None:
    study = plan(tmp_path, "sampler: {name: grid}")
    epsilon, weight = study.knobs
    assert epsilon.choices == pytest.approx((0, 0.075, 0.15, 0.225, 0.3))
    assert weight.choices == pytest.approx((1e-5, 10**-4.25, 10**-3.5, 10**-2.75, 1e-2, 0))


BAD = {
    "knobs: {label_smoothing.epsilo: }": r"knobs\.label_smoothing\.epsilo: no such knob; did you mean 'label_smoo",
    "knobs: {nonsense: }": r"knobs\.nonsense: no such knob; known: ",
    "knobs: {warmup.epochs: }": r"knobs\.warmup\.epochs: its trick is off; add warmup to `tricks`",
    "knobs: {pooling.p: }": r"knobs\.pooling\.p: no trick declares its range; give \{low: …, high: …\} or a list",
    "knobs: {pooling.p: {low: 3, high: 3}}": r"knobs\.pooling\.p: an empty range: low must be under high, found 3 and",
    "knobs: {center_loss.weight: {low: 0, high: 0.01, log: true}}": r"a log range through zero: low must be over 0",
    "knobs: {center_loss.weight: {low: -1, high: 1}}": r"center\.weight: .* greater than or equal to 0",
    "knobs: {pooling.p: {low: 1}}": r"knobs\.pooling\.p: high: Field required",
    "knobs: {pooling.p: {low: 1, high: 2, lgo: true}}": r"knobs\.pooling\.p: lgo: unknown key; did you mean 'low'\?",
    "knobs: {pooling.p: {low: 1, high: 4, or: 2}}": r"`or` must be outside the range, found 2",
    "knobs: {batch.images: {low: 1.5, high: 4}}": r"batch\.images is a whole number",
    "knobs: {pooling.kind: {low: 1, high: 4}}": r"pooling\.kind is not a number; give a list of choices",
    "knobs: {pooling.kind: [gem]}": r"must have two or more choices, each once, found \['gem'\]",
    "knobs: {image.size: [[32, 16], [64, 32]]}": r"a choice must be a number, a word, true or false",
    "knobs: {pooling.kind: [gem, sum]}": r"knobs\.pooling\.kind: pooling\.kind: ",
    "knobs: {center.weight: {low: 0.1, high: 1}, center_loss.weight: }": r"turns center\.weight, as center\.we",
    "knobs: {}": r"knobs: a study needs one or more",
    "sampler: {name: grid}\nobjectives: [mAP]\nseeds: [0, 0]": r"seeds: each seed once, found \[0, 0\]",
    "objectives: [mAP, mAP]": r"objectives: each once",
    "objectives: [mAP, seconds]\npruner: median": r"pruner: a study of two objectives cannot prune, found 'median'",
    "objectives: [seconds]\npruner: hyperband": r"pruner: hyperband needs an objective measured at epochs",
    "pruner: wilcoxon\nseeds: [0, 1]": r"pruner: wilcoxon compares seeds and needs four or more, found 2",
    "knobs: {evaluation.rerank_k1: {low: 6, high: 30}}\npruner: median": r"knobs of evaluation share one training",
    "sampler: {name: tpee}": r"sampler\.name: ",
    "fresh_seed: 5": r"fresh_seed: unknown key; did you mean 'fresh_seeds'\?",
}  # fmt: skip


@pytest.mark.parametrize(("more", "words"), BAD.items())
def test_what_is_wrong_is_said_in_one_line(more: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as caught:
        plan(tmp_path, more)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "toy.yaml"))


def test_a_grid_has_no_more_trials_than_points(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trials: the grid has 30 points, found 31; ask for fewer"):
        StudyPlan(write_study(tmp_path, tmp_path, 31, "sampler: {name: grid}"))


@pytest.mark.parametrize("file", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_studies_of_the_repository_are_whole(file: Path) -> None:
    study = StudyPlan(file)
    assert study.spec.name.startswith(file.stem)
    assert f"reid tune studies/{file.name}" in file.read_text().split("name:")[0]
    assert study.spec.question.endswith("?")


def test_the_set_to_compare_the_winner_on_needs_a_query_with_a_match(tmp_path: Path, tiny_root: Path) -> None:
    root = Path(shutil.copytree(tiny_root, tmp_path / "copy"))
    for folder in ("query", "bounding_box_test"):
        shutil.rmtree(root / folder)
        under_one_camera(tiny_root, tmp_path / "one")
        shutil.copytree(tmp_path / "one" / folder, root / folder)
    with pytest.raises(InputError, match=r"copy: none of the \d+ queries has a match"):
        open_search(StudyPlan(write_study(tmp_path, root)), RunStore.create(tmp_path / "output"), False, Silent())
