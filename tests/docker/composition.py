"""The services of docker/compose.yaml as they are here, without Docker: their commands and environments."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DOCKER = Path(__file__).parents[2] / "docker"


def services() -> dict[str, Any]:
    """The services of the composition as the file has them."""
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    return found


def environment(service: str, secrets: Mapping[str, str], places: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service: `secrets` by their names in docker/.env, and places of the composition here."""
    told = {}
    for name, value in services()[service]["environment"].items():
        text = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: secrets[found[1]], value)
        for place, here in places.items():
            text = text.replace(place, here)
        told[name] = text
    return told


def secrets_asked() -> list[str]:
    """The secrets that docker/.env must have, by docker/example.env."""
    return re.findall(r"^(\w*(?:PASSWORD|KEY))=$", (DOCKER / "example.env").read_text(), re.MULTILINE)
