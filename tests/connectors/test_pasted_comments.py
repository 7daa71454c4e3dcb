"""Comments as people copy them out of apps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import AccountRef, Kind
from connectors.manual.client import ManualConnector
from connectors.manual.pasted import MOST, item_of, read

NOW = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)  # noon in Beijing
FROM_AN_APP = """
热心市民小王
学府路什么时候来水？
3小时前 · 广东  回复
12
展开 2 条回复

@李大爷
楼上说得对，
我家也停了
11-26 09:30
回复
赞
"""


def test_blocks_of_an_app_are_read_with_name_words_and_time() -> None:
    one, two = read(FROM_AN_APP, NOW)
    assert (one.author, one.text, one.at) == (
        "热心市民小王",
        "学府路什么时候来水？",
        datetime(2026, 11, 27, 1, tzinfo=UTC),
    )
    assert (two.author, two.text) == ("李大爷", "楼上说得对，\n我家也停了")
    assert two.at == datetime(2026, 11, 26, 1, 30, tzinfo=UTC)


def test_lines_with_names_are_one_comment_each() -> None:
    found = read("张三：路灯坏了\n李四: 我家也是\n王五：几点修好？", NOW)
    assert [(one.author, one.text) for one in found] == [
        ("张三", "路灯坏了"),
        ("李四", "我家也是"),
        ("王五", "几点修好？"),
    ]
    assert not any(one.is_dated for one in found)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("昨天 21:15", datetime(2026, 11, 26, 13, 15, tzinfo=UTC)),
        ("2025-12-31 08:00", datetime(2025, 12, 31, tzinfo=UTC)),
        ("12-30", datetime(2025, 12, 30, 4, tzinfo=UTC)),
        ("刚刚", NOW),
        ("2天前 · 浙江", datetime(2026, 11, 25, 4, tzinfo=UTC)),
        ("2030-01-01 08:00", NOW),
    ],
)
def test_times_as_apps_write_them(line: str, at: datetime) -> None:
    (one,) = read(f"小王\n路灯坏了\n{line}", NOW)
    assert (one.text, one.at, one.is_dated) == ("路灯坏了", at, True)


def test_a_bare_sentence_is_a_comment_of_nobody_and_the_same_one_is_there_once() -> None:
    (one,) = read(
        "这条路天天挖，什么时候是个头，能不能一次修好，我们每天上班都要绕路\n\n这条路天天挖，什么时候是个头，能不能一次修好，我们每天上班都要绕路",
        NOW,
    )
    assert one.author == ""
    assert read("  \n\n回复\n赞\n12\n", NOW) == []
    assert len(read("\n\n".join(f"甲{n}：字" for n in range(MOST + 9)), NOW)) == MOST


def test_what_is_stored_is_understood_by_its_connector_and_named_by_its_words() -> None:
    one, _ = read(FROM_AN_APP, NOW)
    item = item_of(one, "https://www.douyin.com/video/1", "停水通告")
    account = AccountRef(1, "manual", "号", "", "", options={"site": "douyin"})
    understood = ManualConnector().parse(account, item)
    assert (understood.kind, understood.text, understood.author.name) == (Kind.comment, one.text, "热心市民小王")
    assert (understood.created_at, understood.url) == (one.at, "https://www.douyin.com/video/1")
    later, _ = read(FROM_AN_APP.replace("3小时前", "5小时前"), NOW)
    assert item_of(later, "https://www.douyin.com/video/1", "停水通告").external_id == item.external_id


@given(st.text())
def test_anything_can_be_pasted(text: str) -> None:
    for one in read(text, NOW):
        assert one.text.strip()
        assert one.at <= NOW
        item_of(one)
