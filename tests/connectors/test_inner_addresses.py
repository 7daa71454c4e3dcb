"""No connector reaches inner networks in live mode: whatever the settings say, names answer, or servers redirect to.

A new entry of the registry is tried from the moment it is there: its address and every option that may hold one.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore
import pytest

from connectors import media
from connectors.addresses import is_public
from connectors.base import AccountRef, Connector, ConnectorError, ErrorKind, Kind, Outgoing
from connectors.forms import Place
from connectors.registry import FORMS, connectors
from tests.sims.serving import Answer, served
from tests.sims.wechat import picture

LIVE = connectors(live=True)
PUBLIC, NAME = "93.184.216.34", "platform.example"
INNER = (
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "10.0.0.1", "172.16.0.1",
    "192.168.1.1", "100.64.0.1", "169.254.169.254", "192.0.0.192", "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[::ffff:0:10.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fd00::1]", "[fe80::1]",
    "[fe80::1%25eth0]", "[fec0::1]", "[ff02::1]", f"{PUBLIC}@10.0.0.1", f"{PUBLIC}:80@10.0.0.1", "①⑩.0.0.1",
)  # fmt: skip
# What an answer of a name may hold: a private address alone, or among public ones.
ANSWERS = (["10.0.0.1"], [PUBLIC, "127.0.0.1"], ["::1", PUBLIC], ["fe80::1%eth0"], ["::ffff:192.168.0.1"], ["0.0.0.0"])
# Options whose address is called, and how it stands in their text; others that speak of one get it as it is.
WRITTEN = {("weibo", "hosts"): "api={url} rm={url} m={url} c={url} upload={url}", ("mailbox", "smtp"): "smtps://{host}"}
SCHEMES = {"mailbox": "imaps"}
_SPEAKS_OF_ONE = re.compile(r"https?://|地址|网址|服务器|域名")


@dataclass
class Outside:
    """Everything this process connected to or looked up."""

    connected: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answers: Callable[[str], Sequence[str]] = lambda host: [PUBLIC]
    port: int = 9

    def resolve(self, host: Any, port: Any, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.asked.append(str(host))
        return [(2, 1, 6, "", (address, port)) for address in self.answers(str(host))]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    """The internet, where one public address is a server of ours and every other one is only noted."""
    seen = Outside()
    real = httpcore.AnyIOBackend.connect_tcp

    async def connect_tcp(self: Any, host: str, port: int, *rest: Any) -> Any:
        seen.connected.append(host)
        if host != PUBLIC:
            raise httpcore.ConnectError("noted")
        return await real(self, "127.0.0.1", seen.port, *rest)

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        seen.connected.append(address[0])
        raise OSError("noted")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    monkeypatch.setattr(socket, "getaddrinfo", seen.resolve)
    monkeypatch.setattr("connectors.mastodon.media.WAITS", ())
    return seen


def account(platform: str, host: str, where: str = "") -> AccountRef:
    """The account with all its addresses at ``host``; or only that of the option ``where``, all else being public."""
    scheme = SCHEMES.get(platform, "http")
    options: dict[str, Any] = {"app_key": "k", "key_id": "k", "pull": "是", "open_comment": "1", "sent_folder": "Sent"}
    secrets = {one.name: "s" * 43 for one in FORMS[platform].fields if one.secret}
    for one in FORMS[platform].fields:
        if one.place is Place.option and one.name not in options and _SPEAKS_OF_ONE.search(one.label + one.hint):
            there = host if where in ("", one.name) else NAME
            options[one.name] = WRITTEN.get((platform, one.name), "{url}").format(url=f"http://{there}", host=there)
    base = f"{scheme}://{host if not where else NAME}"
    extra = {"access_token": "s" * 20, "token": "s" * 20, "refresh_token": "s" * 20, "fan_token": "s" * 20}
    return AccountRef(1, platform, "x", "a@example.org", base, {**extra, **secrets}, options)


def reaches_out(platform: str) -> bool:
    """Whether the platform is elsewhere: its form asks where."""
    return any(one.place is Place.base_url for one in FORMS[platform].fields)


def places(platform: str) -> list[str]:
    """``base_url`` (as "") and the options that may hold an address."""
    return ["", *(
        one.name for one in FORMS[platform].fields
        if one.place is Place.option and _SPEAKS_OF_ONE.search(one.label + one.hint)
    )]  # fmt: skip


def calls(connector: Connector, ref: AccountRef) -> Iterator[Awaitable[Any]]:
    """Every method that may call somebody, with everything filled in that makes it go on."""
    now, pictures = datetime.now(UTC), (picture(), picture())
    yield connector.check(ref)
    yield connector.refresh(ref)
    without_app = replace(ref, options={name: one for name, one in ref.options.items() if name != "app_key"})
    yield connector.register(without_app, "https://hub.example/back", "政声")
    yield connector.exchange(ref, "https://hub.example/back", {"code": "c", "auth_code": "c", "state": "s"})
    for stream in connector.streams:
        yield connector.pull(ref, stream, {})
        yield connector.wait(ref, stream, {})
    for form in connector.post_forms(ref):
        title = "题" if form.title_length else ""
        for attachments in ((), pictures[: form.pictures]):
            out = Outgoing("好 http://www.example.gov.cn", "k", title=title, form=form.name, attachments=attachments)
            yield connector.publish(ref, out)
            yield connector.find_own(ref, now, out)
    for kind in Kind:
        target = "1:1:1" if kind is Kind.comment and connector.platform == "wechat" else "1"
        out = Outgoing("好", "k", target, kind, "1", "b@example.org")
        yield connector.reply(ref, out)
        yield connector.find_own(ref, now, out)
    for own in ("1", "mass:1", "answer:1:1:1"):
        yield connector.exists(ref, own)
        yield connector.delete(ref, own)
        yield connector.metrics(ref, [own])
    for job in ("1", "publish:1", "mass:1"):
        yield connector.poll_job(ref, job)


async def tried(connector: Connector, ref: AccountRef) -> list[ErrorKind]:
    """How every call ended that was refused; anything but an error in words is a failure."""
    kinds = []
    for call in calls(connector, ref):
        try:
            async with asyncio.timeout(20):
                await call
        except ConnectorError as error:
            kinds.append(error.kind)
    return kinds


EVERYWHERE = [(platform, where) for platform in sorted(LIVE) for where in places(platform)]


@pytest.mark.parametrize(("platform", "where"), EVERYWHERE)
async def test_no_call_goes_to_an_inner_address(platform: str, where: str, outside: Outside) -> None:
    outside.answers = lambda host: ["127.0.0.1"] if not host.endswith(".example") else [PUBLIC]
    for host in INNER:
        outside.connected.clear()
        kinds = await tried(LIVE[platform], account(platform, host, where))
        assert [one for one in outside.connected if one != PUBLIC] == [], f"{host} was reached"
        if not where:
            assert outside.connected == [], f"{host} is the only address there is"
        if reaches_out(platform) and not where:
            assert {ErrorKind.permission, ErrorKind.bug} & set(kinds)


@pytest.mark.parametrize("host", ["10.0.0.1", "inner.example"])
@pytest.mark.parametrize(("platform", "where"), EVERYWHERE)
async def test_it_is_the_guard_that_refuses(
    platform: str, where: str, host: str, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the inner address is reached by all that call there; an option that calls belongs into WRITTEN."""
    monkeypatch.setattr("connectors.addresses.reasons_against", lambda *_: "")
    outside.answers = lambda name: ["10.0.0.1"] if name == "inner.example" else [PUBLIC]
    with served(lambda asked: Answer.of({})) as url:  # says yes to everybody, so that they go on
        outside.port = urlsplit(url).port or 0
        await tried(LIVE[platform], account(platform, host, where))
    calls_there = (platform, where) in WRITTEN if where else reaches_out(platform)
    assert ("10.0.0.1" in outside.connected) is calls_there
    assert ("inner.example" in outside.asked) is (calls_there and host == "inner.example")


