"""A Slurm of one node on this machine: munged, slurmctld and slurmd of our own, with all their files in one folder."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.helpers.grids import wait_for
from tests.helpers.ray_cluster import family, free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "srun")

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no Slurm can be started here, None where it can."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: slurm-wlm munge)"
    return None if os.geteuid() == 0 else "slurmd needs root"


class Slurm:
    """A context manager; leaving it ends every process by its pid. `environment` is what its commands need."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # munge's socket lives in it: the path must be short
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        self.started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Slurm":
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        ports = {"controller_port": free_port(), "node_port": free_port()}
        configuration = CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=self.folder, **ports)
        (self.folder / "slurm.conf").write_text(configuration)
        files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid", "log-file": "munged.log"}
        flags = [f"--{flag}={self.folder / name}" for flag, name in {**files, "seed-file": "munge.seed"}.items()]
        self._start("munged", "--foreground", "--force", *flags)
        wait_for(lambda: (self.folder / "munge.socket").exists())
        self._start("slurmctld", "-D")
        self._start("slurmd", "-D")
        wait_for(lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("scancel", "--user=root")
        wait_for(lambda: not self.ask("squeue", "--noheader"))  # the shepherds of jobs are no children of slurmd
        for process in reversed([member for started in self.started for member in family(started.pid)]):
            process.kill()
        for started in self.started:
            started.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *words: str) -> str:
        """What a command of Slurm prints."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(words, capture_output=True, text=True, check=False, env=environment).stdout

    def _start(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.out").open("wb") as output:
            self.started.append(
                subprocess.Popen(
                    words, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                    env={**os.environ, **self.environment},
                )
            )  # fmt: skip
