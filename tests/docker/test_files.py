"""No Docker engine is needed: what the image and the composition name is there, and is what the project pins."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from reid.cli.app import app
from reid.shown import hide_uri
from tests.docker.composition import DOCKER, secrets_asked

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return services


def dockerfile() -> list[str]:
    """Instructions of the Dockerfile, continued lines joined, without comments."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    return re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()


def project() -> dict[str, Any]:
    declared: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return declared


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found is not None
    return found[0].lower().replace("_", "-")


def test_the_image_has_the_versions_that_the_project_pins() -> None:
    (install,) = [line for line in dockerfile() if "pip install" in line]
    assert "--constraint constraints.txt" in install
    extras = re.findall(r"\.\[(.*?)\]", install)[0].split(",")
    pins = {name_of(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line[0] != "#"}
    declared = project()
    wanted = [*declared["dependencies"], *(one for extra in extras for one in declared["optional-dependencies"][extra])]
    assert {name_of(one) for one in wanted} <= pins


def test_the_base_has_a_python_that_the_project_takes() -> None:
    (base,) = [line.removeprefix("ARG BASE=") for line in dockerfile() if line.startswith("ARG BASE=")]
    version = re.fullmatch(r"python:(\d+\.\d+)-slim-\w+", base)
    assert version is not None
    assert project()["requires-python"] == f">={version[1]}"


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    for line in dockerfile():
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, source


def test_what_the_wheel_is_made_of_is_in_the_image() -> None:
    copied = " ".join(line for line in dockerfile() if line.startswith("COPY "))
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for source in [*included["packages"], project()["readme"], *project()["license-files"]]:
        assert Path(source).parts[0] in copied.split(), source


def test_every_mount_file_and_dependency_exists(compose: dict[str, Any]) -> None:
    services, volumes = compose["services"], set(compose["volumes"])
    for service in services.values():
        for mount in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", mount).split(":")[0]
            assert (DOCKER / source).is_file() if source.startswith("./") else source in volumes, mount
        for other, waited in service.get("depends_on", {}).items():
            if waited["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{other} is waited for until it is healthy"
            else:
                assert "restart" not in services[other], f"{other} is waited for until it has ended"
        if "build" in service:
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    overlay = yaml.safe_load((DOCKER / "compose.gpu.yaml").read_text())
    assert set(overlay["services"]) <= set(services)


def test_no_secret_is_in_the_files_and_every_variable_is_in_the_example() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    example = (DOCKER / "example.env").read_text()
    names = set(re.findall(r"\$\{(\w+)", text))
    for name in names:
        assert re.search(rf"^#? ?{name}=", example, re.MULTILINE), name
    assert set(secrets_asked()) == {name for name in names if name.endswith(("PASSWORD", "KEY"))}, "for the user to set"
    assert "docker/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_secret_is_on_a_command_line_or_in_a_uri(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        told = [*service.get("command", []), *service.get("healthcheck", {}).get("test", [])]
        told += [value for value in service["environment"].values() if "://" in value]
        assert not [word for word in told for secret in secrets_asked() if secret in word], name
        assert not [word for word in told if hide_uri(word) != word], name


def test_every_service_has_a_user_of_its_own(compose: dict[str, Any]) -> None:
    told = {name: service["environment"] for name, service in compose["services"].items()}
    assert told["mlflow"]["PGPASSWORD"] != told["worker"]["PGPASSWORD"] != told["backup"]["PGPASSWORD"]
    assert "//mlflow@" in told["mlflow"]["MLFLOW_BACKEND_STORE_URI"]
    assert "//studies@" in told["worker"]["REID_STORAGE"]
    assert told["worker"]["MLFLOW_TRACKING_USERNAME"] == told["users"]["WORKER_USERNAME"] != "admin"
    assert "MLFLOW_ADMIN_PASSWORD" not in str(told["worker"])


def test_the_worker_runs_a_command_that_there_is(compose: dict[str, Any]) -> None:
    program, name, grid = compose["services"]["worker"]["command"]
    assert program in project()["scripts"]
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert name in commands
    assert (ROOT / re.sub(r"\$\{\w+:-(\w+)\}", r"\1", grid)).is_file()
    assert any("--storage" in parameter.opts for parameter in commands["tune"].params)
    mounted = {mount.split(":")[-1] for mount in compose["services"]["worker"]["volumes"]}
    assert mounted == {"/work/output", "/work/data"}
    assert "WORKDIR /work" in dockerfile()


def test_mlflow_takes_every_option(compose: dict[str, Any]) -> None:
    program, command, *options = compose["services"]["mlflow"]["command"]
    help_text = subprocess.run(
        [sys.executable, "-m", program, command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in options:
        assert re.search(rf"{option.split('=')[0]}\b", help_text), option
