"""What a setting's value may be: each function reads one as the environment has it, and raises ValueError with the end of a sentence.

It knows no setting by name, and reads no environment.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from journey import calls, durations
from journey.errors import BadInput
from journey.messages import CHANNELS


def address(*schemes: str, empty: bool = True) -> BeforeValidator:
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


def database(raw: Any) -> str:
    """The address of a database of ours."""
    if not raw or re.fullmatch(r"sqlite:///[^?]+", str(raw)):
        return str(raw)
    try:
        parts = urlsplit(str(raw))
        usable = parts.scheme in ("postgresql", "postgres") and bool(parts.path.strip("/")) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", str(raw)):
        raise ValueError("it is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return str(raw)


def port(raw: Any) -> int:
    """A port."""
    if not re.fullmatch(r"\d{1,5}", str(raw)) or not 0 < int(raw) < 65536:
        raise ValueError("a port is a whole number from 1 to 65535")
    return int(raw)


def port_or_none(raw: Any) -> int:
    """A port, or 0."""
    if str(raw) == "0":
        return 0
    try:
        return port(raw)
    except ValueError as error:
        raise ValueError(f"{error}, or 0 for none") from None


def host_and_port(raw: Any) -> str:
    """A host and a port."""
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}", str(raw)):
        raise ValueError("it is a host and a port, as in 127.0.0.1:7233")
    return str(raw)


def switch(raw: Any) -> bool:
    """Yes or no."""
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return known[str(raw).strip().lower()]
    except KeyError:
        raise ValueError("it is true or false") from None


def sender(raw: Any) -> str:
    """An e-mail address, with a name before it or without."""
    if not re.fullmatch(r"[^<>\r\n]*<[^<>\s@]+@[^<>\s@]+>|[^<>\s@]+@[^<>\s@]+", str(raw).strip()):
        raise ValueError("it is an e-mail address, as in Shop <hello@shop.example>")
    return str(raw).strip()


def seconds(raw: Any) -> int:
    """A number of seconds, also written as a duration."""
    if re.fullmatch(r"\d{1,9}", str(raw)):
        return int(raw)
    try:
        return durations.seconds(str(raw))
    except BadInput:
        raise ValueError("it is a number of seconds, or a duration as in P1D or PT12H") from None


def write_keys(raw: Any) -> dict[str, str]:
    """Keys with the namespace of each."""
    if isinstance(raw, dict):
        return raw
    keys: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in str(raw).split(","))):
        key, equals, namespace = part.partition("=")
        if not equals or not key.strip() or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", namespace.strip()):
            raise ValueError("it is written key=namespace,key2=namespace2, with namespaces as in customer_id")
        keys[key.strip()] = namespace.strip()
    return keys


def rates(raw: Any) -> dict[str, float]:
    """Channels with the messages a second of each; `webhook` is each host, `webhook:HOST` a single one."""
    if isinstance(raw, dict):
        return raw
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in str(raw).split(","))):
        channel, _, rate = (side.strip() for side in part.partition("="))
        known = channel in (*CHANNELS, calls.CHANNEL) or re.fullmatch(rf"{calls.CHANNEL}:[^\s:/@]+(:\d{{1,5}})?", channel)
        if not known or channel in rates or not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", rate) or float(rate) == 0:
            raise ValueError("it is written email=50,push=200: each channel once, with its messages a second, more than 0")
        rates[channel] = float(rate)
    return rates


def number(least: int, most: int) -> BeforeValidator:
    """A whole number from one to the other."""

    def check(raw: Any) -> int:
        if not re.fullmatch(r"\d{1,9}", str(raw)) or not least <= int(raw) <= most:
            raise ValueError(f"it is a whole number from {least} to {most}")
        return int(raw)

    return BeforeValidator(check)


def networks(raw: Any) -> str:
    """Networks, or single addresses, with commas between them."""
    for part in str(raw).split(",") if raw else ():
        try:
            ip_network(part.strip())
        except ValueError:
            raise ValueError("it is networks or addresses with commas between them, as in 10.1.0.0/16,127.0.0.1") from None
    return str(raw)


def webhook_secrets(raw: Any) -> str:
    """Secrets of Standard Webhooks: the new one, and the old one as long as both are right."""
    for part in str(raw).split(",") if raw else ():
        try:
            key = base64.b64decode(part.strip().removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = b""
        if not part.strip().startswith("whsec_") or not 24 <= len(key) <= 64:
            raise ValueError("it is one secret or two with a comma between them, each whsec_ and 24 to 64 bytes in base64")
    if str(raw).count(",") > 1:
        raise ValueError("it is one secret or two with a comma between them")
    return str(raw)


def file(raw: Any) -> Path | None:
    """A file that can be read; nothing when empty."""
    if not raw:
        return None
    try:
        with open(raw, "rb"):
            return Path(raw)
    except OSError as error:
        raise ValueError(f"it is a file, and this one cannot be read ({error.strerror})") from None


def long_enough(least: int, *, each: bool = False) -> BeforeValidator:
    """A secret, or several with commas between them, of so many characters."""

    def check(raw: Any) -> str:
        if raw and any(len(one) < least for one in (str(raw).split(",") if each else [str(raw)])):
            raise ValueError(f"{'each' if each else 'it'} has at least {least} characters")
        return str(raw)

    return BeforeValidator(check)


def mode(raw: Any) -> Any:
    """How consent is taken."""
    if raw not in ("implicit", "explicit"):
        raise ValueError("it is implicit (a person who never said anything may be written to) or explicit (may not)")
    return raw


def queues(raw: Any) -> Any:
    """Which task queues a worker serves."""
    if raw not in ("all", "ordinary", "transactional"):
        raise ValueError("it is all, ordinary or transactional")
    return raw


def log_format(raw: Any) -> Any:
    """How the log is written."""
    if raw not in ("text", "json"):
        raise ValueError("it is text or json")
    return raw
