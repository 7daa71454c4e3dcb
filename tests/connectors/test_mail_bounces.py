"""Mail that says in words that an answer came back: the sure ones are bounces of it, everything else is a letter."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import NoticeKind
from connectors.mailbox.bounces import bounce_of, plain_bounce_of

DOMAIN = "example.gov.cn"
KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OURS = f"{KEY}@{DOMAIN}"

QMAIL = (
    "From: MAILER-DAEMON@mail.example.com\r\nTo: letters@example.gov.cn\r\nSubject: failure notice\r\n"
    "Date: Fri, 27 Nov 2026 10:00:00 +0800\r\n\r\n"
    "Hi. This is the qmail-send program at mail.example.com.\r\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
    "<li@example.com>:\r\n192.0.2.7 does not like recipient.\r\n"
    "Remote host said: 550 5.1.1 <li@example.com>: Recipient address rejected: User unknown\r\n\r\n"
    "--- Below this line is a copy of the message.\r\n\r\n"
    f"Return-Path: <letters@example.gov.cn>\r\nMessage-ID: <{OURS}>\r\nSubject: =?utf-8?b?5Zue5aSN?=\r\n\r\nx\r\n"
)
SUBJECT = "Mail delivery failed: returning message to sender"
EXIM = (
    "From: Mail Delivery System <Mailer-Daemon@mx.example.com>\r\nTo: letters@example.gov.cn\r\n"
    f"Subject: {SUBJECT}\r\nAuto-Submitted: auto-replied\r\n"
    f"References: <one@example.com> <{OURS}>\r\n\r\n"
    "A message that you sent could not be delivered to one or more of its recipients.\r\n\r\n"
    "  li@example.com\r\n    mailbox is full: retry timeout exceeded\r\n"
)


def _qq() -> str:
    why = "<p>很抱歉，您的邮件被退回。</p><p>原因：550 Mailbox not found.</p>"
    html = f"<html><body>{why}<p>&lt;{OURS}&gt;</p></body></html>"
    coded = base64.b64encode(html.encode("gb18030")).decode()
    subject = base64.b64encode("来自qq.com的退信".encode("gb18030")).decode()
    return (
        f"From: <PostMaster@qq.com>\r\nTo: letters@example.gov.cn\r\nSubject: =?gb18030?B?{subject}?=\r\n"
        f"Content-Type: text/html; charset=gb18030\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}\r\n"
    )


ENCLOSED = (
    "From: postmaster@163.com\r\nTo: letters@example.gov.cn\r\n"
    "Subject: =?utf-8?b?57O757uf6YCA5L+hL1N5c3RlbXMgYm91bmNl?=\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n您的邮件无法送达，对方服务器拒收。\r\n--B\r\n"
    "Content-Type: message/rfc822\r\n\r\n"
    f"From: letters@example.gov.cn\r\nMessage-ID: <{OURS}>\r\nSubject: x\r\n\r\n您好\r\n--B--\r\n"
)


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        (QMAIL, "550 5.1.1 <li@example.com>: Recipient address rejected: User unknown"),
        (EXIM, SUBJECT),
        (_qq(), "550 Mailbox not found."),
        (ENCLOSED, "系统退信/Systems bounce"),
    ],
)
def test_a_bounce_in_words_is_a_bounce_of_that_answer(mail: str, words: str) -> None:
    data = mail.encode()
    assert bounce_of(data) is None
    notice = plain_bounce_of(data, DOMAIN)
    assert notice is not None
    assert (notice.kind, notice.about) == (NoticeKind.bounced, OURS)
    assert notice.words == words


OTHER = "ffffffffffffffffffffffffffffffff"


@pytest.mark.parametrize(
    ("why", "mail"),
    [
        ("a citizen forwards it", QMAIL.replace("MAILER-DAEMON@mail.example.com", "li@example.com")),
        ("a citizen calls himself so", QMAIL.replace("MAILER-DAEMON@mail", "MAILER-DAEMON <li@mail")),
        ("two senders", QMAIL.replace("com\r\nTo", "com, li@example.com\r\nTo", 1)),
        ("a person who is postmaster answers", EXIM.replace(SUBJECT, "Re: 回复：路灯")),
        ("it is late, not lost", QMAIL.replace("failure notice", "Warning: message delayed 4 hours")),
        ("it is late, in both words", QMAIL.replace("failure notice", "Delivery failed (delayed), will retry")),
        ("no id of ours", QMAIL.replace(OURS, "somebody@example.com")),
        ("our domain, not our id", QMAIL.replace(OURS, "letter-1@example.gov.cn")),
        ("our id at another domain", QMAIL.replace(OURS, f"{KEY}@example.gov.cn.example.com")),
        ("longer than an id of ours", QMAIL.replace(KEY, "00" + KEY)),
        ("two answers of ours", QMAIL.replace("\r\n\r\nx\r\n", f"\r\n\r\n<{OTHER}@{DOMAIN}>\r\n")),
        ("no sender", QMAIL.partition("\r\n")[2]),
        ("out of office", EXIM.replace(SUBJECT, "Automatic reply: out of office")),
    ],
)  # fmt: skip
def test_whatever_is_not_sure_stays_a_letter(why: str, mail: str) -> None:
    assert plain_bounce_of(mail.encode(), DOMAIN) is None, why


def test_a_report_is_read_as_one_and_no_other_way() -> None:
    report = QMAIL.replace("\r\n\r\nHi.", "\r\nContent-Type: multipart/report; boundary=R\r\n\r\nHi.", 1)
    assert plain_bounce_of(report.encode(), DOMAIN) is None, "its Action says whether it failed"


@given(st.binary(max_size=400), st.sampled_from([b"", b"From: postmaster@x\r\nSubject: failure notice\r\n"]))
def test_any_bytes_are_a_bounce_or_none(data: bytes, head: bytes) -> None:
    assert plain_bounce_of(head + data, DOMAIN) is None
