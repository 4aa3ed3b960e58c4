"""The key file of a service account: what is read from it, and the sentence that a wrong one gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from journey.errors import BadInput
from providers.fcm_account import account_in
from tests.providers.fcm_server import EMAIL, PROJECT, key_file, written


def test_a_file_of_the_console_sends_to_fcm_itself(tmp_path: Path) -> None:
    account = account_in(written(tmp_path, key_file(1, fcm_url=None, token_uri="https://oauth2.googleapis.com/token")))
    assert (account.email, account.token_url) == (EMAIL, "https://oauth2.googleapis.com/token")
    assert account.send_url == f"https://fcm.googleapis.com/v1/projects/{PROJECT}/messages:send"


def test_a_file_may_name_another_server(tmp_path: Path) -> None:
    account = account_in(written(tmp_path, key_file(1, fcm_url="http://127.0.0.1:9/", project_id="a/b")))
    assert account.send_url == "http://127.0.0.1:9/v1/projects/a%2Fb/messages:send"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{", "is no JSON"),
        ("[]", "is no key of a service account"),
        ({"type": "authorized_user"}, "is no key of a service account"),
        (key_file(1, project_id=None, client_email=5), "has no project_id and no client_email"),
        (key_file(1, private_key=""), "has no private_key"),
        (
            key_file(1, private_key="-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            "has a private_key that cannot be used",
        ),
        (key_file(1, token_uri="oauth2.googleapis.com"), "has a token_uri that is no address"),
        (key_file(1, fcm_url=5), "has a fcm_url that is no address"),
        (key_file(1, fcm_url="http://["), "has a fcm_url that is no address"),
    ],
    ids=[
        "no JSON",
        "a list",
        "another type",
        "missing fields",
        "an empty key",
        "a broken key",
        "no address",
        "a number",
        "a broken address",
    ],
)
def test_a_wrong_file_gets_one_sentence(tmp_path: Path, said: Any, why: str) -> None:
    file = written(tmp_path, said)
    with pytest.raises(BadInput) as caught:
        account_in(file)
    assert caught.value.sentence.startswith(f"The file {file} {why}: make a key in the Firebase console")
    assert caught.value.__cause__ is None  # a traceback would show what the key is


def test_a_file_that_is_not_there_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"account\.json cannot be read: No such file or directory: make a key"):
        account_in(tmp_path / "account.json")
