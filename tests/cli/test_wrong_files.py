"""A file that is whole, and given to another command than it is meant for: what it is, and which command takes it."""

from pathlib import Path

import pytest

from reid.cli.app import main

FILES = {
    "grid.yaml": "name: g\ndataset: {name: d, root: d}\nfactors: {warmup: , bnneck: }\n",
    "study.yaml": "name: s\ndataset: {name: d, root: d}\ntricks: {center_loss: }\ntrials: 4\n",
    "recipe.yaml": "schedule: {epochs: 3}\n",
    "seeds.yaml": "name: g\ndataset: {name: d, root: d}\nfactors: {warmup: , bnneck: }\nseeds: 3\n",
    "studyseeds.yaml": "name: s\ndataset: {name: d, root: d}\ntricks: {center_loss: }\ntrials: 4\nseeds: 2\n",
    "path.yaml": "name: g\ndataset: /data/market\nfactors: {warmup: , bnneck: }\n",
    "list.yaml": "name: g\ndataset: [d]\nfactors: {warmup: , bnneck: }\n",
    "plugins.yaml": "name: g\ndataset: {name: d, root: d}\nplugins: mine.py\nfactors: {warmup: , bnneck: }\n",
}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("ablate study.yaml", "study.yaml: is the file of a study; `reid tune` searches it"),
        ("tune grid.yaml", "grid.yaml: is the file of a grid; `reid ablate` trains it"),
        ("ablate recipe.yaml", "recipe.yaml: is a recipe; the file of a grid or study holds it under `recipe`"),
        ("tune recipe.yaml", "recipe.yaml: is a recipe; the file of a grid or study holds it under `recipe`"),
        (
            "evaluate --checkpoint w --recipe grid.yaml --on d",
            "grid.yaml: is the file of a grid; `reid ablate` trains it",
        ),
        (
            "ablate seeds.yaml",
            "seeds.yaml:4: seeds: must be a list of seeds: [0, 1, 2] for 3 of them, or [3]",
        ),
        ("tune studyseeds.yaml", "studyseeds.yaml:5: seeds: must be a list of seeds: [0, 1] for 2 of them"),
        (
            "ablate path.yaml",
            "path.yaml:2: dataset: must be the name and the folder of a data set: {name: market,",
        ),
        ("ablate list.yaml", "list.yaml:2: dataset: must be keys with values, found ['d']"),
        ("ablate plugins.yaml", "plugins.yaml:3: plugins: must be a list, such as [1, 2], found 'mine.py'"),
        ("data check market1501 flat", "3 images lie beside it: sort them into these, or list them in a CSV"),
    ],
)
def test_one_line_says_what_it_is_and_what_takes_it(
    words: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    Path("flat").mkdir()
    for number in range(3):
        Path("flat", f"000{number}_c1s1_000001_00.jpg").touch()
    monkeypatch.setattr("sys.argv", ["reid", *words.split()])
    with pytest.raises(SystemExit, match="2"):
        main()
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
