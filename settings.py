"""Every setting of Sojourn, read from `SOJOURN_*` of the environment by the roots alone. It knows none of the parts that get the values.

A wrong value stops the start with one sentence that names the setting and says what to write.
"""

from __future__ import annotations

import difflib
import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

import setting_values as values
from journey.errors import BadInput

PREFIX = "SOJOURN_"
# never repeated in a sentence
_SECRET = ("secret", "secrets_before", "webhook_secrets", "admin_key", "write_keys", "smtp_url", "temporal_api_key", "database_url")


class Settings(BaseSettings):
    """All settings with their defaults. Each is the environment variable `SOJOURN_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    # where things are kept
    data_dir: Path = Path(".sojourn")
    database_url: Annotated[str, BeforeValidator(values.database)] = Field("", description="a file in DATA_DIR when empty")

    # the Temporal server
    temporal_address: Annotated[str, BeforeValidator(values.host_and_port)] = "127.0.0.1:7233"
    temporal_namespace: str = Field("sojourn", min_length=1)
    temporal_tls: Annotated[bool, BeforeValidator(values.switch)] = False
    temporal_tls_ca: Path | None = None
    temporal_tls_cert: Path | None = None
    temporal_tls_key: Path | None = None
    temporal_api_key: str = ""
    temporal_ui: Annotated[str, values.address("http", "https")] = Field("", description="the address of its page, for links")

    # the API, and how commands reach it
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, BeforeValidator(values.port)] = 8000
    url: Annotated[str, values.address("http", "https")] = Field(
        "", description="where commands find the API; API_HOST and API_PORT when empty"
    )
    admin_key: Annotated[str, values.long_enough(8)] = Field("", description="kept in DATA_DIR when empty")
    write_keys: Annotated[dict[str, str], NoDecode, BeforeValidator(values.write_keys)] = Field(default_factory=dict)

    # what an operator sees
    log_format: Annotated[Literal["text", "json"], BeforeValidator(values.log_format)] = "text"
    metrics_port: Annotated[int, BeforeValidator(values.port_or_none)] = Field(0, description="of a worker; none when 0")

    # what a worker works at
    task_queues: Annotated[Literal["all", "ordinary", "transactional"], BeforeValidator(values.queues)] = "all"

    # what is sent
    public_url: Annotated[str, values.address("http", "https")] = Field("", description="the beginning of every link in a message")
    secret: Annotated[str, values.long_enough(16)] = Field("", description="signs those links; kept in DATA_DIR when empty")
    secrets_before: Annotated[str, values.long_enough(16, each=True)] = Field("", description="links signed with these go on working")
    mail_from: Annotated[str, BeforeValidator(values.sender)] = "Sojourn <sojourn@localhost.localdomain>"
    smtp_url: Annotated[str, values.address("smtp", "smtps")] = Field("", description="the development inbox when empty")
    push_url: Annotated[str, values.address("http", "https")] = Field("", description="the development inbox when empty")

    fcm_credentials: Annotated[Path | None, BeforeValidator(values.file)] = Field(None, description="instead of PUSH_URL")

    send_rates: Annotated[dict[str, float], NoDecode, BeforeValidator(values.rates)] = Field(default_factory=dict)

    # webhooks
    webhook_secrets: Annotated[str, BeforeValidator(values.webhook_secrets)] = Field("", description="made of SECRET when empty")
    webhook_timeout: Annotated[int, values.number(1, 30)] = Field(10, description="seconds that a call may take")
    webhook_at_once: Annotated[int, values.number(1, 256)] = Field(16, description="calls to one host at a time, of each process")
    webhook_private: Annotated[str, BeforeValidator(values.networks)] = Field("", description="networks that may be called all the same")

    # what is kept
    retention_days: Annotated[int, values.number(98, 36500)] = Field(400, description="how long what is over is kept")

    # how people are treated
    consent: Annotated[Literal["implicit", "explicit"], BeforeValidator(values.mode)] = "implicit"
    create_profiles: Annotated[bool, BeforeValidator(values.switch)] = True
    too_old: Annotated[int, BeforeValidator(values.seconds)] = Field(
        86400, description="seconds after which an event's own time is too old"
    )
    soft_bounces: Annotated[int, values.number(1, 20)] = Field(5, description="in a row, after which an address is suppressed")

    @property
    def database(self) -> str:
        """The address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'sojourn.db'}"

    @property
    def api_url(self) -> str:
        """Where commands find the API."""
        return self.url or self.own_url

    @property
    def own_url(self) -> str:
        """Where the API of this process listens, as this machine reaches it."""
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.api_host, self.api_host)
        return f"http://[{here}]:{self.api_port}" if ":" in here else f"http://{here}:{self.api_port}"

    @property
    def links_url(self) -> str:
        """The beginning of every link in a message."""
        return self.public_url or self.own_url


