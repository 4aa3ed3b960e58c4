"""What the environment may say, and what a wrong value gets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

import settings
import worker
from journey.errors import BadInput
from providers.signing import derived
from tests.providers.fcm_server import key_file, written

AN_ADDRESS = "it is an address that begins with"
A_DATABASE = "has a wrong value: it is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
NETWORKS = "it is networks or addresses with commas between them, as in 10.1.0.0/16,127.0.0.1"
SECRETS = "it is one secret or two with a comma between them, each whsec_ and 24 to 64 bytes in base64"
RATES = "it is written email=50,push=200: each channel once, with its messages a second, more than 0"
WRONG_SMTP = "SOJOURN_SMTP_URL has a wrong value"
WRONG_KEYS = "SOJOURN_WRITE_KEYS has a wrong value"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("SOJOURN_"):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> settings.Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load()


def test_with_nothing_set_everything_is_on_this_machine() -> None:
    found = settings.load()
    assert found.database == "sqlite:///.sojourn/sojourn.db"
    assert found.api_url == found.links_url == "http://127.0.0.1:8000"
    assert (found.temporal_namespace, found.too_old, found.consent, found.create_profiles) == ("sojourn", 86400, "implicit", True)


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("::1", "http://[::1]:8000")])
def test_an_address_that_stands_for_all_is_no_address_to_go_to(monkeypatch: pytest.MonkeyPatch, host: str, url: str) -> None:
    found = load(monkeypatch, {"SOJOURN_API_HOST": host})
    assert found.own_url == found.api_url == found.links_url == url


def test_where_commands_go_is_not_where_this_process_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(monkeypatch, {"SOJOURN_URL": "https://journeys.shop.example"})
    assert (found.api_url, found.own_url) == ("https://journeys.shop.example", "http://127.0.0.1:8000")


def test_every_setting_is_read_from_its_name_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        {
            "SOJOURN_WRITE_KEYS": "web-key=customer_id, app-key=device_id",
            "SOJOURN_TOO_OLD": "PT12H",
            "SOJOURN_SEND_RATES": "email=50, push=0.5, webhook=20, webhook:crm.example:8443=2",
            "SOJOURN_WEBHOOK_TIMEOUT": "30",
            "SOJOURN_WEBHOOK_AT_ONCE": "4",
            "SOJOURN_WEBHOOK_PRIVATE": "10.1.0.0/16, ::1",
            "SOJOURN_WEBHOOK_SECRETS": f"{derived('new')}, {derived('old')}",
            "SOJOURN_CREATE_PROFILES": "off",
            "SOJOURN_PUBLIC_URL": "https://go.shop.example/",
            "SOJOURN_MAIL_FROM": "Kaya Coffee <hello@shop.example>",
            "SOJOURN_DATABASE_URL": "sqlite:////var/lib/sojourn/s.db",
        },
    )
    assert found.write_keys == {"web-key": "customer_id", "app-key": "device_id"}
    assert (found.too_old, found.create_profiles) == (43200, False)
    assert found.send_rates == {"email": 50, "push": 0.5, "webhook": 20, "webhook:crm.example:8443": 2}
    assert (found.webhook_timeout, found.webhook_at_once) == (30, 4)
    assert worker.webhook_of(found).longest_call == 30
    assert found.links_url == "https://go.shop.example"
    assert found.database == "sqlite:////var/lib/sojourn/s.db"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("API_PORT", "eighty", "SOJOURN_API_PORT is 'eighty': a port is a whole number from 1 to 65535."),
        ("API_PORT", "70000", "SOJOURN_API_PORT is '70000': a port is a whole number from 1 to 65535."),
        ("METRICS_PORT", "70000", "SOJOURN_METRICS_PORT is '70000': a port is a whole number from 1 to 65535, or 0 for none."),
        ("LOG_FORMAT", "xml", "SOJOURN_LOG_FORMAT is 'xml': it is text or json."),
        ("PUBLIC_URL", "shop.example", f"SOJOURN_PUBLIC_URL is 'shop.example': {AN_ADDRESS} http:// or https:// and names a host."),
        ("SMTP_URL", "http://u:topsecret@mail", f"{WRONG_SMTP}: {AN_ADDRESS} smtp:// or smtps:// and names a host."),
        ("DATABASE_URL", "postgresql://ada:topsecret@db", f"SOJOURN_DATABASE_URL {A_DATABASE}"),
        ("DATABASE_URL", "mysql://ada:topsecret@db/sojourn", f"SOJOURN_DATABASE_URL {A_DATABASE}"),
        ("TEMPORAL_ADDRESS", "localhost", "SOJOURN_TEMPORAL_ADDRESS is 'localhost': it is a host and a port, as in 127.0.0.1:7233."),
        ("CREATE_PROFILES", "perhaps", "SOJOURN_CREATE_PROFILES is 'perhaps': it is true or false."),
        ("TOO_OLD", "1 day", "SOJOURN_TOO_OLD is '1 day': it is a number of seconds, or a duration as in P1D or PT12H."),
        ("WRITE_KEYS", "only-a-key", f"{WRONG_KEYS}: it is written key=namespace,key2=namespace2, with namespaces as in customer_id."),
        ("SEND_RATES", "email=fast", f"SOJOURN_SEND_RATES is 'email=fast': {RATES}."),
        ("SEND_RATES", "email=5,email=6", f"SOJOURN_SEND_RATES is 'email=5,email=6': {RATES}."),
        ("SEND_RATES", "sms=5", f"SOJOURN_SEND_RATES is 'sms=5': {RATES}."),
        ("SEND_RATES", "webhook:https://crm.example=5", f"SOJOURN_SEND_RATES is 'webhook:https://crm.example=5': {RATES}."),
        ("WEBHOOK_TIMEOUT", "31", "SOJOURN_WEBHOOK_TIMEOUT is '31': it is a whole number from 1 to 30."),
        ("WEBHOOK_AT_ONCE", "0", "SOJOURN_WEBHOOK_AT_ONCE is '0': it is a whole number from 1 to 256."),
        ("WEBHOOK_PRIVATE", "intranet", f"SOJOURN_WEBHOOK_PRIVATE is 'intranet': {NETWORKS}."),
        ("WEBHOOK_SECRETS", "whsec_topsecret", f"SOJOURN_WEBHOOK_SECRETS has a wrong value: {SECRETS}."),
        ("SEND_RATES", "email=0", f"SOJOURN_SEND_RATES is 'email=0': {RATES}."),
        ("SECRET", "short", "SOJOURN_SECRET has a wrong value: it has at least 16 characters."),
        ("SECRETS_BEFORE", "a-secret-of-yesterday,short", "SOJOURN_SECRETS_BEFORE has a wrong value: each has at least 16 characters."),
        ("MAIL_FROM", "nobody", "SOJOURN_MAIL_FROM is 'nobody': it is an e-mail address, as in Shop <hello@shop.example>."),
        ("PUBLIC_ULR", "https://a.example", "SOJOURN_PUBLIC_ULR is no setting: SOJOURN_PUBLIC_URL is meant, it seems."),
    ],
)  # fmt: skip
def test_a_wrong_value_gets_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        load(monkeypatch, {f"SOJOURN_{name}": value})
    assert caught.value.sentence == sentence


def test_a_key_file_that_cannot_be_read_gets_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for file, why in ((tmp_path / "fcm.json", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(BadInput) as caught:
            load(monkeypatch, {"SOJOURN_FCM_CREDENTIALS": str(file)})
        assert caught.value.sentence == f"SOJOURN_FCM_CREDENTIALS is '{file}': it is a file, and this one cannot be read ({why})."


def test_a_push_is_sent_one_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = written(tmp_path, key_file(1))
    with pytest.raises(BadInput, match="SOJOURN_PUSH_URL and SOJOURN_FCM_CREDENTIALS are both set"):
        load(monkeypatch, {"SOJOURN_FCM_CREDENTIALS": str(file), "SOJOURN_PUSH_URL": "http://push.example"})
    assert load(monkeypatch, {"SOJOURN_PUSH_URL": ""}).fcm_credentials == file
    assert load(monkeypatch, {"SOJOURN_FCM_CREDENTIALS": ""}).fcm_credentials is None


@pytest.mark.parametrize(
    ("environment", "carriers"),
    [
        ({}, {"email": "inbox", "push": "inbox"}),
        ({"SOJOURN_SMTP_URL": "smtp://mail.example", "SOJOURN_PUSH_URL": "http://push.example"}, {"email": "smtp", "push": "http"}),
        ({"SOJOURN_FCM_CREDENTIALS": "account.json"}, {"email": "inbox", "push": "fcm"}),
    ],
)
def test_who_carries_a_channel_is_in_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], carriers: dict[str, str]
) -> None:
    written(tmp_path, key_file(1))
    monkeypatch.chdir(tmp_path)
    found = worker.providers_of(load(monkeypatch, environment))
    assert {channel: provider.name for channel, provider in found.items()} == carriers | {"webhook": "http"}


def test_a_key_file_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = load(monkeypatch, {"SOJOURN_FCM_CREDENTIALS": str(written(tmp_path, "{}"))})
    with pytest.raises(BadInput, match=r"account\.json is no key of a service account: make a key in the Firebase console"):
        worker.providers_of(found)


def test_a_secret_that_is_not_set_is_made_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(monkeypatch, {"SOJOURN_DATA_DIR": str(tmp_path / "data")})
    assert settings.admin_key(found) == ""
    first = settings.completed(found)
    assert len(first.secret) > 30
    assert first.secret != first.admin_key
    assert settings.completed(found) == first
    assert settings.admin_key(found) == first.admin_key
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600


def test_one_process_among_others_is_given_the_keys_that_all_have(tmp_path: Path) -> None:
    among = settings.Settings(data_dir=tmp_path).model_copy(update={"database_url": "postgresql://sojourn@db.example/sojourn"})
    why = "since what is made in SOJOURN_DATA_DIR differs from machine to machine."
    with pytest.raises(BadInput) as caught:
        settings.shared(among, "secret", "admin_key")
    both = "SOJOURN_SECRET and SOJOURN_ADMIN_KEY are not set: with PostgreSQL every process is given the same ones"
    assert caught.value.sentence == f"{both}, {why}"
    with pytest.raises(BadInput) as caught:
        settings.shared(among, "secret")
    assert caught.value.sentence == f"SOJOURN_SECRET is not set: with PostgreSQL every process is given the same one, {why}"
    given = among.model_copy(update={"secret": "a secret that everybody has"})
    assert settings.shared(given, "secret") == given
    assert list(tmp_path.iterdir()) == []


def test_who_has_its_database_to_itself_makes_its_keys(tmp_path: Path) -> None:
    alone = settings.shared(settings.Settings(data_dir=tmp_path), "secret", "admin_key")
    assert (alone.secret, alone.admin_key) == tuple((tmp_path / name).read_text().strip() for name in ("secret", "admin_key"))
