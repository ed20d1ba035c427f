"""The drawn data set: layout, names, determinism, difficulty by shared clothes, and what is refused."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from reid.data.synthetic import SyntheticSpec, synthesize
from reid.data.synthetic.camera import camera
from reid.data.synthetic.domain import DOMAINS
from reid.data.synthetic.identity import person
from reid.data.synthetic.plan import shots
from reid.data.synthetic.scene import photograph, walk
from reid.errors import InputError

NAME = re.compile(r"([-\d]+)_c(\d)s(\d)_(\d{6})_(\d{2})\.jpg")
FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
COATS = ("coat", "jacket")
SPEC = SyntheticSpec(train_identities=3, test_identities=3, cameras=3, images=7, seed=5)


def digests(root: Path) -> dict[str, str]:
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*.jpg"))
    }


def sightings(folder: Path) -> list[tuple[int, int]]:
    """(pid, camera) of every image."""
    matches = [NAME.fullmatch(file.name) for file in sorted(folder.iterdir())]
    assert all(matches)
    return [(int(match[1]), int(match[2])) for match in matches if match]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("drawn") / "demo"
    synthesize(out, SPEC)
    return out


def test_layout_and_counts(drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == sorted([*FOLDERS, "synthetic.json"])
    assert SyntheticSpec.model_validate_json((drawn / "synthetic.json").read_text()) == SPEC
    train, query, gallery = (sightings(drawn / folder) for folder in FOLDERS)
    assert Counter(pid for pid, _ in train) == {2: 7, 4: 7, 6: 7}
    assert Counter(pid for pid, _ in query + gallery if pid > 0) == {1: 7, 3: 7, 5: 7}
    assert Counter(pid for pid, _ in gallery if pid < 1) == {-1: 3, 0: 3}
    assert {camera for _, camera in train + query + gallery} == {1, 2, 3}


def test_images_are_128_by_64_jpeg(drawn: Path) -> None:
    for file in drawn.rglob("*.jpg"):
        with Image.open(file) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 128))


def test_distractors_have_four_digits(drawn: Path) -> None:
    names = [file.name for file in (drawn / "bounding_box_test").iterdir()]
    assert sum(name.startswith("0000_") for name in names) == 3
    assert sum(name.startswith("-1_") for name in names) == 3


@pytest.mark.parametrize("images", [4, 5, 9, 40])
@pytest.mark.parametrize("cameras", [2, 6, 9])
def test_every_query_has_a_match_under_another_camera(images: int, cameras: int) -> None:
    plan = list(shots(SyntheticSpec(train_identities=2, test_identities=30, cameras=cameras, images=images)))
    seen = defaultdict(set)
    for shot in plan:
        if shot.folder == "bounding_box_test":
            seen[shot.pid].add(shot.camera)
    queries = [(shot.pid, shot.camera) for shot in plan if shot.folder == "query"]
    assert len(queries) == len(set(queries)) >= 60
    assert all(seen[pid] - {camera} for pid, camera in queries)


def test_names_are_unique_and_parts_disjoint() -> None:
    plan = list(shots(SyntheticSpec(train_identities=50, test_identities=200, cameras=2, images=60)))
    names = [(shot.folder, shot.name) for shot in plan]
    assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(name) for _, name in names)
    train = {shot.pid for shot in plan if shot.folder == "bounding_box_train"}
    test = {shot.pid for shot in plan if shot.folder != "bounding_box_train"}
    assert not train & test


def test_largest_set_keeps_the_form_of_names() -> None:
    plan = shots(SyntheticSpec(train_identities=2, test_identities=4999, cameras=9, images=4))
    assert all(NAME.fullmatch(shot.name) for shot in plan)


def test_same_spec_same_bytes(drawn: Path, tmp_path: Path) -> None:
    synthesize(tmp_path / "again", SPEC)
    assert digests(tmp_path / "again") == digests(drawn)


def test_another_seed_changes_every_image(drawn: Path, tmp_path: Path) -> None:
    synthesize(tmp_path / "other", SPEC.model_copy(update={"seed": 6}))
    assert not set(digests(tmp_path / "other").values()) & set(digests(drawn).values())


def test_an_image_does_not_depend_on_the_number_of_identities(drawn: Path, tmp_path: Path) -> None:
    synthesize(tmp_path / "more", SPEC.model_copy(update={"train_identities": 5, "test_identities": 4}))
    small, large = digests(drawn), digests(tmp_path / "more")
    assert small.items() < large.items()


def test_the_second_domain_is_another_world(drawn: Path, tmp_path: Path) -> None:
    """Darker, warmer and noisier, with people who wear coats; by name, layout and people's number the same."""
    assert SPEC.domain == "day"
    night = SPEC.model_copy(update={"domain": "night"})
    synthesize(tmp_path / "night", night)
    assert digests(tmp_path / "night").keys() == digests(drawn).keys()
    assert not set(digests(tmp_path / "night").values()) & set(digests(drawn).values())
    day, dark = (
        np.mean([np.asarray(Image.open(file)).mean((0, 1)) for file in root.rglob("*.jpg")], axis=0)
        for root in (drawn, tmp_path / "night")
    )
    assert dark.mean() < 0.85 * day.mean()
    assert dark[0] / dark[2] > 1.15 * day[0] / day[2]
    coats = {
        name: sum(person(0, "identity", pid, clothes=domain.clothes).upper.kind in COATS for pid in range(200))
        for name, domain in DOMAINS.items()
    }
    assert coats["night"] > 1.5 * coats["day"]
    with pytest.raises(InputError, match=r"holds a drawn data set with domain day \(asked: night\)"):
        synthesize(drawn, night)


