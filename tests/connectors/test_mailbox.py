"""The mailbox connector against a real IMAP server and a real SMTP server."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from connectors.arriving import NoticeKind
from connectors.base import (
    AccountRef,
    Attached,
    Capability,
    ConnectorError,
    Effect,
    ErrorKind,
    Granted,
    Inbound,
    Kind,
    Outgoing,
    RawItem,
    attached,
)
from connectors.http import NOT_TOLD, Http
from connectors.mailbox import reading, servers
from connectors.mailbox.client import MailboxConnector
from connectors.mailbox.letters import message_id_of
from tests.sims.mail import PASSWORD, USER, Imap, Smtp, imap_server, smtp_server

pytestmark = pytest.mark.xdist_group("mailbox")
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
connector = MailboxConnector(Http(live=False, clock=lambda: NOW))


@pytest.fixture(scope="module")
def server() -> Iterator[Imap]:
    with imap_server() as found:
        yield found


@pytest.fixture
def imap(server: Imap) -> Imap:
    with server.session() as client:
        client.delete_messages(client.search("ALL"))
        client.expunge()
    return server


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    with smtp_server() as found:
        yield found


@pytest.fixture
def ref(imap: Imap) -> AccountRef:
    return AccountRef(1, "mailbox", "领导信箱", USER, imap.base_url, {"password": PASSWORD})


def letter(number: int, text: str = "路灯坏了", *, more: str = "") -> bytes:
    return (
        f"From: =?utf-8?b?{base64.b64encode('李某'.encode()).decode()}?= <li@example.com>\r\nTo: {USER}\r\n"
        f"Subject: =?utf-8?b?{base64.b64encode(f'来信{number}'.encode()).decode()}?=\r\n"
        f"Message-ID: <{number}@example.com>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0800\r\n{more}"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    ).encode()


async def everything(
    ref: AccountRef, cursor: dict[str, object] | None = None
) -> tuple[list[RawItem], dict[str, object]]:
    found: list[RawItem] = []
    at: dict[str, object] = cursor or {}
    for _ in range(50):
        page = await connector.pull(ref, "letters", at)
        found += page.items
        at = dict(page.cursor)
        if not page.more:
            return found, at
    raise AssertionError("does not end")


def read(items: list[RawItem], ref: AccountRef) -> list[Inbound]:
    return [connector.parse(ref, item) for item in items]


async def test_more_letters_than_a_page_all_come_and_only_new_ones_afterwards(imap: Imap, ref: AccountRef) -> None:
    imap.deliver(*[letter(n) for n in range(45)], at=NOW)
    items, cursor = await everything(ref)
    assert [one.title for one in read(items, ref)] == [f"来信{n}" for n in range(45)]
    assert (await everything(ref, cursor))[0] == []
    imap.deliver(letter(100), at=NOW)
    newer, _ = await everything(ref, cursor)
    assert [one.title for one in read(newer, ref)] == ["来信100"]
    with imap.session() as client:
        assert not client.search("SEEN"), "reading leaves the mailbox as it was"


async def test_a_crash_between_page_and_commit_loses_nothing(imap: Imap, ref: AccountRef) -> None:
    imap.deliver(*[letter(n) for n in range(30)], at=NOW)
    first = await connector.pull(ref, "letters", {})
    again = await connector.pull(ref, "letters", {})
    assert [i.external_id for i in first.items] == [i.external_id for i in again.items]
    rest, _ = await everything(ref, dict(first.cursor))
    assert len({i.external_id for i in (*first.items, *rest)}) == 30


async def test_a_folder_numbered_anew_is_read_again_under_the_same_ids(imap: Imap, ref: AccountRef) -> None:
    with imap.session() as client:
        if not client.folder_exists("Letters"):
            client.create_folder("Letters")
    of_folder = dataclasses.replace(ref, options={"folder": "Letters"})
    imap.deliver(*[letter(n) for n in range(3)], at=NOW, folder="Letters")
    before, cursor = await everything(of_folder)
    imap.renumber("Letters")
    imap.deliver(letter(9), at=NOW, folder="Letters")
    after, moved = await everything(of_folder, cursor)
    assert moved["validity"] != cursor["validity"]
    assert {i.external_id for i in before} < {i.external_id for i in after}
    assert len(after) == 4


async def test_marked_as_read_only_after_the_letters_were_stored(imap: Imap, ref: AccountRef) -> None:
    marking = dataclasses.replace(ref, options={"mark_seen": "是"})
    imap.deliver(letter(1), letter(2), at=NOW)
    _, cursor = await everything(marking)
    with imap.session() as client:
        assert not client.search("SEEN")
    await everything(marking, cursor)
    with imap.session() as client:
        assert len(client.search("SEEN")) == 2


async def test_old_letters_are_left_alone_at_first(imap: Imap, ref: AccountRef) -> None:
    imap.deliver(letter(1), at=NOW - timedelta(days=90))
    imap.deliver(letter(2), at=NOW)
    assert len((await everything(ref))[0]) == 1
    for typed, found in {"120": 2, "九十天": 1, "10000000": 2}.items():
        assert len((await everything(dataclasses.replace(ref, options={"look_back": typed})))[0]) == found


@pytest.mark.parametrize("charset", ["gb2312", "gb18030", "utf-8", "no-such-charset"])
async def test_whatever_the_sender_calls_his_encoding(imap: Imap, ref: AccountRef, charset: str) -> None:
    text, coding = "镕基路朱先生反映：菜市场污水横流，望尽快处理。", "gb18030" if charset.startswith("gb") else "utf-8"
    head = f"From: zhu@example.com\r\nMessage-ID: <{charset}@x>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0800\r\n"
    subject = f"Subject: =?{charset}?b?{base64.b64encode('关于镕基路'.encode(coding)).decode()}?=\r\n"
    kind = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    imap.deliver((head + subject + kind).encode() + base64.encodebytes(text.encode(coding)), at=NOW)
    (one,) = read((await everything(ref))[0], ref)
    assert (one.text, one.title, one.author.id) == (text, "关于镕基路", "zhu@example.com")
    assert one.kind is Kind.letter


async def test_bare_bytes_in_headers_attachments_and_quotations(imap: Imap, ref: AccountRef) -> None:
    name = base64.b64encode("现场照片.jpg".encode("gbk")).decode()
    mail = (
        b"From: \xcd\xf5\xc4\xb3 <wang@example.com>\r\nSubject: \xb9\xd8\xd3\xda\xcd\xa3\xcb\xae\r\n"
        b"Message-ID: <q@x>\r\nReferences: <a@x> <b@x>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0800\r\n"
        b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html; charset=gb2312\r\n\r\n"
        + "<p>又停水了</p><script>alert(1)</script>".encode("gbk")
        + b"<p>On Mon, 23 Nov 2026 at 09:00, Someone &lt;a@b.cn&gt; wrote:</p><p>&gt; old</p>"
        + f'\r\n--B\r\nContent-Type: image/jpeg; name="=?gbk?b?{name}?="\r\n'.encode()
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"x" * 5000) + b"\r\n--B--\r\n"
    )  # fmt: skip
    imap.deliver(mail, at=NOW)
    (item,), _ = await everything(ref)
    (one,) = read([item], ref)
    assert (one.title, one.author.name, one.text) == ("关于停水", "王某", "又停水了")
    assert "old" in one.extra["quoted"]
    assert [(m.description, m.url) for m in one.media] == [("现场照片.jpg（4 KB）", attached(0))]
    assert item.files == (Attached("现场照片.jpg", b"x" * 5000),)
    assert (one.thread_id, one.parent_id) == ("a@x", "b@x")


async def test_large_mails_come_a_few_at_a_time_and_all_of_them(
    imap: Imap, ref: AccountRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attachments are held in memory until their page is stored; a mail too large for any page comes alone."""
    monkeypatch.setattr(reading, "PAGE_BYTES", 10_000)
    sizes = [4000, 4000, 4000, 30_000, 100]
    imap.deliver(*[letter(n, "照片" + "y" * size) for n, size in enumerate(sizes)], at=NOW)
    pages, cursor = [], {}
    for _ in sizes:
        page = await connector.pull(ref, "letters", cursor)
        pages.append(len(page.items))
        cursor = dict(page.cursor)
        if not page.more:
            break
    assert pages == [2, 1, 1, 1]


