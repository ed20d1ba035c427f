"""A PostgreSQL cluster of our own, for the tests that need one."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.helpers.grids import wait_for
from tests.helpers.services import need

PASSWORD = "no secret"


def binaries() -> Path | None:
    """The folder of initdb and postgres, newest version first."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return Path(found).resolve().parent if found else next(iter(folders), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of an empty database on a free port of 127.0.0.1, whose server ends with the tests."""
    programs = binaries()
    need(None if programs else "PostgreSQL is not installed")
    assert programs is not None
    # Its server refuses to run as root, and that other user may not enter pytest's folder.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="reid-postgresql-", ignore_cleanup_errors=True) as temporary:
        home = Path(temporary)
        (home / "password").write_text(PASSWORD)
        if user:
            record = pwd.getpwnam(user)
            for path in (home, home / "password"):
                os.chown(path, record.pw_uid, record.pw_gid)
        subprocess.run(
            [
                programs / "initdb", "-D", home / "data", "-U", "reid", "-A", "scram-sha-256", "--no-sync",
                f"--pwfile={home / 'password'}", "-E", "UTF8", "--locale=C",
            ],
            user=user, cwd=home, check=True, capture_output=True,
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = [f"-cport={port}", "-clisten_addresses=127.0.0.1", f"-cunix_socket_directories={home}", "-cfsync=off"]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", home / "data", *options], user=user, cwd=home, stdout=log, stderr=log
            )
        address = f"reid:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}"
        try:
            wait_for(lambda: answers(f"postgresql://{address}/postgres"))
            yield f"postgresql://{address}/postgres"
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(60)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def database(postgresql: str, request: pytest.FixtureRequest) -> str:
    """URL of a database of the test's own."""
    name = f"test_{abs(hash(request.node.name))}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return postgresql.removesuffix("postgres") + name
