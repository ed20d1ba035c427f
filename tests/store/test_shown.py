"""No password of a URI in what is stored and shown, whatever form it has; no control character either."""

import time

import pytest

from reid.errors import InputError
from reid.shown import hide, hide_uri, printable
from reid.tracking import TrackingError


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://me:MARK@host/db", "postgresql://me@host/db"),
        ("postgresql+psycopg://me:MARK@host:5432/db", "postgresql+psycopg://me@host:5432/db"),
        ("postgresql://me:a/MARK:?#b@host/db", "postgresql://me@host/db"),
        ("postgresql://me:a@MARK@host/db", "postgresql://me@host/db"),
        ("postgresql://:MARK@host/db", "postgresql://host/db"),
        ("http:/me:MARK@host", "http:/me@host"),
        ("postgresql:/me:MARK@host/db", "postgresql:/me@host/db"),
        ("postgresql://me@host/db?sslmode=x&password=MARK&a=b", "postgresql://me@host/db?sslmode=x&password=***&a=b"),
        ("HTTPS://me:MARK@host:5000/path", "HTTPS://me@host:5000/path"),
        ("https://host/path?access_token=MARK", "https://host/path?access_token=***"),
        ("--tracking-uri=http://me:MARK@host", "--tracking-uri=http://me@host"),
        ("http://host:5000/#/runs?by=me@here", "http://host:5000/#/runs?by=me@here"),
        ("sqlite:////folder/a:b@c.db", "sqlite:////folder/a:b@c.db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("ray.example.org:6379", "ray.example.org:6379"),
    ],
)
def test_what_is_left_of_a_uri(uri: str, shown: str) -> None:
    assert hide_uri(uri) == shown
    assert hide(f"see {uri} and http://a:MARK@b, me@home") == f"see {shown} and http://a@b, me@home"
    assert "MARK" not in str(InputError(f"storage {uri}: refused"))
    assert "MARK" not in str(TrackingError(f"store {uri}: refused"))


def test_a_password_with_spaces_is_hidden_where_it_is_known() -> None:
    uri = "postgresql://me:MARK of mine@host/db"
    assert hide_uri(uri) == "postgresql://me@host/db"
    assert "MARK" not in hide(f"storage: {uri}\nquestion: none\n", uri)


def test_a_known_password_is_hidden_wherever_it_is_said_in_either_form() -> None:
    words = "no host 'MARK@1' for MARK%401"
    assert hide(words, "postgresql://me:MARK%401@host/db") == "no host '***' for ***"


def test_the_end_of_a_password_is_hidden_where_it_is_taken_for_the_host() -> None:
    assert hide("no host 'MARK@host'", "postgresql://me:a@MARK@host/db") == "no host '***host'"


def test_a_text_made_to_be_slow_is_not() -> None:
    begun = time.monotonic()
    for word in ("a://b:", "http://a:", "?token", "x" * 9 + "://"):
        hide(word * (256 * 1024 // len(word)))
        hide(f"{word}," * (256 * 1024 // len(word)))
    assert time.monotonic() - begun < 5


def test_a_terminal_obeys_nothing() -> None:
    assert printable("a\x1b[31mb\r\nc\rd\x9b\u202e\ud800é ●\t") == "a\\u001b[31mb\nc\\u000dd\\u009b\\u202e\\ud800é ●\t"
