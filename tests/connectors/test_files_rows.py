"""Columns are recognised, rows become items with stable ids, and what is wrong is said where it stands."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.base import AccountRef, Kind, RawItem, Unparsable
from connectors.files import Field, Mapping, RowError, read, suggest, to_item
from connectors.files.client import FileConnector
from connectors.files.moments import moment
from connectors.files.source import EXTRA

REF = AccountRef(1, "file", "导入", "", "")
FILES = FileConnector()
COLUMNS = Mapping((("编号", Field.id), ("内容", Field.text), ("时间", Field.created_at)))
DATA = Path(os.environ.get("HUB_SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def row(number: int = 2, **cells: str) -> tuple[int, dict[str, str]]:
    return number, {"编号": "1", "内容": "路灯坏了", "时间": "2020/1/7 15:04:05"} | cells


def item(**cells: str) -> RawItem:
    made = to_item(row(**cells), COLUMNS)
    assert isinstance(made, RawItem)
    return made


def error(mapping: Mapping = COLUMNS, **cells: str) -> RowError:
    made = to_item(row(**cells), mapping)
    assert isinstance(made, RowError)
    return made


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2020/1/7 15:04:05", "2020-01-07 07:04:05"),
        ("2020-01-07 15:04", "2020-01-07 07:04:00"),
        ("2020-01-07T15:04:05+08:00", "2020-01-07 07:04:05"),
        ("2020-01-07T07:04:05Z", "2020-01-07 07:04:05"),
        ("2020-01-07 15:04:05.123", "2020-01-07 07:04:05"),
        ("2020.1.7", "2020-01-06 16:00:00"),
        ("2020年1月7日 15时4分5秒", "2020-01-07 07:04:05"),
        ("2020年1月7日下午3点4分", "2020-01-07 07:04:00"),
        ("２０２０／１／７　１５：０４", "2020-01-07 07:04:00"),
        ("2020-01-07 星期二 15:04", "2020-01-07 07:04:00"),
        ("2020/1/7 3:04:05 PM", "2020-01-07 07:04:05"),
        ("2020/1/7 12:04 AM", "2020-01-06 16:04:00"),
        ("20200107", "2020-01-06 16:00:00"),
        ("20200107150405", "2020-01-07 07:04:05"),
        ("43837.627835648", "2020-01-07 07:04:05"),
        ("1578380645", "2020-01-07 07:04:05"),
        ("1578380645000", "2020-01-07 07:04:05"),
        (" 2020-1-7 ", "2020-01-06 16:00:00"),
    ],
)
def test_times_are_read_as_beijing_time(text: str, utc: str) -> None:
    assert moment(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "昨天",
        "1/7/2020",
        "2020-13-01",
        "2020-02-30",
        "2020-01-07 25:00",
        "0000-00-00",
        "12",
        "1" * 50,
        "9999-12-31",
    ],
)
def test_what_is_no_sure_time_is_none(text: str) -> None:
    assert moment(text) is None


@pytest.mark.parametrize(
    ("headers", "mapped"),
    [
        (
            "留言编号 留言用户 留言主题 留言时间 留言详情 反对数 点赞数",
            "id author subject created_at text dislikes likes",
        ),
        (
            "留言编号 留言用户 留言主题 留言时间 留言详情 答复意见 答复时间",
            "id author subject created_at text answer answered_at",
        ),
        ("序号 平台ID 昵称 内容 发布时间 链接", "- id author text created_at url"),
        ("id,text,created_at,author,url,likes".replace(",", " "), "id text created_at author url likes"),
        ("Date Title Content User_Name", "created_at subject text author"),
        (
            "工单编号 诉求内容 来电时间 来电人 承办单位 办理结果 办结时间",
            "id text created_at author - answer answered_at",
        ),
        ("群众反映内容 反映日期 网名昵称", "text created_at author"),
    ],
)
def test_usual_columns_are_recognised(headers: str, mapped: str) -> None:
    names = headers.split()
    expected = {name: field for name, field in zip(names, mapped.split(), strict=True) if field != "-"}
    found = suggest(names)
    assert found.as_data() == expected
    assert found.problems(names) == []


def test_nameless_columns_are_guessed_by_what_they_hold() -> None:
    sample = [
        {"a": "188006", "b": "路灯已经坏了三天，请尽快安排维修", "c": f"2020/1/{n} 10:00", "d": "甲"}
        for n in range(1, 9)
    ]
    assert suggest(["a", "b", "c", "d"], sample).as_data() == {"b": "text", "c": "created_at"}


def test_a_mapping_is_remembered_as_data_and_says_what_is_missing() -> None:
    assert Mapping.from_data(json.loads(json.dumps(COLUMNS.as_data()))) == COLUMNS
    assert Mapping.from_data({"编号": "id", "备注": ""}).columns == (("编号", Field.id),)
    with pytest.raises(ValueError, match="nonsense"):
        Mapping.from_data({"a": "nonsense"})
    assert "没有指定「内容」列" in Mapping((("时间", Field.created_at),)).problems()[0]
    assert "没有指定「时间」列" in Mapping((("内容", Field.text),)).problems()[0]
    double = Mapping((("a", Field.text), ("b", Field.text), ("c", Field.created_at)))
    assert double.problems(["a", "b"]) == ["「内容」指定了多列，请只保留一列", "文件里没有「c」这一列"]


def test_an_item_has_its_own_id_or_one_of_its_content() -> None:
    assert item().external_id == "1"
    anonymous = Mapping((("内容", Field.text), ("时间", Field.created_at)))
    first = to_item(row(), anonymous)
    again = to_item((999, dict(reversed(row()[1].items()))), anonymous)
    other = to_item(row(内容="井盖坏了"), anonymous)
    assert isinstance(first, RawItem)
    assert first == again
    assert first.external_id.startswith("sha256:")
    assert isinstance(other, RawItem)
    assert other.external_id != first.external_id
    assert item(编号=" ").external_id.startswith("sha256:")
    assert item(编号="长" * 500).external_id.startswith("sha256:")


def test_a_row_is_understood() -> None:
    columns = {"id": "id", "题": "subject", "文": "text", "时": "created_at", "人": "author", "赞": "likes"}
    columns |= {"反": "dislikes", "答": "answer", "答时": "answered_at", "网": "url", "类": "kind"}
    cells = {
        "id": "7",
        "题": "路\n灯",
        "文": "\n\t\t坏了\x00\x07\r\n三天😀\u202e",
        "时": "2020/1/7 15:04",
        "人": "A1",
        "赞": "1,203",
    }
    cells |= {"反": "2", "答": "已修", "答时": "2020/1/9", "网": "https://example.org/7", "类": "评论", "电话": "123"}
    made = to_item((2, cells), Mapping.from_data(columns))
    assert isinstance(made, RawItem)
    found = FILES.parse(REF, made)
    assert (found.kind, found.external_id, found.title) == (Kind.comment, "7", "路 灯")
    assert found.text == "坏了\n三天😀\u202e"
    assert (found.author.name, found.likes, found.url) == ("A1", 1203, "https://example.org/7")
    assert found.created_at == datetime(2020, 1, 7, 7, 4, tzinfo=UTC)
    assert (found.answer, found.answered_at) == ("已修", datetime(2020, 1, 8, 16, tzinfo=UTC))
    assert dict(found.extra) == {"电话": "123", "反对数": "2"}


def test_a_formula_stays_text_and_a_script_is_no_link() -> None:
    columns = Mapping((*COLUMNS.columns, ("网", Field.url)))
    made = to_item(row(内容="=HYPERLINK(1)", 网="javascript:alert(1)"), columns)
    assert isinstance(made, RawItem)
    found = FILES.parse(REF, made)
    assert (found.text, found.url) == ("=HYPERLINK(1)", "")


def test_what_is_wrong_is_said_where_it_stands() -> None:
    assert error(时间="昨天") == RowError(2, "时间", "时间「昨天」无法识别，请改为 2020-01-07 15:04 这样的写法")
    assert "时间为空" in error(时间="").why
    assert "内容为空" in error(内容=" \x00\n").why
    assert "超过上限" in error(备注="长" * 50_001).why
    assert error(备注="长" * 50_001).column == "备注"
    assert error(**{EXTRA: "x"}).column == EXTRA
    answered = Mapping((*COLUMNS.columns, ("答复时间", Field.answered_at)))
    assert error(answered, 答复时间="马上").column == "答复时间"
    assert error(Mapping((("内容", Field.text),))).column == "时间"


def test_the_title_stands_in_for_a_missing_text() -> None:
    made = to_item(row(内容="", 题="只有标题"), Mapping((*COLUMNS.columns, ("题", Field.subject))))
    assert isinstance(made, RawItem)
    assert FILES.parse(REF, made).text == "只有标题"


@pytest.mark.parametrize(
    "payload", ["", "{", "[]", '"x"', "{}", '{"text":1}', '{"text":"x"}', '{"text":"x","created_at":"y"}']
)
def test_a_foreign_payload_is_unparsable(payload: str) -> None:
    with pytest.raises(Unparsable):
        FILES.parse(REF, RawItem(Kind.letter, "1", payload))


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "rows", "answered"), [("messages_4326", 4326, 0), ("answered_2816", 2816, 2816)])
def test_the_real_files_go_in_without_a_mapping(name: str, rows: int, answered: int) -> None:
    path = DATA / "gov_messages" / f"{name}.xlsx"
    if not path.exists():
        pytest.skip("the shared development data is not here")
    with read(path) as source:
        mapping = suggest(source.headers)
        made = [to_item(r, mapping) for r in source.rows]
    items = [m for m in made if isinstance(m, RawItem)]
    assert (len(made), len({i.external_id for i in items})) == (rows, rows)
    found = [FILES.parse(REF, i) for i in items]
    assert sum(1 for f in found if f.answer and f.answered_at) == answered
    assert all(f.title and f.text and f.author.name and f.text == f.text.strip() for f in found)
    assert all(2010 < f.created_at.year <= 2020 for f in found)
