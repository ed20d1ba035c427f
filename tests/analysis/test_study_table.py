"""A study folder read back."""

import json
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.report import write_report
from reid.report.study import read_study
from tests.helpers.studies_on_disk import MAP, SECONDS, MakeStudy, edit


def test_trials_have_their_states_and_knobs(make_study: MakeStudy) -> None:
    study = read_study(make_study())
    assert study.trials["state"].value_counts().to_dict() == {"complete": 52, "pruned": 6, "diverged": 1, "failed": 1}
    assert study.trials["state"][20] == "diverged"  # pruned in trials.json, but its run diverged
    assert [study.trials[name].iloc[0] for name in study.defaults] == [0.1, 0.3, 5e-4]
    assert study.complete.loc[study.best, "mAP"] == study.complete["mAP"].max()
    assert study.winner == {name: study.trials.at[study.best, name] for name in study.defaults}
    assert len(study.runs) == 52 * 2 + 8 + 15
    assert study.mixed == []


def test_the_difference_is_that_of_the_fresh_seeds(make_study: MakeStudy) -> None:
    study = read_study(make_study(gain=0.03))
    assert study.difference is not None
    assert study.difference.pairs == 5
    assert study.difference.low < 0.03 < study.difference.high
    assert read_study(make_study(compared=False, name="begun")).difference is None


def test_the_front_is_what_no_trial_beats_on_both(make_study: MakeStudy) -> None:
    study = read_study(make_study(objectives=(MAP, SECONDS)))
    points = study.complete[["mAP", "train_seconds"]]
    front = points.loc[study.front]
    assert front["mAP"].is_monotonic_decreasing
    assert front["train_seconds"].is_monotonic_decreasing
    for number, point in points.drop(study.front).iterrows():
        beaten = (front["mAP"] >= point["mAP"]) & (front["train_seconds"] <= point["train_seconds"])
        assert beaten.any(), number


def test_a_study_where_every_trial_diverged_is_refused_in_one_line(make_study: MakeStudy, tmp_path: Path) -> None:
    folder = make_study(trials=4, outcomes=dict.fromkeys(range(4), "diverged"))
    with pytest.raises(InputError, match=r"needs a complete trial, found 4 diverged \(trial 0: diverged: the ID loss"):
        write_report(folder, tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()


def test_a_study_without_a_trial_is_refused(make_study: MakeStudy) -> None:
    with pytest.raises(InputError, match="needs a complete trial, found no trial; go on with the search"):
        read_study(make_study(trials=0))


def test_runs_of_two_codes_are_refused_unless_allowed(make_study: MakeStudy) -> None:
    folder = make_study(trials=3)
    edit(next((folder.parents[1] / "runs").iterdir()) / "run.json", lambda asked: asked | {"code": "feedbeef"})
    with pytest.raises(InputError, match="found more than one training code: c0dec0dec0dec0de"):
        read_study(folder)
    assert len(read_study(folder, allow_mixed=True).mixed) == 1


@pytest.mark.parametrize("name", ["study", "trials"])
def test_files_that_are_missing_or_broken_are_refused(make_study: MakeStudy, name: str) -> None:
    folder = make_study(trials=3)
    (folder / f"{name}.json").write_text("{")
    with pytest.raises(InputError, match=rf"{name}\.json: must be JSON"):
        read_study(folder)
    (folder / f"{name}.json").unlink()
    with pytest.raises(InputError, match=rf"{name}\.json: a study folder holds a {name}\.json, found none"):
        read_study(folder)


def test_a_study_without_its_keys_is_refused(make_study: MakeStudy) -> None:
    folder = make_study(trials=3)
    edit(folder / "study.json", lambda content: {key: content[key] for key in content if key != "objectives"})
    with pytest.raises(InputError, match=r"study\.json: objectives: Field required"):
        read_study(folder)


def test_what_matters_is_refused(make_study: MakeStudy, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--matters 0\.5: is for effects of a grid"):
        write_report(make_study(trials=3), tmp_path, matters=0.005)


def test_the_search_and_the_test_set_may_have_fingerprints_of_their_own_but_no_third(make_study: MakeStudy) -> None:
    folder = make_study(trials=3)
    assert read_study(folder).mixed == []
    trial = json.loads((folder / "trials.json").read_text())[0]
    path = folder.parents[1] / "runs" / trial["runs"][0]["signature"] / "run.json"
    edit(path, lambda asked: asked | {"dataset": asked["dataset"] | {"fingerprint": "feedbeef"}})
    with pytest.raises(InputError, match="found more than one data fingerprint: fedcba9876543210"):
        read_study(folder)
