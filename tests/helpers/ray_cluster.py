"""A Ray cluster of several nodes on this machine, each node a group of processes that can be killed by pid."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from tests.helpers.grids import wait_for

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_health_check_period_ms": "1000",  # so that a lost node is missed within seconds
    "RAY_health_check_failure_threshold": "10",  # of a machine that is busy, not lost
}
JOINED = """
import sys, time, ray
ray.init(sys.argv[1], log_to_driver=False)
while ray.cluster_resources().get("CPU", 0) < float(sys.argv[2]):
    time.sleep(0.2)
"""
OBJECT_STORE_BYTES = 80_000_000  # close to the least that Ray takes


class RayCluster:
    """A head without CPUs, and worker nodes of one CPU each. A context manager; leaving it ends every process."""

    def __init__(self, nodes: int) -> None:
        self.nodes = nodes
        self.temporary = Path(tempfile.mkdtemp(prefix="ray-"))  # sockets live in it: the path must be short
        self.address = f"127.0.0.1:{free_port()}"
        self.started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "RayCluster":
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start_all(self) -> None:
        host, port = self.address.split(":")
        self._start("--head", "--port", port, "--node-ip-address", host, "--num-cpus", "0", "--include-dashboard=false")
        wait_for(lambda: answers(host, int(port)))
        for node in range(self.nodes):  # one after the other: two at once take the same names of sockets
            self._start("--address", self.address, "--node-ip-address", host, "--num-cpus", "1")
            wait_for(lambda: all(self._raylet(started) for started in self.started))
            joined = [sys.executable, "-c", JOINED, self.address, str(node + 1)]
            subprocess.run(joined, env={**os.environ, **ENVIRONMENT}, check=True, timeout=300)

    def __exit__(self, *_: object) -> None:
        for node in reversed(self.started):
            self.kill_node(node)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _start(self, *words: str) -> None:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", *words]
        command += ["--object-store-memory", str(OBJECT_STORE_BYTES), "--temp-dir", str(self.temporary)]
        environment = {**os.environ, **ENVIRONMENT}
        with (self.temporary / f"node-{len(self.started)}.txt").open("wb") as output:
            started = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=environment
            )
        self.started.append(started)

    def training(self, node: int) -> list[psutil.Process]:
        """The processes of worker node `node` (0, 1, ...) that train a run now."""
        return [process for process in family(self.started[1 + node].pid) if title(process) == "ray::carry_out"]

    def kill_worker_node(self, node: int) -> None:
        """kill -9 of every process of worker node `node`."""
        self.kill_node(self.started[1 + node])

    def kill_node(self, started: "subprocess.Popen[bytes]") -> None:
        for process in family(started.pid):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        started.wait()

    def _raylet(self, started: "subprocess.Popen[bytes]") -> bool:
        assert started.poll() is None, "\n".join(file.read_text() for file in self.temporary.glob("node-*.txt"))
        return any(title(process).endswith("raylet") for process in family(started.pid))


def family(pid: int) -> list[psutil.Process]:
    """A process and all its descendants; none where it has ended."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def title(process: psutil.Process) -> str:
    """The first word of its command line; empty where it has ended."""
    with suppress(psutil.NoSuchProcess, IndexError):
        return process.cmdline()[0]
    return ""


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def answers(host: str, port: int) -> bool:
    with suppress(OSError):
        socket.create_connection((host, port), 1).close()
        return True
    return False