@pytest.mark.parametrize("answer", ANSWERS, ids=",".join)
@pytest.mark.parametrize(("platform", "where"), EVERYWHERE)
async def test_a_name_with_an_inner_address_among_its_own_is_refused_whole(
    platform: str, where: str, answer: list[str], outside: Outside
) -> None:
    outside.answers = lambda host: answer if host == "inner.example" else [PUBLIC]
    await tried(LIVE[platform], account(platform, "inner.example", where))
    assert [one for one in outside.connected if one != PUBLIC] == []
    if not where:
        assert outside.connected == []


@pytest.mark.parametrize("platform", sorted(LIVE))
async def test_a_name_that_changes_its_answer_gains_nothing(platform: str, outside: Outside) -> None:
    """DNS rebinding: public when it is judged, inner at the next look. The judged address is what is connected to."""
    outside.answers = lambda host: [PUBLIC] if len(outside.asked) % 2 else ["127.0.0.1"]
    await tried(LIVE[platform], account(platform, NAME))
    assert all(is_public(one) for one in outside.connected), "names are never handed on to be looked up once more"
    assert bool(outside.connected) == bool(outside.asked)


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/latest", "//10.0.0.1/", "http://inner.example/", "file:///etc/x"]
)
@pytest.mark.parametrize("platform", sorted(LIVE))
async def test_no_redirect_leads_inside(platform: str, to: str, outside: Outside) -> None:
    outside.answers = lambda host: ["192.168.0.1"] if host == "inner.example" else [PUBLIC]
    with served(lambda asked: Answer(b"", 307, {"Location": to})) as url:  # sends everybody on
        outside.port = urlsplit(url).port or 0
        await tried(LIVE[platform], account(platform, NAME))
    assert set(outside.connected) <= {PUBLIC}
    assert bool(outside.connected) is reaches_out(platform)