def test_every_domain_can_be_drawn_whatever_the_seed() -> None:
    """Crops that leave the shoulders out, cameras that look far down: nothing is drawn upside down."""
    for name, domain in DOMAINS.items():
        for seed in range(12):
            view = camera(seed, 1, domain)
            assert view.domain is DOMAINS[name]
            for step in range(6):
                who = person(seed, "identity", step, clothes=domain.clothes)
                assert photograph(seed, view, who, walk(seed, view, "walk", step), step, 5.0, "image", step)


def test_images_of_a_tracklet_differ(drawn: Path) -> None:
    found = digests(drawn)
    assert len(set(found.values())) == len(found)


def test_colour_twins_share() -> None:
    """Colours alone do not tell people apart: more than a third of 30 persons wears the colours of another one."""
    for seed in range(5):
        people = [person(seed, "identity", pid) for pid in range(1, 61, 2)]
        worn = Counter((who.upper.colour, who.lower.colour) for who in people)
        share = sum(count for count in worn.values() if count > 1) / len(people)
        assert 0.35 < share < 0.9


def test_twins_are_not_the_same_person() -> None:
    people = [person(0, "identity", pid) for pid in range(1, 201)]
    assert len(set(people)) == len(people)


def test_progress_counts_to_the_total(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    spec = SyntheticSpec(train_identities=2, test_identities=2, cameras=2, images=4)
    synthesize(tmp_path / "set", spec, lambda done, total: calls.append((done, total)))
    count = len(list((tmp_path / "set").rglob("*.jpg")))
    assert calls == [(k, count) for k in range(1, count + 1)]


def test_what_is_there_is_kept(drawn: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in drawn.rglob("*")}
    synthesize(drawn, SPEC, lambda *_: pytest.fail("drew again"))
    assert {file: file.stat().st_mtime_ns for file in drawn.rglob("*")} == before


def test_another_spec_is_refused(drawn: Path) -> None:
    with pytest.raises(InputError, match=r"demo: holds a drawn data set with seed 5 \(asked: 6\)"):
        synthesize(drawn, SPEC.model_copy(update={"seed": 6}))


@pytest.mark.parametrize("content", [None, "{}", "no JSON"])
def test_a_folder_of_something_else_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "synthetic.json").write_text(content)
    with pytest.raises(InputError, match="exists and is no drawn data set"):
        synthesize(tmp_path, SPEC)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/set: cannot be written \(File exists\)"):
        synthesize(tmp_path / "file" / "set", SPEC)


def test_a_killed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    spec = SyntheticSpec(train_identities=2, test_identities=2, cameras=2, images=4)

    def kill(done: int, total: int) -> None:
        if done == total - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path / "set", spec, kill)
    assert not (tmp_path / "set").exists()
    (stray,) = tmp_path.glob(".*/query")
    (stray / "stray.jpg").write_text("left over")
    synthesize(tmp_path / "set", spec)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".set.lock", "set"]
    assert not (tmp_path / "set" / "query" / "stray.jpg").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("train_identities", 1), ("test_identities", 5000), ("cameras", 1), ("cameras", 10), ("images", 3), ("seed", -1)],
)
def test_spec_refuses(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=field):
        SyntheticSpec.model_validate({**SPEC.model_dump(), field: value})


def test_spec_refuses_unknown_keys() -> None:
    with pytest.raises(ValidationError, match="identities"):
        SyntheticSpec.model_validate_json(json.dumps({**SPEC.model_dump(), "identities": 3}))
