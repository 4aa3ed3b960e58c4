"""E-mail over SMTP: every answer of a mail server, broken connections, and what each means."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from demo.catchers import MailBehaviour, MailCatcher
from journey.errors import BadInput
from providers.port import Later, Refused, Took, Uncertain
from providers.smtp import SmtpProvider, queue_id
from providers.smtp_pool import Server, server_of
from tests.providers.conftest import EMAIL, Tls, until


@pytest.mark.complaint(21)
async def test_a_mail_arrives_as_it_was_written() -> None:
    written = replace(EMAIL, text=".\r\n..\r\nFrom here on\nü", html="<p>\n.dot</p>")
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        assert isinstance(await provider.deliver("d", written), Took)
        await provider.close()
    (mail,) = catcher.messages
    assert (mail.to, mail.sender, mail.subject) == ("ann@people.example", "news@shop.example", "Grüße")
    assert mail.text.split() == [".", "..", "From", "here", "on", "ü"]
    assert mail.html.strip() == "<p>\n.dot</p>"
    assert mail.headers["List-Unsubscribe"] == "<https://sojourn.example/u/t>"
    assert mail.headers["From"] == "Shop <news@shop.example>"
    assert "Date" in mail.headers


@pytest.mark.complaint(21)
@pytest.mark.parametrize(
    ("at", "answer", "expected"),
    [
        ("MAIL", "553 5.1.8 Not from there", Refused("sender_refused", "553 5.1.8 Not from there")),
        ("RCPT", "550 5.1.1 Nobody of that name", Refused("address_refused", "550 5.1.1 Nobody of that name")),
        ("DATA", "554 5.7.1 Not now", Refused("message_refused", "554 5.7.1 Not now")),
        ("END", "554 5.7.1 It is spam", Refused("message_refused", "554 5.7.1 It is spam")),
        ("MAIL", "421 4.3.2 Closing", Later("421 4.3.2 Closing")),
        ("RCPT", "450 4.2.1 Mailbox busy", Later("450 4.2.1 Mailbox busy")),
        ("DATA", "451 4.3.0 Later", Later("451 4.3.0 Later")),
        ("END", "452 4.3.1 Disk full", Later("452 4.3.1 Disk full")),
    ],
)
async def test_each_no_of_the_mail_server_has_its_answer(at: str, answer: str, expected: Later | Refused) -> None:
    async with MailCatcher() as catcher:
        catcher.behave(MailBehaviour(at, answer=answer))
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        assert await provider.deliver("d", EMAIL) == expected
        assert catcher.messages == []
        catcher.behave()
        assert isinstance(await provider.deliver("d", EMAIL), Took)
        assert catcher.connections == (2 if "421" in answer else 1)
        await provider.close()


@pytest.mark.parametrize(
    "behaviour",
    [
        MailBehaviour("END", drop=True),
        MailBehaviour("BODY", drop=True),
        MailBehaviour("END", answer="What?"),
        MailBehaviour("END", delay=5.0),
    ],
    ids=["dropped at the end", "dropped in the middle", "nonsense", "silence"],
)
async def test_a_message_handed_over_without_an_answer_is_uncertain(behaviour: MailBehaviour) -> None:
    async with MailCatcher() as catcher:
        catcher.behave(behaviour)
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}", longest_call=1)
        assert isinstance(await provider.deliver("d", EMAIL), Uncertain)
        assert catcher.connections == 1
        await provider.close()


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
async def test_a_break_before_the_message_is_handed_over_is_harmless(at: str) -> None:
    async with MailCatcher() as catcher:
        catcher.behave(MailBehaviour(at, drop=True))
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        assert type(await provider.deliver("d", EMAIL)) is Later
        await provider.close()


@pytest.mark.parametrize("at", ["MAIL", "RCPT"])
async def test_a_kept_connection_that_fails_is_replaced_only_while_nothing_was_accepted(at: str) -> None:
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        await provider.deliver("d-1", EMAIL)
        catcher.behave(MailBehaviour(at, drop=True))
        assert type(await provider.deliver("d-2", EMAIL)) is Later
        assert catcher.connections == (2 if at == "MAIL" else 1)
        await provider.close()


async def test_a_server_that_says_goodbye_to_an_idle_connection_gets_the_mail_on_another() -> None:
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        await provider.deliver("d-1", EMAIL)
        catcher.behave(MailBehaviour("MAIL", answer="421 4.4.2 Idle for too long", times=1))
        assert isinstance(await provider.deliver("d-2", EMAIL), Took)
        assert (len(catcher.messages), catcher.connections) == (2, 2)
        await provider.close()


async def test_an_idle_connection_is_closed_after_a_while() -> None:
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}", idle_seconds=0.05)
        await provider.deliver("d-1", EMAIL)
        await until(lambda: catcher.open_connections == 0)
        assert isinstance(await provider.deliver("d-2", EMAIL), Took)
        assert catcher.connections == 2
        await provider.close()


async def test_a_mail_for_which_no_connection_is_free_was_not_tried() -> None:
    async with MailCatcher() as catcher:
        catcher.behave(MailBehaviour(delay=1.5))
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}", connections=1, longest_call=3)
        first, second = await asyncio.gather(provider.deliver("d-1", EMAIL), provider.deliver("d-2", EMAIL))
        assert isinstance(first, Took)
        assert isinstance(second, Later)
        assert (second.asked, second.retry_after) == (False, 5)
        assert len(catcher.messages) == 1
        catcher.behave()
        assert isinstance(await provider.deliver("d-2", EMAIL), Took)
        await provider.close()


async def test_closing_leaves_no_connection_open() -> None:
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        await asyncio.gather(*(provider.deliver(f"d-{n}", EMAIL) for n in range(8)))
        await provider.close()
        await until(lambda: catcher.open_connections == 0)
        assert catcher.connections <= 4


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ann",
        "ann@",
        "ann@people.example, bob@people.example",
        "ann@people.example\r\nRCPT TO:<all@people.example>",
        "ünn@people.example",
    ],
)
async def test_an_address_that_cannot_be_read_is_refused_without_a_call(to: str) -> None:
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        answer = await provider.deliver("d", replace(EMAIL, to=to))
        assert isinstance(answer, Refused)
        assert (answer.code, catcher.connections) == ("bad_address", 0)


@pytest.mark.parametrize(
    "changed",
    [
        replace(EMAIL, subject="Hi\r\nBcc: all@people.example"),
        replace(EMAIL, subject="Grüße\nBcc: all@people.example"),
        replace(EMAIL, sender="Shop\r\nBcc: all@people.example <news@shop.example>"),
        replace(EMAIL, sender="nobody"),
        replace(EMAIL, headers={"X-A": "b\r\nBcc: all@people.example"}),
        replace(EMAIL, headers={"X-A\r\nBcc": "all@people.example"}),
        replace(EMAIL, headers={"X-A": "ü"}),
    ],
)
async def test_a_header_that_would_begin_another_is_refused_without_a_call(changed: object) -> None:
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}")
        assert isinstance(changed, type(EMAIL))
        answer = await provider.deliver("d", changed)
        assert isinstance(answer, Refused)
        assert (answer.code, catcher.connections) == ("bad_message", 0)


async def test_a_mail_travels_encrypted_where_the_server_offers_it(tls: Tls) -> None:
    async with MailCatcher(tls=tls.server) as catcher:
        provider = SmtpProvider(f"smtp://localhost:{catcher.port}", tls=tls.client)
        for n in range(3):
            assert isinstance(await provider.deliver(f"d-{n}", EMAIL), Took)
        assert catcher.encrypted == 1
        assert catcher.connections == 1
        await provider.close()


async def test_a_mail_travels_in_tls_from_the_first_byte(tls: Tls) -> None:
    async with MailCatcher(tls=tls.server, implicit_tls=True) as catcher:
        provider = SmtpProvider(f"smtps://localhost:{catcher.port}", tls=tls.client)
        for n in range(3):
            assert isinstance(await provider.deliver(f"d-{n}", EMAIL), Took)
        assert catcher.connections == 1
        await provider.close()


async def test_a_server_that_cannot_prove_its_name_gets_nothing(tls: Tls) -> None:
    for scheme, implicit in (("smtp", False), ("smtps", True)):
        async with MailCatcher(tls=tls.server, implicit_tls=implicit) as catcher:
            provider = SmtpProvider(f"{scheme}://localhost:{catcher.port}")
            answer = await provider.deliver("d", EMAIL)
            assert isinstance(answer, Later)
            assert "certificate" in answer.detail
            assert catcher.messages == []
            await provider.close()


async def test_where_encryption_is_required_a_server_without_it_gets_nothing() -> None:
    async with MailCatcher() as catcher:
        provider = SmtpProvider(f"smtp://127.0.0.1:{catcher.port}?starttls=required")
        assert isinstance(await provider.deliver("d", EMAIL), Later)
        assert catcher.messages == []
        await provider.close()


async def test_who_logs_in_is_let_in(tls: Tls) -> None:
    async with MailCatcher(tls=tls.server, user="shop", password="p@ss/word") as catcher:
        provider = SmtpProvider(f"smtp://shop:p%40ss%2Fword@localhost:{catcher.port}", tls=tls.client)
        assert isinstance(await provider.deliver("d", EMAIL), Took)
        assert (catcher.encrypted, len(catcher.messages)) == (1, 1)
        await provider.close()


async def test_a_wrong_password_is_later_and_is_not_repeated(tls: Tls) -> None:
    async with MailCatcher(tls=tls.server, user="shop", password="right") as catcher:
        provider = SmtpProvider(f"smtp://shop:wr0ng@localhost:{catcher.port}", tls=tls.client)
        answer = await provider.deliver("d", EMAIL)
        assert isinstance(answer, Later)
        assert "535" in answer.detail or "Authentication" in answer.detail
        assert "wr0ng" not in answer.detail
        await provider.close()


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", Server("localhost", 25)),
        ("smtp://mail.example:2525?starttls=never", Server("mail.example", 2525, start_tls=False)),
        ("smtp://u:p@mail.example", Server("mail.example", 587, "u", "p", start_tls=True)),
        ("smtp://u:p@mail.example?starttls=auto", Server("mail.example", 587, "u", "p")),
        ("smtp://u:p@localhost:25", Server("localhost", 25, "u", "p")),
        ("smtps://u%40x:p%3A@mail.example", Server("mail.example", 465, "u@x", "p:", tls=True, start_tls=False)),
        ("smtp://[::1]:2525", Server("::1", 2525)),
    ],
)
def test_the_address_of_a_mail_server(url: str, server: Server) -> None:
    assert server_of(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://h:port",
        "smtp://h?tls=1",
        "smtp://h?starttls=maybe",
        "smtps://h?starttls=auto",
        "smtp://h/x",
    ],
)
def test_another_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(BadInput, match=r"smtp://"):
        SmtpProvider(url)


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("2.0.0 Ok: queued as 4Xq1Zb2k9z", "4Xq1Zb2k9z"),
        ("Ok 0100018f3c5e-7b1d-4a2e-000000", "0100018f3c5e-7b1d-4a2e-000000"),
        ("Message accepted: <20260301.1@mail>", "Message accepted: <20260301.1@mail>"),
        ("Requested mail action okay, completed: id=0MZ", "Requested mail action okay, completed: id=0MZ"),
        ("2.0.0 OK  1711111111 a1-20020a05600c - gsmtp", "2.0.0 OK  1711111111 a1-20020a05600c - gsmtp"),
        ("Ok", "Ok"),
        ("", ""),
    ],
)
def test_a_mail_is_known_by_what_its_server_calls_it(said: str, called: str) -> None:
    assert queue_id(said) == called
