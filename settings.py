"""Every setting of Sojourn, read from `SOJOURN_*` of the environment by the roots alone. It knows none of the parts that get the values.

A wrong value stops the start with one sentence that names the setting and says what to write.
"""

from __future__ import annotations

import difflib
import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from journey import durations
from journey.errors import BadInput
from journey.messages import CHANNELS

PREFIX = "SOJOURN_"
_SECRET = ("secret", "secrets_before", "admin_key", "write_keys", "smtp_url", "temporal_api_key")  # never repeated in a sentence


def _address(*schemes: str, empty: bool = True) -> BeforeValidator:
    """An address with one of these schemes and a host; its closing slash is taken off, since paths are put behind it."""
    named = " or ".join(f"{scheme}://" for scheme in schemes)

    def check(raw: Any) -> str:
        if raw == "" and empty:
            return ""
        try:
            parts = urlsplit(str(raw))
            usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or re.search(r"\s", str(raw)):
            raise ValueError(f"it is an address that begins with {named} and names a host")
        return str(raw).rstrip("/")

    return BeforeValidator(check)


def _database(raw: Any) -> str:
    if raw and not str(raw).startswith("sqlite:///"):
        raise ValueError("it begins with sqlite:/// and names a file; no other database is supported yet")
    return str(raw)


def _port(raw: Any) -> int:
    if not re.fullmatch(r"\d{1,5}", str(raw)) or not 0 < int(raw) < 65536:
        raise ValueError("a port is a whole number from 1 to 65535")
    return int(raw)


def _host_and_port(raw: Any) -> str:
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}", str(raw)):
        raise ValueError("it is a host and a port, as in 127.0.0.1:7233")
    return str(raw)


def _switch(raw: Any) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return known[str(raw).strip().lower()]
    except KeyError:
        raise ValueError("it is true or false") from None


def _sender(raw: Any) -> str:
    if not re.fullmatch(r"[^<>\r\n]*<[^<>\s@]+@[^<>\s@]+>|[^<>\s@]+@[^<>\s@]+", str(raw).strip()):
        raise ValueError("it is an e-mail address, as in Shop <hello@shop.example>")
    return str(raw).strip()


def _seconds(raw: Any) -> int:
    if re.fullmatch(r"\d{1,9}", str(raw)):
        return int(raw)
    try:
        return durations.seconds(str(raw))
    except BadInput:
        raise ValueError("it is a number of seconds, or a duration as in P1D or PT12H") from None


def _write_keys(raw: Any) -> dict[str, str]:
    if isinstance(raw, dict):
        return raw
    keys: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in str(raw).split(","))):
        key, equals, namespace = part.partition("=")
        if not equals or not key.strip() or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", namespace.strip()):
            raise ValueError("it is written key=namespace,key2=namespace2, with namespaces as in customer_id")
        keys[key.strip()] = namespace.strip()
    return keys


def _file(raw: Any) -> Path | None:
    if not raw:
        return None
    try:
        with open(raw, "rb"):
            return Path(raw)
    except OSError as error:
def _rates(raw: Any) -> dict[str, float]:
    if isinstance(raw, dict):
        return raw
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in str(raw).split(","))):
        channel, _, rate = (side.strip() for side in part.partition("="))
        if channel not in CHANNELS or channel in rates or not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", rate) or float(rate) == 0:
            raise ValueError("it is written email=50,push=200: each channel once, with its messages a second, more than 0")
        rates[channel] = float(rate)
    return rates


        raise ValueError(f"it is a file, and this one cannot be read ({error.strerror})") from None


def _long_enough(least: int, *, each: bool = False) -> BeforeValidator:
    def check(raw: Any) -> str:
        if raw and any(len(one) < least for one in (str(raw).split(",") if each else [str(raw)])):
            raise ValueError(f"{'each' if each else 'it'} has at least {least} characters")
        return str(raw)

    return BeforeValidator(check)


def _mode(raw: Any) -> Any:
    if raw not in ("implicit", "explicit"):
        raise ValueError("it is implicit (a person who never said anything may be written to) or explicit (may not)")
    return raw


class Settings(BaseSettings):
    """All settings with their defaults. Each is the environment variable `SOJOURN_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    # where things are kept
    data_dir: Path = Path(".sojourn")
    database_url: Annotated[str, BeforeValidator(_database)] = Field("", description="a file in DATA_DIR when empty")

    # the Temporal server
    temporal_address: Annotated[str, BeforeValidator(_host_and_port)] = "127.0.0.1:7233"
    temporal_namespace: str = Field("sojourn", min_length=1)
    temporal_tls: Annotated[bool, BeforeValidator(_switch)] = False
    temporal_tls_ca: Path | None = None
    temporal_tls_cert: Path | None = None
    temporal_tls_key: Path | None = None
    temporal_api_key: str = ""
    temporal_ui: Annotated[str, _address("http", "https")] = Field("", description="the address of its page, for links")

    # the API, and how commands reach it
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, BeforeValidator(_port)] = 8000
    url: Annotated[str, _address("http", "https")] = Field("", description="where commands find the API; API_HOST and API_PORT when empty")
    admin_key: Annotated[str, _long_enough(8)] = Field("", description="kept in DATA_DIR when empty")
    write_keys: Annotated[dict[str, str], NoDecode, BeforeValidator(_write_keys)] = Field(default_factory=dict)

    # what is sent
    public_url: Annotated[str, _address("http", "https")] = Field("", description="the beginning of every link in a message")
    secret: Annotated[str, _long_enough(16)] = Field("", description="signs those links; kept in DATA_DIR when empty")
    secrets_before: Annotated[str, _long_enough(16, each=True)] = Field("", description="links signed with these go on working")
    mail_from: Annotated[str, BeforeValidator(_sender)] = "Sojourn <sojourn@localhost.localdomain>"
    smtp_url: Annotated[str, _address("smtp", "smtps")] = Field("", description="the development inbox when empty")
    push_url: Annotated[str, _address("http", "https")] = Field("", description="the development inbox when empty")

    fcm_credentials: Annotated[Path | None, BeforeValidator(_file)] = Field(None, description="instead of PUSH_URL")

    # how people are treated
    consent: Annotated[Literal["implicit", "explicit"], BeforeValidator(_mode)] = "implicit"
    create_profiles: Annotated[bool, BeforeValidator(_switch)] = True
    too_old: Annotated[int, BeforeValidator(_seconds)] = Field(86400, description="seconds after which an event's own time is too old")

    @property
    def database(self) -> str:
    send_rates: Annotated[dict[str, float], NoDecode, BeforeValidator(_rates)] = Field(default_factory=dict)

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