async def test_of_a_mail_cut_short_no_attachment_is_taken(
    imap: Imap, ref: AccountRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(reading, "BEGINNING_BYTES", 900)
    head = b"From: li@example.com\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\n"
    part = b'\r\n--B\r\nContent-Type: image/jpeg; name="a.jpg"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    imap.deliver(head + b"hello" + part + base64.b64encode(b"\xff\xd8\xff" * 1000) + b"\r\n--B--\r\n", at=NOW)
    (item,), _ = await everything(ref)
    assert item.files == ()
    (one,) = read([item], ref)
    assert one.media[0].description.startswith("a.jpg"), "named all the same"


async def test_an_id_used_twice_hides_no_letter_and_a_mad_clock_is_not_believed(imap: Imap, ref: AccountRef) -> None:
    future = letter(7, "第二封").replace(b"23 Nov 2026", b"23 Nov 2036")
    imap.deliver(letter(7, "第一封"), future, at=NOW)
    items, _ = await everything(ref)
    assert len({item.external_id for item in items}) == 2
    first, second = read(items, ref)
    assert first.created_at == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert second.created_at == NOW
    assert message_id_of(first.external_id) == message_id_of(second.external_id) == "7@example.com"


async def test_machines_are_recognised_and_bounces_are_notices(imap: Imap, ref: AccountRef) -> None:
    report = (
        b"From: MAILER-DAEMON@example.com\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\n"
        b"Message-ID: <dsn@x>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=R\r\n\r\n"
        b"--R\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--R\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; li@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"Diagnostic-Code: smtp; 550 no such user\r\n\r\n--R\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Message-ID: <abc@example.gov.cn>\r\nSubject: x\r\n\r\n--R--\r\n"
    )
    delayed = report.replace(b"Action: failed", b"Action: delayed").replace(b"<dsn@x>", b"<late@x>")
    imap.deliver(letter(1, more="Precedence: bulk\r\n"), letter(2, more="List-Id: <l.x>\r\n"), report, delayed, at=NOW)
    page = await connector.pull(ref, "letters", {})
    (notice,) = page.notices
    assert (notice.kind, notice.about, notice.words) == (NoticeKind.bounced, "abc@example.gov.cn", "550 no such user")
    assert [one.extra["automatic"] for one in read(list(page.items), ref)] == ["precedence", "list", "auto-submitted"]


async def test_large_mail_is_read_by_its_beginning(imap: Imap, ref: AccountRef) -> None:
    head = letter(1).replace(
        b"Content-Type: text/plain; charset=utf-8\r\n", b"Content-Type: multipart/mixed; boundary=B\r\n"
    )
    inner = b"--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + "正文在前".encode()
    rest = (
        b"\r\n--B\r\nContent-Type: application/zip; name=a.zip\r\n\r\n" + b"x" * (11 * 1024 * 1024) + b"\r\n--B--\r\n"
    )
    imap.deliver(head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + inner + rest, at=NOW)
    items, _ = await everything(ref)
    assert sum(len(item.payload) for item in items) < 100_000
    assert read(items, ref)[0].text == "正文在前"


async def told_of(imap: Imap, ref: AccountRef) -> bool:
    """Whether a letter that comes while we wait ends the waiting; a connection that breaks is no answer."""
    waiting = asyncio.create_task(connector.wait(ref, "letters", {}))
    await asyncio.sleep(1.5)
    for number in range(10):  # a letter that came before the server was listened to is for the next reading
        await asyncio.to_thread(imap.deliver, letter(number), at=NOW)
        if (await asyncio.wait([waiting], timeout=3))[0]:
            return waiting.exception() is None
    return False


async def test_waiting_ends_when_a_letter_comes(imap: Imap, ref: AccountRef) -> None:
    assert await told_of(imap, ref) or await told_of(imap, ref), "the listener waits again after a broken connection"


async def test_what_came_before_anybody_listened_is_told_at_once(imap: Imap, ref: AccountRef) -> None:
    _, cursor = await everything(ref)
    await asyncio.to_thread(imap.deliver, letter(1), at=NOW)
    async with asyncio.timeout(10):
        await connector.wait(ref, "letters", cursor)
    _, cursor = await everything(ref, cursor)
    waiting = asyncio.create_task(connector.wait(ref, "letters", cursor))
    await asyncio.sleep(1.5)
    assert not waiting.done(), "all of it is read"
    waiting.cancel()


async def test_waiting_goes_on_while_nothing_comes_and_can_be_cancelled(imap: Imap, ref: AccountRef) -> None:
    waiting = asyncio.create_task(connector.wait(ref, "letters", {}))
    await asyncio.sleep(1.5)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_server_that_does_not_tell_says_so_at_once(ref: AccountRef, monkeypatch: pytest.MonkeyPatch) -> None:
    """To return would mean that something came, and the folder would be read again and again."""
    able = IMAPClient.has_capability
    monkeypatch.setattr(IMAPClient, "has_capability", lambda self, name: name != "IDLE" and able(self, name))
    async with asyncio.timeout(10):
        with pytest.raises(ConnectorError) as caught:
            await connector.wait(ref, "letters", {})
    assert (caught.value.kind, caught.value.human) == (ErrorKind.permission, NOT_TOLD)


async def test_an_answer_stays_in_its_thread_and_is_kept(imap: Imap, ref: AccountRef, smtp: Smtp) -> None:
    imap.deliver(letter(5, more="References: <root@example.com>\r\n"), at=NOW)
    (one,) = read((await everything(ref))[0], ref)
    full = dataclasses.replace(
        ref, options={"smtp": smtp.address, "sent_folder": "Sent", "sender_name": "临江市领导信箱"}
    )
    out = Outgoing("已修好，谢谢。", "key-1", one.external_id, Kind.letter, one.thread_id, one.author.id)
    assert connector.validate(full, out) == []
    done = await connector.reply(full, out)
    ((to, data),) = smtp.mails
    mail = message_from_bytes(data)
    assert to == ["li@example.com"]
    assert str(make_header(decode_header(str(mail["Subject"])))) == "回复：来信5"
    assert "临江市领导信箱" in str(make_header(decode_header(str(mail["From"]))))
    assert (mail["In-Reply-To"], mail["References"]) == ("<5@example.com>", "<root@example.com> <5@example.com>")
    assert mail["Message-ID"] == f"<{done.external_id}>" == "<key-1@example.gov.cn>"
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().strip() == "已修好，谢谢。"
    own = await connector.find_own(full, NOW - timedelta(minutes=1), out)
    assert [item.external_id for item in own.items] == [done.external_id]
    assert (await connector.find_own(full, NOW, dataclasses.replace(out, key="other"))).items == ()


@pytest.mark.parametrize(
    ("at", "answer", "kind"),
    [
        ("MAIL", "421 going down", ErrorKind.transient),
        ("RCPT", "550 no such user", ErrorKind.target_refuses),
        ("RCPT", "450 busy", ErrorKind.transient),
        ("RCPT", "553 bad name", ErrorKind.target_refuses),
        ("DATA", "452 too much", ErrorKind.transient),
        ("DATA", "552 too big", ErrorKind.content_rejected),
        ("DATA", "554 spam", ErrorKind.content_rejected),
        ("DATA", "599 odd", ErrorKind.content_rejected),
    ],
)
async def test_a_clear_refusal_did_nothing(ref: AccountRef, smtp: Smtp, at: str, answer: str, kind: ErrorKind) -> None:
    smtp.says[at] = answer
    full = dataclasses.replace(ref, options={"smtp": smtp.address})
    out = Outgoing("好", "k", "sha256#1", Kind.letter, "", "li@example.com")
    with pytest.raises(ConnectorError) as caught:
        await connector.reply(full, out)
    assert (caught.value.kind, caught.value.effect) == (kind, Effect.not_done)
    assert smtp.mails == []


async def test_a_connection_lost_after_the_text_is_unknown(ref: AccountRef, smtp: Smtp) -> None:
    smtp.drops = True
    full = dataclasses.replace(ref, options={"smtp": smtp.address})
    with pytest.raises(ConnectorError) as caught:
        await connector.reply(full, Outgoing("好", "k", "sha256#1", Kind.letter, "", "li@example.com"))
    assert caught.value.effect is Effect.unknown
    assert len(smtp.mails) == 1


async def test_wrong_passwords_folders_and_addresses_are_told(ref: AccountRef, smtp: Smtp) -> None:
    assert (await connector.check(dataclasses.replace(ref, options={"smtp": smtp.address}))).ok
    wrong = dataclasses.replace(ref, secrets={"password": "wrong-password"}, options={"smtp": smtp.address})
    health = await connector.check(wrong)
    assert not health.ok
    assert "密码" in health.note
    for options, url in (({"folder": "没有"}, ref.base_url), ({}, "http://127.0.0.1:1"), ({"smtp": "x"}, ref.base_url)):
        with pytest.raises(ConnectorError) as caught:
            await connector.check(dataclasses.replace(ref, options=options, base_url=url))
        assert "password" not in str(caught.value)


class _Strict(servers._Imap):
    """A session with a server that opens folders only to clients which have named themselves, as NetEase's do."""

    named = False

    def id_(self, parameters: Any = None) -> Any:
        self.named = bool(parameters)
        return super().id_(parameters)

    def select_folder(self, folder: Any, readonly: bool = False) -> Any:
        if not self.named:
            raise IMAPClientError("select failed: SELECT Unsafe Login. Please contact kefu@188.com for help")
        return super().select_folder(folder, readonly)


async def test_a_server_that_wants_to_know_who_reads_is_told(
    imap: Imap, ref: AccountRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_Imap", _Strict)
    imap.deliver(letter(1), at=NOW)
    assert (await connector.check(ref)).ok
    assert len((await everything(ref))[0]) == 1
    monkeypatch.setattr(_Strict, "id_", lambda *_: None)
    with pytest.raises(ConnectorError) as refused:
        await connector.check(ref)
    assert (refused.value.kind, "Unsafe Login" in refused.value.code) == (ErrorKind.protocol, True)


async def test_in_live_mode_neither_this_machine_nor_private_networks(ref: AccountRef) -> None:
    live = MailboxConnector(Http(live=True))
    for address in (ref.base_url, "imaps://10.1.2.3", "imaps://169.254.169.254", "imaps://[::1]", "imaps://localhost"):
        with pytest.raises(ConnectorError) as caught:
            await live.pull(dataclasses.replace(ref, base_url=address), "letters", {})
        assert caught.value.kind is ErrorKind.permission
    with pytest.raises(ConnectorError) as caught:
        await live.reply(
            dataclasses.replace(ref, options={"smtp": "smtp://127.0.0.1:25"}),
            Outgoing("好", "k", "sha256#1", Kind.letter, "", "li@example.com"),
        )
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.permission, Effect.not_done)


def test_grants_say_what_is_missing(ref: AccountRef) -> None:
    grants = connector.capabilities(ref)
    assert grants[Capability.pull_messages].granted is Granted.yes
    assert grants[Capability.reply_private].granted is Granted.needs
    assert grants[Capability.find_own].granted is Granted.no
