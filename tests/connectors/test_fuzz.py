"""Whatever a platform or a file sends: an item, or a sentence; never anything else."""

from __future__ import annotations

import json
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from connectors.base import AccountRef, Inbound, Kind, RawItem, Reject, Unparsable
from connectors.files import FileRefused, Mapping, RowError, read, suggest, to_item
from connectors.files.moments import moment
from connectors.http import Http
from connectors.markup import plain
from connectors.mastodon.schemas import own_item as mastodon_own
from connectors.mastodon.schemas import raw_item as mastodon_raw
from connectors.registry import connectors
from connectors.sandbox.client import SandboxConnector
from connectors.sandbox.pushes import pushed_item
from connectors.text import TOO_DEEP, as_payload, clean, id_of
from connectors.weibo.links import post_url
from connectors.weibo.schemas import own_item, raw_item
from tests.sims.sandbox import signed_query

EVERY = connectors(live=False)
REF = AccountRef(1, "x", "临江发布", "500", "http://127.0.0.1:9", {"token": "t", "app_secret": "s"})
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_NAMES = (
    "id idstr mid text created_at user sender sender_id status reply_comment pic_urls deleted account content "
    "mentions type data item key media_attachments in_reply_to_id visibility annotations error extra answered_at"
)
NAMES = st.sampled_from(_NAMES.split())
TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["Wed Oct 24 23:49:17 +0800 2012", "2026-11-23T01:02:03Z", "5000000000000000001", "<p>@x</p>", "direct", "text"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=6),
    max_leaves=20,
)


@quick
@given(value=VALUES, kind=st.sampled_from(Kind))
def test_any_payload_is_an_item_or_a_sentence(value: Any, kind: Kind) -> None:
    payload = as_payload(value)
    payload.encode()
    assert "\x00" not in payload
    for made in EVERY.values():
        try:
            found = made.parse(REF, RawItem(kind, "1", payload))
        except Unparsable:
            continue
        assert isinstance(found, Inbound)
        assert found.created_at.tzinfo is not None
        (found.text + found.author.name + found.author.id + found.title + found.thread_id + found.url).encode()


@quick
@given(value=VALUES, kind=st.sampled_from(Kind))
def test_any_entry_of_a_list_can_be_stored(value: Any, kind: Kind) -> None:
    for item in (raw_item(kind, value), mastodon_raw(value), pushed_item(value)):
        if item is not None:
            assert 0 < len(item.external_id) <= 200
            (item.external_id + item.payload).encode()
    for own in (own_item(value, lambda author, thread, exact: post_url(author, thread)), mastodon_own(value)):
        assert own is None or own.created_at.tzinfo is not None


@quick
@given(body=st.binary(max_size=200) | VALUES.map(lambda v: json.dumps(v).encode()))
async def test_any_body_of_a_push_is_answered(body: bytes) -> None:
    answer = await SandboxConnector(Http(live=False)).receive(REF, "POST", signed_query("s"), {}, body)
    assert not isinstance(answer, Reject) or 400 <= answer.status < 500


@quick
@given(html=st.text(st.sampled_from("<>/&;!-=\"' apbr好\x00"), max_size=60) | st.text(max_size=40))
def test_any_html_is_plain_text(html: str) -> None:
    text = plain(html)
    text.encode()
    assert clean(text) == text
    assert plain(html) == text


@quick
@given(text=st.text(st.characters(), max_size=30))
def test_clean_is_clean_for_good(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert not any(ord(c) < 32 and c not in "\n\t" for c in cleaned)
    assert id_of(text, "x")


@quick
@given(
    text=st.text(max_size=30)
    | st.from_regex(r"[12]\d{3}[-/.年]\d{1,2}[-/.月]\d{1,2}日? ?\d{0,2}:?\d{0,2}", fullmatch=True)
)
def test_any_text_is_a_time_or_none(text: str) -> None:
    at = moment(text)
    assert at is None or (at.tzinfo is not None and 1989 <= at.year <= 2101)


def consume(path: Path) -> int:
    """Read a file to its end; its rows, or -1 for a refusal in words."""
    try:
        with read(path) as source:
            some = [row for _, row in zip(range(5), source.rows, strict=False)]
            mapping = suggest(source.headers, [cells for _, cells in some])
            assert Mapping.from_data(mapping.as_data()) == mapping
            made = [to_item(row, mapping) for row in (*some, *source.rows)]
    except FileRefused:
        return -1
    assert all(m.why if isinstance(m, RowError) else m.external_id for m in made)
    return len(made)


@quick
@given(
    body=st.binary(max_size=400)
    | st.text(st.sampled_from('编号内容时间,;\t"\n\r2020-1\x00'), max_size=200).map(str.encode)
)
def test_any_bytes_are_rows_or_a_refusal(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(body)
        consume(path)


def good_workbook() -> dict[str, bytes]:
    book = Workbook()
    page = book.active
    assert page is not None
    for line in (["编号", "内容", "时间"], [1, "路灯", "2020-01-01"], [2, "井盖", "2020-01-02"]):
        page.append(line)
    held = BytesIO()
    book.save(held)
    with zipfile.ZipFile(held) as package:
        return {name: package.read(name) for name in package.namelist()}


GOOD = good_workbook()


@quick
@given(data=st.data())
def test_any_damage_to_a_workbook_is_rows_or_a_refusal(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(GOOD)))
    body = bytearray(GOOD[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
        if not body:
            break
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        with zipfile.ZipFile(path, "w") as package:
            for part, content in (GOOD | {name: bytes(body)}).items():
                package.writestr(part, content)
        consume(path)


@pytest.mark.parametrize("cut", range(0, 6000, 400))
def test_a_workbook_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        for part, content in GOOD.items():
            package.writestr(part, content)
    path.write_bytes(path.read_bytes()[: cut + 4])
    assert consume(path) == -1


def test_what_is_nested_as_deeply_as_can_be_read_is_stored_as_unreadable() -> None:
    """The reader accepts a little more than the writer can write again."""
    read = []
    for depth in range(900, 1000):
        try:
            read.append(json.loads("[" * depth + "]" * depth))
        except RecursionError:
            break
    stored = [json.loads(as_payload(one)) for one in read]
    assert isinstance(stored[0], list)
    assert all(isinstance(one, list) or one == TOO_DEEP for one in stored)
