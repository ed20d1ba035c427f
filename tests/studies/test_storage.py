"""Storages: which there are, that their lock locks, and what is said where one cannot be used."""

import threading
from pathlib import Path

import pytest

from reid.errors import InputError
from reid.studies.storage import Storage


@pytest.mark.parametrize("asked", ["sqlite", "journal"])
def test_words_are_files_in_the_folder(asked: str, tmp_path: Path) -> None:
    with Storage(asked, tmp_path / "study") as storage:
        file = tmp_path / "study" / {"sqlite": "study.db", "journal": "journal.log"}[asked]
        assert file.is_file()
        assert storage.url == storage.shown == f"{asked}:///{file}"
    with Storage(storage.url, tmp_path / "elsewhere"):
        assert not (tmp_path / "elsewhere").exists()


def require_lock(asked: str, folder: Path) -> None:
    """Of two that want the lock, the second has it once the first lets go."""
    order: list[str] = []

    def second() -> None:
        with Storage(asked, folder) as other:
            waits.set()
            with other.lock():
                order.append("second")

    waits = threading.Event()
    thread = threading.Thread(target=second)
    with Storage(asked, folder) as storage:
        thread.start()
        assert waits.wait(60)
        with storage.lock():
            order.append("first")
            thread.join(0.5)
            order.append("first again") if thread.is_alive() else None
        thread.join(60)
    assert order in (["first", "first again", "second"], ["second", "first"]), "never in between"


@pytest.mark.parametrize("asked", ["sqlite", "journal"])
def test_the_lock_is_held_by_one(asked: str, tmp_path: Path) -> None:
    require_lock(asked, tmp_path)


def test_the_lock_of_postgresql_is_held_by_one(database: str, tmp_path: Path) -> None:
    require_lock(database, tmp_path)


def test_a_password_is_not_shown(database: str, tmp_path: Path) -> None:
    with Storage(database, tmp_path) as storage:
        assert "secret" in storage.url
        assert "secret" not in storage.shown
        assert storage.shown.startswith("postgresql+psycopg://reid@127.0.0.1:")
    with pytest.raises(InputError, match=r"cannot be used \(.*password authentication failed") as caught:
        Storage(database.replace("no%20secret", "wrong-word"), tmp_path)
    assert "wrong-word" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"storage postgresql\+psycopg://me@127\.0\.0\.1:1/db: cannot be used"
    ) as caught:
        Storage("postgresql://me:word@127.0.0.1:1/db", tmp_path)
    assert "word" not in str(caught.value).replace("password", "")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for asked in (f"sqlite:///{tmp_path}/file/study.db", f"journal:///{tmp_path}/file/journal.log"):
        with pytest.raises(InputError, match="cannot be used"):
            Storage(asked, tmp_path)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("no database at all, but a long enough text to be one" * 10)
    with pytest.raises(InputError, match="file is not a database"):
        Storage("sqlite", tmp_path)


@pytest.mark.parametrize(
    "asked", ["mysql://me@host/db", "sqlitee", "postgresql://host", "sqlite://", "", "redis://x/1"]
)
def test_other_forms_are_refused(asked: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="storage: must be sqlite, journal, sqlite:///FILE"):
        Storage(asked, tmp_path / "study")
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("asked", ["sqlite", "journal"])
def test_any_path_of_an_output_folder_is_its_own(tmp_path: Path, asked: str) -> None:
    folder = tmp_path / "a?b=c%20d #e" / "studies" / "s"
    with Storage(asked, folder) as storage:
        shown = storage.shown
    assert [path.name for path in tmp_path.iterdir()] == ["a?b=c%20d #e"]
    before = sorted(path.name for path in folder.iterdir())
    with Storage(shown, folder):
        assert sorted(path.name for path in folder.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["a?b=c%20d #e"]
