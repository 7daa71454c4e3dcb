"""Letters on their roads: by mail to an answer in the sender's thread and its bounce; by work order to a result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from sqlmodel import col, select

from hub.db import reading, unit_of_work
from hub.errors import NotFound
from hub.models import (
    Account,
    ArrivalFile,
    Case,
    CaseState,
    Delivery,
    DeliveryState,
    Department,
    Message,
    Reply,
    ReplyState,
)
from tests.journeys.office import City
from tests.sims.exchange import KEY, KEY_ID, Hotline, hotline
from tests.sims.mail import PASSWORD, USER, Imap, Smtp, imap_server, smtp_server
from workflows import accounts
from workflows.intake import files
from workflows.intake.push import receive_push

ANSWER = "您好，枫林路的路灯今晚修好，谢谢提醒。"
LETTER = (
    "From: li@example.com\r\nTo: {to}\r\nSubject: =?utf-8?b?6Lev54Gv?=\r\nMessage-ID: <one@example.com>\r\n"
    "Date: {at}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n枫林路的路灯坏了半个月，晚上老人摔了一跤。\r\n"
)
BOUNCE = (
    "From: MAILER-DAEMON@example.com\r\nMessage-ID: <dsn@example.com>\r\nDate: {at}\r\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=R\r\n\r\n--R\r\n"
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    "Diagnostic-Code: smtp; 550 no such user\r\n\r\n--R\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    "Message-ID: <{about}>\r\n\r\n--R--\r\n"
)
IN_WORDS = (
    "From: Mail Delivery System <MAILER-DAEMON@example.com>\r\nSubject: Undelivered Mail Returned to Sender\r\n"
    "Message-ID: <dsn@example.com>\r\nDate: {at}\r\n\r\nli@example.com: 550 no such user\r\n\r\n"
    "---- your message ----\r\nMessage-ID: <{about}>\r\n"
)


@pytest.fixture
def imap() -> Iterator[Imap]:
    with imap_server() as found:
        yield found


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    with smtp_server() as found:
        yield found


@pytest.fixture
def other() -> Iterator[Hotline]:
    with hotline() as found:
        yield found


@pytest.mark.parametrize("bounce", [BOUNCE, IN_WORDS], ids=["report", "words"])
async def test_a_letter_by_mail_is_answered_and_the_answer_comes_back(
    city: City, imap: Imap, smtp: Smtp, bounce: str
) -> None:
    now = datetime.now(UTC)
    at = now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    given = {
        "name": "领导信箱",
        "external_id": USER,
        "base_url": imap.base_url,
        "smtp": smtp.address,
        "password": PASSWORD,
    }
    _account, health = await accounts.connect(city.house, city.people["administrator"], "mailbox", given)
    assert health.ok
    imap.deliver(LETTER.format(to=USER, at=at).encode(), at=now)
    await city.take_in()
    await city.take_in()
    message = await city.one(Message)
    case = await city.one(Case, Case.id == message.case_id)
    await city.answer(case, ANSWER)
    ((to, data),) = smtp.mails
    mail = message_from_bytes(data)
    assert (to, mail["In-Reply-To"]) == (["li@example.com"], "<one@example.com>")
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().strip() == ANSWER
    assert (await city.one(Case, Case.id == case.id)).state is CaseState.replied
    sent = await city.one(Delivery)
    assert mail["Message-ID"] == f"<{sent.remote_id}>"
    imap.deliver(bounce.format(at=at, about=sent.remote_id).encode(), at=now)
    await city.take_in()
    bounced = await city.one(Delivery)
    assert bounced.state is DeliveryState.failed
    assert "550 no such user" in bounced.error
    assert (await city.one(Case, Case.id == case.id)).state is CaseState.handling, "nobody was answered"
    assert (await city.one(Reply)).state is ReplyState.failed
    assert await city.count(Message) == 1, "a bounce is no letter"


async def test_what_comes_with_a_mail_is_kept_with_its_message(city: City, imap: Imap, smtp: Smtp) -> None:
    """Pictures and PDFs are there for those who see the letter; what a program could run is only named."""
    now = datetime.now(UTC)
    given = {"name": "领导信箱", "external_id": USER, "base_url": imap.base_url, "smtp": smtp.address}
    given["password"] = PASSWORD
    await accounts.connect(city.house, city.people["administrator"], "mailbox", given)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = "li@example.com", USER, "路灯", "<two@example.com>"
    mail.set_content("枫林路的路灯坏了，照片附上。")
    jpeg, pdf = b"\xff\xd8\xff" + b"j" * 3000, b"%PDF-1.7 " + b"p" * 2000
    mail.add_attachment(jpeg, maintype="application", subtype="octet-stream", filename="..\\..\\现场<1>.exe")
    mail.add_attachment(b"MZ" + b"x" * 2000, maintype="image", subtype="png", filename="照片.png")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="说明.pdf")
    imap.deliver(mail.as_bytes(), at=now)
    for _ in range(2):
        await city.take_in()
    message = await city.one(Message)
    assert [(one["kind"], one["description"], bool(one["url"])) for one in message.media] == [
        ("image", "..\\..\\现场<1>.exe（2 KB）", True), ("file", "照片.png（1 KB）", False),
        ("file", "说明.pdf（1 KB）", True),
    ]  # fmt: skip
    numbers = [int(one["url"].rpartition("/")[2]) for one in message.media if one["url"]]
    async with reading(city.house.ctx) as unit:
        kept = [await files.file_of(unit, city.people["dispatcher"], number) for number in numbers]
        with pytest.raises(NotFound):
            await files.file_of(unit, replace(city.people["handler"], may=frozenset()), numbers[0])
    assert [(one.name, one.mime, one.data) for one in kept] == [
        ("现场1.jpg", "image/jpeg", jpeg), ("说明.pdf", "application/pdf", pdf),
    ]  # fmt: skip
    assert await city.count(ArrivalFile) == 2, "read twice, kept once"


async def test_a_work_order_goes_back_with_its_result(city: City, other: Hotline) -> None:
    given = {"name": "12345", "base_url": other.base_url, "key": KEY, "key_id": KEY_ID}
    given["stages"] = "受理，转办，签收"
    account, health = await accounts.connect(city.house, city.people["administrator"], "exchange", given)
    assert health.ok
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    order = {"order_id": "GD1", "title": "路灯", "content": "枫林路的路灯坏了半个月。", "phone": "13812345678"}
    headers, body = other.push(order | {"due_at": due.isoformat()})
    for _ in range(2):
        answer = await receive_push(city.house, account.id or 0, "POST", {}, headers, body)
        assert getattr(answer, "body", "") == '{"received": ["GD1"]}'
    await city.take_in()
    message = await city.one(Message)
    case = await city.one(Case, Case.id == message.case_id)
    assert case.due_at == due
    await city.answer(case, ANSWER)
    (result,) = other.results.values()
    assert (result["order_id"], result["result"]) == ("GD1", ANSWER)
    async with reading(city.house.ctx) as unit:
        office = await unit.get(Department, (await city.one(Case, Case.id == case.id)).department_id)
    assert office is not None
    assert (result["department"], result["department_code"]) == (office.name, office.code)
    assert [one["status"] for one in other.events.values()] == ["accepted", "transferred", "signed"]
    async with unit_of_work(city.house.ctx) as unit:
        known = await unit.one(select(Account).where(col(Account.id) == account.id))
    assert known.last_push_at is not None
