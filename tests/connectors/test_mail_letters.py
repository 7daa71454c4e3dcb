"""One mail as a letter, whatever its sender claims: encodings, addresses, options of the account."""

from __future__ import annotations

import base64
import dataclasses
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import AccountRef, Inbound, Kind, Outgoing
from connectors.http import Http
from connectors.mailbox.bounces import bounce_of
from connectors.mailbox.charsets import decoded
from connectors.mailbox.client import MailboxConnector
from connectors.mailbox.letters import item_of
from connectors.mailbox.sending import is_address, mail_of

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
REF = AccountRef(1, "mailbox", "领导信箱", "letters@example.gov.cn", "imap://127.0.0.1")
CODED = "路灯abc".encode("punycode")
connector = MailboxConnector(Http(live=False, clock=lambda: NOW))


def read(mail: bytes) -> Inbound:
    return connector.parse(REF, item_of(b"From: a@example.com\r\n" + mail, NOW))


@pytest.mark.parametrize(
    "name", ["punycode", "idna", "unicode_escape", "raw-unicode-escape", "rot13", "zlib", "x" * 99]
)
def test_an_encoding_that_is_none_of_mails_is_taken_for_unknown(name: str) -> None:
    plain = b"\\u8def-xn--abc"
    assert decoded(plain, name) == plain.decode()
    assert decoded("路灯".encode(), name) == decoded("路灯".encode("gbk"), name) == "路灯"


@pytest.mark.parametrize(("name", "codec"), [
    ("GB2312", "gb18030"), ("cp936", "gb18030"), ("x-gbk", "gb18030"), ("csISO58GB231280", "gb2312"),
    ("hz-gb-2312", "hz"), ("big5", "big5"), ("UTF8", "utf-8"), ("unicode-1-1-utf-7", "utf-7"),
    ("iso-2022-jp", "iso2022_jp"), ("ks_c_5601-1987", "euc_kr"), ("ms_kanji", "cp932"), ("'utf-8'", "utf-8"),
])  # fmt: skip
def test_the_encodings_of_mail_are_read_by_all_their_names(name: str, codec: str) -> None:
    assert decoded("工事中".encode(codec), name) == "工事中"


@pytest.mark.parametrize(("name", "codec"), [
    ("latin1", "latin-1"), ("us-ascii", "ascii"), ("windows-1252", "cp1252"), ("koi8-r", "koi8-r"), ("ibm866", "cp866"),
    ("macintosh", "mac-roman"), ("tis-620", "tis-620"),
])  # fmt: skip
def test_other_alphabets_are_read_too(name: str, codec: str) -> None:
    text = bytes(range(0xC1, 0xC9)).decode(codec) if codec != "ascii" else "abc"
    assert decoded(text.encode(codec), name) == text


@pytest.mark.parametrize("mail", [
    b"Content-Type: text/plain; charset=punycode\r\n\r\n" + CODED,
    b"Content-Type: text/plain; charset*=utf-8''punycode\r\n\r\n" + CODED,
    b"Content-Type: text/plain\r\nSubject: =?punycode?b?" + base64.b64encode(CODED) + b"?=\r\n\r\n",
    b"Content-Type: application/pdf; name*=punycode''" + CODED + b"\r\n\r\nx",
    b"Content-Disposition: attachment; filename*=punycode''" + CODED + b"\r\n\r\nx",
])  # fmt: skip
def test_no_part_of_a_mail_is_decoded_as_it_should_not_be(mail: bytes) -> None:
    one = read(mail)
    said = one.text + one.title + "".join(media.description for media in one.media)
    assert CODED.decode() in said
    assert "路灯" not in said


def test_file_names_and_encodings_of_long_parameters_are_still_read() -> None:
    one = read(
        b"Content-Type: multipart/mixed; boundary*=us-ascii''B\r\n\r\n--B\r\nContent-Type: text/plain; "
        b"charset*=''gb2312\r\n\r\n\xc2\xb7\xb5\xc6\r\n--B\r\nContent-Disposition: attachment;"
        b"\r\n filename*0*=utf-8''%E5%9B%BE;\r\n"
        b" filename*1*=%E7%89%87.png\r\nContent-Type: image/png\r\n\r\nx\r\n--B--\r\n"
    )
    assert one.text == "路灯"
    assert [media.description for media in one.media] == ["图片.png（1 KB）"]


def test_a_mail_keeps_nobody_busy_by_the_name_of_its_encoding() -> None:
    """Punycode takes ten seconds for so much."""
    long = b"a-" + b"abcdefgh1" * 70_000
    began = time.monotonic()
    for head in (b"text/plain; charset=punycode", b"text/rfc822-headers; charset=punycode"):
        read(b"Content-Type: " + head + b"\r\n\r\n" + long + b"\xff")
    read(b"Content-Type: image/png; name*=punycode''" + long + b"\r\n\r\nx")
    bounce_of(
        b"Content-Type: multipart/report; boundary=R\r\n\r\n--R\r\nContent-Type: text/rfc822-headers; charset=punycode"
        b"\r\n\r\n" + long + b"\xff\r\n--R--\r\n"
    )
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "back",
    [
        "<a@b.>",
        "<a@.>",
        '"a@["',
        "a@[",
        "é@[ ",
        "a@[x",
        ";@x",
        "a@b..c",
        "@",
        "",
        "张@example.com",
        "a b@x",
        "\udcff@x",
    ],
)
def test_half_an_address_is_none(back: str) -> None:
    assert not is_address(back)
    one = read(f"Reply-To: {back}\r\nMessage-ID: <1@x>\r\n\r\nhi".encode("utf-8", "surrogateescape"))
    out = Outgoing("好", "k", one.external_id, Kind.letter, one.thread_id, one.author.id)
    assert [problem.field for problem in connector.validate(REF, out)] in ([], ["target"])


_PIECES = st.sampled_from(
    ['"', *"@.[]<>\\(),;: ab-=?_\t\r\n", "é", "张", "\udcff", "@b.cn", "127.0.0.1", "=?utf-8?q?x?="]
)


@given(st.lists(_PIECES, max_size=9).map("".join) | st.text(max_size=12))
def test_any_text_is_an_address_that_can_be_written_to_or_none(typed: str) -> None:
    if is_address(typed):
        mail = mail_of(REF, Outgoing("好", "k", "x#1", Kind.letter, "", typed), "来信", [], NOW)
        assert len(mail["To"].addresses) == 1
        assert mail.as_bytes()


@pytest.mark.parametrize(("typed", "seconds"), [("五分钟", 300), ("", 300), ("60", 60), ("0", 1), ("nan", 300)])
def test_a_mistyped_interval_is_the_usual_one(typed: str, seconds: float) -> None:
    assert connector.limits(dataclasses.replace(REF, options={"pull_every": typed})).pull_every == seconds
