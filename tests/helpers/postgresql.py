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


class Server:
    """A PostgreSQL server on a free port of 127.0.0.1, with an empty database, in the folder `home`."""

    def __init__(self, home: Path) -> None:
        programs = binaries()
        need(None if programs else "PostgreSQL is not installed")
        assert programs is not None
        self.home, self.programs = home, programs
        # It refuses to run as root, and that other user may not enter pytest's folder.
        self.user = "nobody" if os.geteuid() == 0 else None
        (home / "password").write_text(PASSWORD)
        if self.user:
            record = pwd.getpwnam(self.user)
            for path in (home, home / "password"):
                os.chown(path, record.pw_uid, record.pw_gid)
        subprocess.run(
            [
                programs / "initdb", "-D", home / "data", "-U", "reid", "-A", "scram-sha-256", "--no-sync",
                f"--pwfile={home / 'password'}", "-E", "UTF8", "--locale=C",
            ],
            user=self.user, cwd=home, check=True, capture_output=True,
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"postgresql://reid:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [f"-cport={self.port}", "-clisten_addresses=127.0.0.1", f"-cunix_socket_directories={self.home}"]
        with (self.home / "log").open("ab") as log:
            command = [str(self.programs / "postgres"), "-D", str(self.home / "data"), *options, "-cfsync=off"]
            self.process = subprocess.Popen(command, user=self.user, cwd=self.home, stdout=log, stderr=log)
        wait_for(lambda: answers(self.url))

    def kill(self) -> None:
        """End it at once, with every connection."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of an empty database whose server ends with the tests."""
    with tempfile.TemporaryDirectory(prefix="reid-postgresql-", ignore_cleanup_errors=True) as temporary:
        server = Server(Path(temporary))
        server.start()
        yield server.url
        server.kill()


@pytest.fixture
def mortal_postgresql() -> Iterator[Server]:
    """A running server of the test's own, to be killed and started again."""
    with tempfile.TemporaryDirectory(prefix="reid-postgresql-", ignore_cleanup_errors=True) as temporary:
        server = Server(Path(temporary))
        server.start()
        yield server
        server.kill()


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