def load() -> Settings:
    """The settings as the environment has them. Raises BadInput with one sentence about the first wrong one."""
    _refuse_what_is_not_there()
    try:
        return _refuse_two_carriers(Settings())
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).removeprefix(PREFIX.lower())
        why = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
        shown = "has a wrong value" if name in _SECRET else f"is {first['input']!r}"
        raise BadInput(f"{PREFIX}{name.upper()} {shown}: {why}.", code="setting_invalid", where=f"{PREFIX}{name.upper()}") from None


def completed(settings: Settings) -> Settings:
    """The settings with a secret and an admin key: those that are not set are made once and kept in DATA_DIR."""
    kept = {name: _kept(settings.data_dir, name) for name in ("secret", "admin_key") if not getattr(settings, name)}
    return settings.model_copy(update=kept)


def shared(settings: Settings, *keys: str) -> Settings:
    """The settings of one process among others: its keys are everybody's, so they are set rather than made. With SQLite there is nobody
    else. Raises BadInput with one sentence about those that are not set."""
    if settings.database.startswith("sqlite"):
        return completed(settings)
    if missing := [f"{PREFIX}{name.upper()}" for name in keys if not getattr(settings, name)]:
        many = len(missing) > 1
        raise BadInput(
            f"{' and '.join(missing)} {'are' if many else 'is'} not set: with PostgreSQL every process is given the same "
            f"{'ones' if many else 'one'}, since what is made in {PREFIX}DATA_DIR differs from machine to machine.",
            code="setting_invalid",
            where=missing[0],
        )
    return settings


def admin_key(settings: Settings) -> str:
    """The key that commands show to the API: the setting, else the one that a server on this machine keeps; empty when there is none."""
    try:
        return settings.admin_key or (settings.data_dir / "admin_key").read_text().strip()
    except OSError:
        return ""


def prepare(settings: Settings) -> None:
    """Make DATA_DIR. Raises BadInput when it cannot be."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(settings.data_dir, "nothing can be kept", error) from error


def _kept(folder: Path, name: str) -> str:
    file = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return file.read_text().strip()
        with os.fdopen(handle, "w") as written:
            made = secrets.token_urlsafe(32)
            written.write(made + "\n")
        return made
    except OSError as error:
        raise _unusable(folder, f"{name} cannot be kept", error) from error


def _unusable(folder: Path, why: str, error: OSError) -> BadInput:
    sentence = f"{PREFIX}DATA_DIR is '{folder}', where {why}: {error.strerror}. Name a folder that can be written to."
    return BadInput(sentence, code="setting_invalid", where=f"{PREFIX}DATA_DIR")


def _refuse_what_is_not_there() -> None:
    """A misspelt setting would be ignored in silence."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        if close := difflib.get_close_matches(name, known, n=1, cutoff=0.85):
            raise BadInput(f"{name} is no setting: {close[0]} is meant, it seems.", code="setting_invalid", where=name)


def _refuse_two_carriers(read: Settings) -> Settings:
    if read.push_url and read.fcm_credentials:
        raise BadInput(
            f"{PREFIX}PUSH_URL and {PREFIX}FCM_CREDENTIALS are both set: name one of them, since a push is sent one way.",
            code="setting_invalid",
            where=f"{PREFIX}FCM_CREDENTIALS",
        )
    return read
