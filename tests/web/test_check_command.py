"""``hub nlp check``: JSON lines for programs, readable lines for people, the office's lists from an exported file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.web.test_commands import Run, hub
from web.cli.frame import FAILED, SURROUNDINGS

__all__ = ["hub"]
LINES = "市攻府布署工作。\n\n正常的一行😀，周未见\r\n"


def test_every_line_becomes_one_json_object(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(LINES, encoding="utf-8")
    code, out, _err = hub("nlp", "check", "--in", str(tmp_path / "lines.txt"), "--json")
    assert code == 0
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["line"] for one in told] == [1, 2, 3]
    assert told[1]["findings"] == []
    first = told[0]["findings"][0]
    assert (first["rule"], first["severity"], first["found"]) == ("confusion.state", "red", "攻府")
    assert (first["start"], first["end"], first["suggestions"]) == (1, 3, ["政府"])
    assert first["why"]
    assert first["source"]
    assert told[2]["findings"][0]["start"] == 7


def test_people_read_line_column_and_what_to_write_instead(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(LINES, encoding="utf-8")
    (tmp_path / "words.csv").write_text("词表,词,对应,级别,备注\n禁用词,正常,异常,提示,\n", encoding="utf-8")
    code, out, _err = hub("nlp", "check", "--in", str(tmp_path / "lines.txt"), "--words", str(tmp_path / "words.csv"))
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("1:2 红线 ")
    assert lines[0].endswith(" → 政府")
    assert lines[2].startswith("3:1 提示 ")


def test_a_line_that_cannot_be_read_is_not_taken_for_a_clean_one(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_bytes("市攻府\n正常的一行\n".encode("gb18030") + "布署工作\n".encode())
    code, out, err = hub("nlp", "check", "--in", str(tmp_path / "lines.txt"), "--json")
    told = [json.loads(line)["findings"] for line in out.splitlines()]
    assert code == FAILED
    assert [found[0]["rule"] for found in told] == ["unseen", "unseen", "confusion"]
    assert "UTF-8" in told[0][0]["why"]
    assert "2 行没有查全" in err


def test_of_a_line_longer_than_is_looked_at_it_says_so(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("好" * 50_001 + "\n", encoding="utf-8")
    code, out, _err = hub("nlp", "check", "--in", str(tmp_path / "lines.txt"))
    assert code == FAILED
    assert "只查了前 5万字" in out


@pytest.mark.parametrize("content", ["市攻府\n".encode("utf-16"), b"PK\x03\x04\x14\x00"])
def test_another_kind_of_file_is_refused_in_words(hub: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lines.txt").write_bytes(content)
    code, out, err = hub("nlp", "check", "--in", str(tmp_path / "lines.txt"), "--json")
    assert (code, out) == (FAILED, "")
    assert "另存为" in err


def test_a_list_that_cannot_be_read_is_named_by_line(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(LINES, encoding="utf-8")
    (tmp_path / "words.csv").write_text("怪,词语\n", encoding="utf-8")
    code, out, err = hub("nlp", "check", "--in", str(tmp_path / "lines.txt"), "--words", str(tmp_path / "words.csv"))
    assert code == FAILED
    assert out == ""
    assert "第 1 行" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_named_in_the_readers_words(hub: Run, tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text("text\n停水\n", encoding="utf-8")
    code, _out, err = hub("nlp", "tag", "--in", str(tmp_path / "in.tsv"), "--out", "/dev/full")
    assert code == SURROUNDINGS
    assert "磁盘空间不足" in err