async def pictured(url: str) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await media.fetch(url, live=True, most=1024)
    return caught.value


async def test_no_picture_is_fetched_from_an_inner_address(outside: Outside) -> None:
    outside.answers = lambda host: ["127.0.0.1"] if not host.endswith(".example") else [PUBLIC]
    for host in INNER:
        assert (await pictured(f"http://{host}/a.jpg")).human in (media.INNER, media.BAD_ADDRESS), host
    assert outside.connected == []


@pytest.mark.parametrize("answer", ANSWERS, ids=",".join)
async def test_no_picture_is_fetched_by_a_name_with_an_inner_address(answer: list[str], outside: Outside) -> None:
    outside.answers = lambda host: answer
    assert (await pictured("https://inner.example/a.jpg")).human == media.INNER
    assert outside.connected == []


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/latest", "//10.0.0.1/", "http://inner.example/", "http://127.0.0.1:{port}/"]
)
async def test_no_picture_is_fetched_behind_a_redirect_inside(to: str, outside: Outside) -> None:
    outside.answers = lambda host: ["192.168.0.1"] if host == "inner.example" else [PUBLIC]
    seen: list[str] = []

    def answer(asked: Any) -> Answer:
        seen.append(asked.path)
        return Answer(b"", 302, {"Location": to.format(port=outside.port)})

    with served(answer) as url:
        outside.port = urlsplit(url).port or 0
        assert (await pictured(f"http://{NAME}/a.jpg")).human == media.INNER
    assert outside.connected == [PUBLIC]
    assert seen == ["/a.jpg"]


async def test_a_name_that_changes_its_answer_between_redirects_gains_nothing(outside: Outside) -> None:
    outside.answers = lambda host: [PUBLIC] if len(outside.asked) == 1 else ["127.0.0.1"]
    with served(lambda asked: Answer(b"", 302, {"Location": "/b.jpg"})) as url:
        outside.port = urlsplit(url).port or 0
        assert (await pictured(f"http://{NAME}/a.jpg")).human == media.INNER
    assert outside.connected == [PUBLIC]


async def test_the_offices_own_networks_are_reached_by_those_meant_for_them_and_only_in_live_mode(
    outside: Outside,
) -> None:
    inner, mode = (ip_network("10.1.0.0/16"),), {True: ["exchange", "mailbox"], False: []}
    for live, reaching in mode.items():
        found = connectors(live=live, inner=inner)
        for host, expected in (("10.1.2.3", reaching), ("10.2.0.1", [])):
            reached = []
            for platform in sorted(one for one in found if reaches_out(one)):
                outside.connected.clear()
                await tried(found[platform], account(platform, host))
                reached += [platform] if outside.connected else []
            assert (live, host, reached) == (live, host, expected)
