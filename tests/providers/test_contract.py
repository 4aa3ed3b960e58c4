"""The one contract of all providers, each against a real server of its kind on loopback."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from demo.catchers import MailBehaviour, MailCatcher, PushBehaviour, PushCatcher
from journey.messages import Rendered, RenderedEmail
from providers.fcm import FcmProvider
from providers.fcm_account import account_of
from providers.inbox import InboxProvider, Kept
from providers.null import NullProvider
from providers.port import Later, Provider, Refused, Took, Uncertain
from providers.push_http import HttpPushProvider
from providers.smtp import SmtpProvider
from tests.providers.conftest import EMAIL, PUSH, nobody, saying, until
from tests.providers.fcm_server import FcmBehaviour, FcmServer, key_file

BOUND = 1.0


class World(ABC):
    """A provider with a real server of its kind behind it."""

    message: Rendered
    provider: Provider

    @abstractmethod
    def arrived(self) -> list[str]:
        """What tells one message from another, for each that reached the server."""

    @abstractmethod
    def behave(self, how: str) -> None:
        """refused, transient, dropped, slow or well."""

    @property
    @abstractmethod
    def connections(self) -> int: ...

    @staticmethod
    @abstractmethod
    def provider_at(port: int) -> Provider: ...


class Smtp(World):
    message = EMAIL
    HOW: ClassVar = {
        "refused": MailBehaviour("RCPT", answer="550 5.1.1 No such person"),
        "transient": MailBehaviour("RCPT", answer="451 4.3.0 Come back later"),
        "dropped": MailBehaviour("RCPT", drop=True),
        "slow": MailBehaviour("RCPT", delay=3 * BOUND),
        "well": MailBehaviour(),
    }

    def __init__(self, catcher: MailCatcher) -> None:
        self.catcher = catcher
        self.provider = self.provider_at(catcher.port)

    @staticmethod
    def provider_at(port: int) -> Provider:
        return SmtpProvider(f"smtp://127.0.0.1:{port}", longest_call=BOUND)

    def arrived(self) -> list[str]:
        return [mail.headers["Message-ID"] for mail in self.catcher.messages]

    def behave(self, how: str) -> None:
        self.catcher.behave(self.HOW[how])

    @property
    def connections(self) -> int:
        return self.catcher.connections


class Http(World):
    message = PUSH
    HOW: ClassVar = {
        "refused": PushBehaviour(status=400),
        "transient": PushBehaviour(status=503),
        "dropped": PushBehaviour(drop=True),
        "slow": PushBehaviour(delay=3 * BOUND),
        "well": PushBehaviour(),
    }

    def __init__(self, catcher: PushCatcher) -> None:
        self.catcher = catcher
        self.provider = self.provider_at(catcher.port)

    @staticmethod
    def provider_at(port: int) -> Provider:
        return HttpPushProvider(f"http://127.0.0.1:{port}/push", longest_call=BOUND)

    def arrived(self) -> list[str]:
        return [push.delivery for push in self.catcher.pushes]

    def behave(self, how: str) -> None:
        self.catcher.behave(self.HOW[how])

    @property
    def connections(self) -> int:
        return self.catcher.connections


class Fcm(World):
    """What goes wrong before anything of a push went out goes wrong at the access token: so the one at hand is withdrawn."""

    message = replace(PUSH, tokens=("t-1",))
    HOW: ClassVar = {
        "refused": FcmBehaviour(error="INVALID_ARGUMENT"),
        "transient": FcmBehaviour(error="UNAVAILABLE"),
        "dropped": FcmBehaviour("token", drop=True),
        "slow": FcmBehaviour("token", delay=3 * BOUND),
        "well": FcmBehaviour(),
    }

    def __init__(self, server: FcmServer) -> None:
        self.catcher = server
        self.provider = self.provider_at(server.port)

    @staticmethod
    def provider_at(port: int) -> Provider:
        return FcmProvider(account_of(key_file(port), Path("account.json")), longest_call=BOUND)

    def arrived(self) -> list[str]:
        return [message["android"]["notification"]["tag"] for message in self.catcher.messages]

    def behave(self, how: str) -> None:
        self.catcher.behave(self.HOW[how])
        if self.HOW[how].at == "token":
            self.catcher.revoke()

    @property
    def connections(self) -> int:
        return self.catcher.connections


@asynccontextmanager
async def smtp() -> AsyncIterator[World]:
    async with MailCatcher() as catcher:
        world = Smtp(catcher)
        yield world
        await world.provider.close()


@asynccontextmanager
async def http() -> AsyncIterator[World]:
    async with PushCatcher() as catcher:
        world = Http(catcher)
        yield world
        await world.provider.close()


@asynccontextmanager
async def fcm() -> AsyncIterator[World]:
    async with FcmServer() as server:
        world = Fcm(server)
        yield world
        await world.provider.close()


@pytest.fixture(params=[smtp, http, fcm], ids=["smtp", "http", "fcm"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with request.param() as made:
        yield made


@pytest.fixture(params=["smtp", "http", "fcm", "inbox-list", "inbox-folder", "null-email", "null-push"])
async def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Provider, Rendered]]:
    """Every provider there is, with a message it carries."""
    kept: list[Kept] = []
    plain: dict[str, tuple[Provider, Rendered]] = {
        "inbox-list": (InboxProvider("email", kept), EMAIL),
        "inbox-folder": (InboxProvider("push", tmp_path / "inbox"), PUSH),
        "null-email": (NullProvider("email"), EMAIL),
        "null-push": (NullProvider("push"), PUSH),
    }
    if request.param in plain:
        yield plain[request.param]
    else:
        async with {"smtp": smtp, "http": http, "fcm": fcm}[request.param]() as made:
            yield made.provider, made.message


@pytest.mark.complaint(21)
async def test_every_provider_takes_a_message_of_its_channel(carrier: tuple[Provider, Rendered]) -> None:
    provider, message = carrier
    assert provider.channel == ("email" if isinstance(message, RenderedEmail) else "push")
    assert 0 < provider.longest_call <= 60
    assert isinstance(await provider.deliver("thank-you~c-42~1.1.x", message), Took)


async def test_every_provider_can_be_closed_twice(carrier: tuple[Provider, Rendered]) -> None:
    provider, message = carrier
    await provider.deliver("d", message)
    await provider.close()
    await provider.close()


async def test_what_is_taken_arrives_once(world: World) -> None:
    assert isinstance(await world.provider.deliver("d-1", world.message), Took)
    assert len(world.arrived()) == 1


async def test_a_message_of_another_channel_is_a_fault_of_ours(world: World) -> None:
    other = PUSH if world.message is EMAIL else EMAIL
    with pytest.raises(TypeError, match="carries"):
        await world.provider.deliver("d", other)


async def test_a_permanent_no_is_refused_with_the_words_of_the_other_side(world: World) -> None:
    world.behave("refused")
    answer = await world.provider.deliver("d", world.message)
    assert isinstance(answer, Refused)
    assert answer.code in ("address_refused", "message_refused")
    assert answer.detail[:3] in ("550", "400")


async def test_a_transient_no_is_later(world: World) -> None:
    world.behave("transient")
    answer = await world.provider.deliver("d", world.message)
    assert type(answer) is Later
    assert answer.detail[:3] in ("451", "503")


async def test_a_connection_that_breaks_before_anything_was_accepted_is_later(world: World) -> None:
    world.behave("dropped")
    assert type(await world.provider.deliver("d", world.message)) is Later


async def test_one_slower_than_the_bound_is_later_and_holds_nobody_up(world: World) -> None:
    world.behave("slow")
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await world.provider.deliver("d", world.message)
    assert type(answer) is Later
    assert "did not answer within 1 s" in answer.detail
    assert loop.time() - began < 2 * BOUND


@pytest.mark.parametrize("fault", ["refused", "transient", "dropped", "slow"])
async def test_after_a_fault_the_next_message_is_taken(world: World, fault: str) -> None:
    await world.provider.deliver("d-1", world.message)
    world.behave(fault)
    assert not isinstance(await world.provider.deliver("d-2", world.message), Took)
    world.behave("well")
    assert isinstance(await world.provider.deliver("d-3", world.message), Took)


@pytest.mark.parametrize("make", [Smtp.provider_at, Http.provider_at, Fcm.provider_at], ids=["smtp", "http", "fcm"])
async def test_nobody_listening_is_later(make: Callable[[int], Provider]) -> None:
    async with nobody() as port:
        provider = make(port)
        assert type(await provider.deliver("d", _message_for(provider))) is Later
        await provider.close()


@pytest.mark.parametrize(
    "words",
    [b"What?\r\n", b"\x00\xff" * 100 + b"\r\n", b"220", b"x" * 200_000, b"HTTP/1.1 999999 ?\r\n\r\n", b"250-a\r\n" * 10_000],
    ids=["words", "bytes", "half a line", "no end", "odd status", "endless lines"],
)
@pytest.mark.parametrize("make", [Smtp.provider_at, Http.provider_at, Fcm.provider_at], ids=["smtp", "http", "fcm"])
async def test_nonsense_is_later(make: Callable[[int], Provider], words: bytes) -> None:
    async with saying(words) as port:
        provider = make(port)
        assert type(await provider.deliver("d", _message_for(provider))) is Later
        await provider.close()


async def test_the_same_delivery_twice_can_be_recognised(world: World) -> None:
    for _ in range(2):
        assert isinstance(await world.provider.deliver("d-1", world.message), Took)
    first, second = world.arrived()
    assert first == second


async def test_one_connection_serves_one_message_after_the_other(world: World) -> None:
    for n in range(20):
        assert isinstance(await world.provider.deliver(f"d-{n}", world.message), Took)
    assert (len(world.arrived()), world.connections) == (20, 1)


async def test_many_messages_at_once_share_few_connections(world: World) -> None:
    world.provider.longest_call = 30  # a busy machine may need more than the bound of the other tests
    answers = await asyncio.gather(*(world.provider.deliver(f"d-{n}", world.message) for n in range(40)))
    assert [type(answer) for answer in answers] == [Took] * 40
    assert len(world.arrived()) == 40
    assert world.connections <= (4 if world.message is EMAIL else 16)


async def test_a_connection_closed_while_idle_is_replaced_and_nobody_notices(world: World) -> None:
    assert isinstance(await world.provider.deliver("d-1", world.message), Took)
    assert isinstance(world, Smtp | Http | Fcm)
    await world.catcher.drop_connections()
    assert isinstance(await world.provider.deliver("d-2", world.message), Took)
    assert (len(world.arrived()), world.connections) == (2, 2)


async def test_a_call_given_up_half_way_leaves_the_provider_in_order(world: World) -> None:
    world.behave("slow")
    call = asyncio.create_task(world.provider.deliver("d-1", world.message))
    await until(lambda: world.connections > 0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    world.behave("well")
    assert isinstance(await world.provider.deliver("d-2", world.message), Took)


@pytest.mark.parametrize("channel", ["email", "push"])
def test_the_inbox_keeps_a_delivery_once(channel: str, tmp_path: Path) -> None:
    kept: list[Kept] = []
    message = EMAIL if channel == "email" else PUSH

    async def deliver() -> None:
        for place in (kept, tmp_path / "new"):
            for delivery in ("a~b%2Fc~1.1.x", "a~b%2Fc~1.1.x", "../../d"):
                assert isinstance(await InboxProvider(channel, place).deliver(delivery, message), Took)

    asyncio.run(deliver())
    assert kept == [("a~b%2Fc~1.1.x", message), ("../../d", message)]
    files = sorted(tmp_path.rglob("*.*"))
    assert [file.parent for file in files] == [tmp_path / "new"] * 2
    if channel == "push":
        shown: dict[str, Any] = json.loads(files[-1].read_bytes())
        assert (shown["delivery"], shown["title"], shown["opened_token"]) == ("a~b%2Fc~1.1.x", "Hello", "token")
    else:
        assert b"\r\nTo: ann@people.example\r\n" in files[-1].read_bytes()


def test_an_open_question_is_a_later_for_who_does_not_ask() -> None:
    match Uncertain("no answer"):
        case Later(detail, retry_after):
            assert (detail, retry_after) == ("no answer", None)


def _message_for(provider: Provider) -> Rendered:
    return EMAIL if provider.channel == "email" else PUSH
