"""The files for containers: Compose's own schema holds docker-compose.yml, and what they name is there. No container engine is needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from copy import deepcopy
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

import settings
from journey.errors import BadInput

HOUSE = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(HOUSE / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DONE_AT_ONCE = ("setup", "temporal-schema")
DOCKERFILE = (HOUSE / "Dockerfile").read_text()
ENVIRONMENT = dict(re.findall(r"^(\w+)=(.*)$", (HOUSE / ".env.example").read_text(), re.MULTILINE))


def schema() -> Draft202012Validator:
    """Of the Compose specification, as check-jsonschema carries it."""
    file = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))


def copied() -> list[str]:
    """What the Dockerfile takes from this folder."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


@pytest.mark.complaint(25)
def test_the_compose_file_is_one() -> None:
    assert [f"{error.json_path}: {error.message}" for error in schema().iter_errors(COMPOSE)] == []


@pytest.mark.parametrize("wrong", [{"imagine": "x"}, {"ports": [None]}, {"depends_on": {"x": {"condition": "started"}}}, {"restart": 1}])
def test_the_schema_refuses_what_is_none(wrong: dict[str, Any]) -> None:
    changed = deepcopy(COMPOSE)
    changed["services"]["mail"] |= wrong
    assert not schema().is_valid(changed)


def test_a_service_waits_only_for_what_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            needed = {"service_healthy": "healthcheck", "service_completed_successfully": "restart", "service_started": "image"}
            assert needed[how["condition"]] in SERVICES[other]
            assert (how["condition"] == "service_completed_successfully") == (other in DONE_AT_ONCE)


def test_whatever_stays_up_is_looked_after() -> None:
    for name, service in SERVICES.items():
        assert name in DONE_AT_ONCE or ("healthcheck" in service and service["restart"] == "unless-stopped"), name


def test_every_volume_that_is_used_is_declared_and_no_other() -> None:
    used = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])


def test_every_image_is_named_with_its_version() -> None:
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", image)] == []
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    assert {service["image"] for service in SERVICES.values() if "build" in service} == {f"sojourn:{project['version']}"}


def test_the_databases_are_reached_with_one_password_that_stands_elsewhere() -> None:
    given = [
        value
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if re.search(r"PASSWORD|PWD|SECRET|KEY", name)
    ]
    asked = "${POSTGRES_PASSWORD:?copy .env.example to .env and write a password into it}"
    assert sorted(given) == ["", "", "", asked, asked, asked]
    for name in ("api", "worker", "setup"):
        assert SERVICES[name]["environment"]["SOJOURN_DATABASE_URL"] == f"postgresql://sojourn:{asked}@postgres:5432/sojourn"
    assert [ENVIRONMENT[name] for name in ("POSTGRES_PASSWORD", "SOJOURN_SECRET", "SOJOURN_ADMIN_KEY")] == ["", "", ""]
    assert "/.env" in (HOUSE / ".gitignore").read_text().split()


def test_ports_are_open_to_this_machine_only() -> None:
    assert [port for service in SERVICES.values() for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")] == []


def test_every_setting_in_these_files_is_one() -> None:
    files = (HOUSE / name for name in ("docker-compose.yml", ".env.example", "Dockerfile"))
    named = {name for file in files for name in re.findall(r"\bSOJOURN_[A-Z_]+", file.read_text())}
    assert named
    assert named <= {settings.PREFIX + name.upper() for name in settings.Settings.model_fields}


@pytest.mark.complaint(25)
@pytest.mark.parametrize(("service", "keys"), [("api", ("secret", "admin_key")), ("worker", ("secret",))])
def test_sojourn_understands_what_its_containers_are_told(monkeypatch: pytest.MonkeyPatch, service: str, keys: tuple[str, ...]) -> None:
    for name in os.environ:
        if name.startswith("SOJOURN_"):
            monkeypatch.delenv(name)
    for name, value in (ENVIRONMENT | SERVICES[service]["environment"]).items():
        monkeypatch.setenv(name, re.sub(r"\$\{.*\}", "p4ssword", value))
    with pytest.raises(BadInput, match=r"^SOJOURN_SECRET (and SOJOURN_ADMIN_KEY are|is) not set: "):
        settings.shared(settings.load(), *keys)
    for name in ("SECRET", "ADMIN_KEY"):
        monkeypatch.setenv(f"SOJOURN_{name}", "a secret of its owner's")
    found = settings.shared(settings.load(), *keys)
    assert (found.temporal_address, found.database) == ("temporal:7233", "postgresql://sojourn:p4ssword@postgres:5432/sojourn")
    assert (found.smtp_url, found.links_url) == ("smtp://mail:1025", "http://localhost:8000")
    assert f"{found.api_host}:{found.api_port}" == "0.0.0.0:8000"
    assert found.metrics_port == (9000 if service == "worker" else 0)


def test_what_there_are_several_of_has_a_port_for_each() -> None:
    assert {name: service["deploy"]["replicas"] for name, service in SERVICES.items() if "deploy" in service} == {"api": 2, "worker": 2}
    (ports,) = SERVICES["api"]["ports"]
    first, last = re.fullmatch(r"127\.0\.0\.1:(\d+)-(\d+):8000", ports).groups()  # type: ignore[union-attr]  # it fails when it is none
    assert int(last) - int(first) + 1 == SERVICES["api"]["deploy"]["replicas"]


def test_what_makes_the_databases_is_a_script_that_a_shell_reads() -> None:
    service = SERVICES["temporal-schema"]
    assert service["entrypoint"] == ["sh", "-ec"]
    (script,) = service["command"]
    assert subprocess.run(["sh", "-n"], input=script.replace("$$", "$"), text=True, check=False).returncode == 0


def test_the_image_is_made_of_what_is_here_and_of_all_that_is_installed() -> None:
    assert [source for source in copied() if not (HOUSE / source).exists()] == []
    wheel = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) <= set(copied())


def test_nothing_else_gets_near_the_image() -> None:
    everything, *let_by = [line for line in (HOUSE / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert (everything, let_by.pop()) == ("*", "**/__pycache__")
    assert [line.removeprefix("!") for line in let_by] == copied()


def test_the_image_runs_as_nobody_special_below_an_init() -> None:
    last = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    assert re.search(r"^USER [1-9]\d+$", last, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["tini", "--", "sojourn"\]$', last, re.MULTILINE)


def test_the_image_is_built_with_the_uv_that_make_uses() -> None:
    (ours,) = re.findall(r"^UV_VERSION=(\S+)$", (HOUSE / "make" / "prepare.sh").read_text(), re.MULTILINE)
    assert f"uv=={ours}\n" in DOCKERFILE
