"""Files through the language room: columns kept, problems named, nothing half written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.errors import Refused
from workflows.language import files


def test_a_file_is_tagged_with_its_columns_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    source.write_text("id\ttitle\tbody\n7\t楼下油烟扰民\t投诉多次没人管\n8\t\t\n9\t只有标题\n", encoding="utf-8")
    heard: list[int] = []
    assert files.tag_file(source, target, heard.append) == 3
    head, first, empty, short = (line.split("\t") for line in target.read_text(encoding="utf-8").splitlines())
    assert head == ["id", "title", "body", *files.ADDED]
    said = dict(zip(head, first, strict=True))
    assert (said["id"], said["body"], said["request_type"]) == ("7", "投诉多次没人管", "投诉")
    assert said["topic"] == "环境保护"
    assert dict(zip(head, empty, strict=True))["topic"] == ""
    assert short[:3] == ["9", "只有标题", ""]
    assert heard == [3]


def test_columns_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    once, twice, source = tmp_path / "once.tsv", tmp_path / "twice.tsv", tmp_path / "in.tsv"
    source.write_text("text\tid\n路灯不亮\t1\n", encoding="utf-8-sig")
    files.tag_file(source, once)
    files.tag_file(once, twice)
    assert once.read_text(encoding="utf-8") == twice.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a\tb\n1\t2\n", "text"),
        ("text\n小区没水".encode("gb18030"), "UTF-8"),
        ("text\n好\n".encode() + "小区停水".encode("gb18030"), "第 3 行"),
        ("text\n小区没水".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\x14\x00", "工作簿"),
        ("text\n好\n".encode() + b"a\tb\n", "第 3 行"),
        (b"", "空文件"),
        ("id,text\n1,小区没水\n".encode(), "逗号"),
        ("id\tcontent\n1\t小区没水\n".encode(), "id、content"),
        ("id\ttext\ttext\n1\t停水\t停电\n".encode(), "两个 text 列"),
        ('id\ttext\n1\t"停水\n三天了"\n'.encode(), "第 2 行的正文里有换行"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words_and_leaves_nothing(
    tmp_path: Path, content: bytes, word: str
) -> None:
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    source.write_bytes(content)
    target.write_text("yesterday", encoding="utf-8")
    with pytest.raises(Refused, match=word):
        files.tag_file(source, target)
    assert target.read_text(encoding="utf-8") == "yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tsv", "out.tsv"]


def test_every_other_column_is_kept_also_where_names_are_twice(tmp_path: Path) -> None:
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    source.write_text("\tnote\ttext\tnote\t\n1\t甲\t停水\t乙\t2\n", encoding="utf-8")
    files.tag_file(source, target)
    rows = [line.split("\t")[:5] for line in target.read_text(encoding="utf-8").split("\n")[:2]]
    assert rows == [["", "note", "text", "note", ""], ["1", "甲", "停水", "乙", "2"]]


def test_a_long_file_says_how_far_it_is(tmp_path: Path) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("id\ttext\n" + "".join(f"{n}\t路灯第{n % 7}天不亮\n" for n in range(1300)), encoding="utf-8")
    for work, most in ((files.tag_file, 1300), (files.cluster_file, 1300)):
        done: list[int] = []
        expected: list[int] = []
        assert work(source, tmp_path / "out.tsv", done.append, expected.append) == 1300
        assert done == sorted(done)
        assert (len(done) >= 3, done[-1]) == (True, most)
        assert all(1250 <= each <= 1350 for each in expected)


def test_a_link_goes_on_leading_where_it_led_and_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    source, real, link = tmp_path / "in.tsv", tmp_path / "real.tsv", tmp_path / "link.tsv"
    source.write_text("text\n停水\n", encoding="utf-8")
    real.write_text("yesterday", encoding="utf-8")
    link.symlink_to(real)
    files.tag_file(source, link)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8").startswith("text\tsentiment")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.tag_file(source, pipe)
    assert os.read(reader, 100).startswith(b"text\tsentiment"), "a pipe is written to, not replaced"
    os.close(reader)
    with pytest.raises(Refused, match="文件夹"):
        files.tag_file(source, tmp_path / "none" / "out.tsv")


def test_the_source_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("text\n停水\n", encoding="utf-8")
    for work in (files.tag_file, files.cluster_file):
        with pytest.raises(Refused, match="相同"):
            work(source, source)
        part = source.rename(tmp_path / "out.tsv.part")  # what the output is called while it is written
        with pytest.raises(Refused, match="临时"):
            work(part, tmp_path / "out.tsv")
        part.rename(source)
    assert source.read_text(encoding="utf-8") == "text\n停水\n"


def test_a_file_is_clustered_by_time_and_named_by_the_first_message(tmp_path: Path) -> None:
    told = "丽景新城旁搅拌站半夜生产噪音大灰尘多业主无法睡觉"
    lines = ["id\ttime\ttitle\tbody"]
    lines += [f"m{n}\t{900 - n}\t丽景新城旁搅拌站扰民\t{told[: 20 + n]}，请处理" for n in range(3)]
    lines += ["x\t800\t社保卡补办\t请问社保卡丢失后如何补办"]
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    source.write_text("\n".join(lines), encoding="utf-8")
    assert files.cluster_file(source, target) == 4
    rows = dict(line.split("\t") for line in target.read_text(encoding="utf-8").splitlines()[1:])
    assert rows == {"m0": "m2", "m1": "m2", "m2": "m2", "x": ""}  # the earliest time comes last in the file


@pytest.mark.parametrize("times", [("2012/10/1 8:00", "2012/9/30 9:00"), ("2012年10月1日", "2012年9月30日")])
def test_dates_are_read_as_dates(tmp_path: Path, times: tuple[str, str]) -> None:
    """As text, October would come before September."""
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    lines = [f"{name}\t{time}\t丽景新城旁搅拌站半夜生产噪音大" for name, time in zip("ab", times, strict=True)]
    source.write_text("\n".join(["id\ttime\ttext", *lines]), encoding="utf-8")
    files.cluster_file(source, target)
    assert target.read_text(encoding="utf-8").splitlines()[1:] == ["a\tb", "b\tb"]


@pytest.mark.parametrize("time", ["2019-02-31 10:00", "", "昨天"])
def test_a_time_that_is_no_date_does_no_harm(tmp_path: Path, time: str) -> None:
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    told = "丽景新城旁搅拌站半夜生产噪音大"
    source.write_text(f"id\ttime\ttext\na\t2019-02-01\t{told}\nb\t{time}\t{told}", encoding="utf-8")
    assert files.cluster_file(source, target) == 2
    assert len(set(dict(line.split("\t") for line in target.read_text("utf-8").splitlines()[1:]).values())) == 1


def test_grouping_needs_ids(tmp_path: Path) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("text\n停水\n", encoding="utf-8")
    with pytest.raises(Refused, match="id"):
        files.cluster_file(source, tmp_path / "out.tsv")


def test_ids_that_are_twice_name_one_cluster_only_and_missing_ones_are_refused(tmp_path: Path) -> None:
    mixer, light = "丽景新城旁搅拌站半夜生产噪音大灰尘多", "枫林路路灯坏了三个月夜里一片漆黑"
    source, target = tmp_path / "in.tsv", tmp_path / "out.tsv"
    rows = [("1", mixer), ("1", light), ("2", mixer), ("3", light)]
    source.write_text("id\ttext\n" + "".join(f"{name}\t{text}\n" for name, text in rows), encoding="utf-8")
    files.cluster_file(source, target)
    assert [line.split("\t")[1] for line in target.read_text("utf-8").splitlines()[1:]] == ["1", "3", "1", "3"]
    source.write_text(f"id\ttext\n1\t{mixer}\n\t{mixer}\n", encoding="utf-8")
    with pytest.raises(Refused, match="第 2 条留言没有 id"):
        files.cluster_file(source, target)
