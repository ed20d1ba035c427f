"""Names, texts and addresses as MLflow takes them: its keys have few characters, and its values end somewhere."""

import os
import posixpath
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reid.recipe import digest

LONGEST_KEY = 250
LONGEST_TAG = 8000
LONGEST_PARAM = 6000
LONGEST_EXPERIMENT_TAG = 20_000
REFUSED = re.compile(r"[^A-Za-z0-9_./ :-]")


def key(name: str) -> str:
    """`name` where MLflow takes it; else what it takes of it, with a digest, so that no two names become one."""
    safe = REFUSED.sub("_", name)
    if posixpath.normpath(safe) != safe or safe.startswith(("/", "..")):  # MLflow takes it for the path of a file
        safe = safe.replace("/", "_")
    return name if safe == name and len(name) <= LONGEST_KEY else f"{safe[:200]}-{digest(name)[:8]}"


def value(told: object, longest: int = LONGEST_TAG) -> str:
    """A text that every database takes, cut after so many characters."""
    text = str(told).replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def note(head: str, yaml: str, where: str, longest: int) -> str:
    """A note of a heading and a YAML file, which is cut where it is too long and then said to be `where`."""
    begin, end = f"{value(head, longest // 2)}\n\n```yaml\n", "\n```"
    cut = f"{end}\n\nCut here; the whole file is {where}."
    whole = f"{begin}{value(yaml, len(yaml) + 1)}{end}"
    return whole if len(whole) <= longest else f"{begin}{value(yaml, longest - len(begin) - len(cut))}{cut}"


def sqlite_uri(path: Path) -> str:
    """The URI of a SQLite file. SQLAlchemy takes what follows a question mark for options, and decodes %20."""
    return f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"


def without_login(uri: str) -> str:
    """The address of a server alone: user and password in it move to where MLflow's client takes them from.

    So no address that it makes, and no error of it, has them.
    """
    with suppress(ValueError):  # no address at all, as MLflow will say
        parts = urlsplit(uri)
        if parts.scheme in ("http", "https") and parts.username and parts.password is not None:
            os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
            os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password)
            return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return uri
