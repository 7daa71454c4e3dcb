"""Files are read row by row in whatever form offices send them, or refused in one sentence."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlwt
from openpyxl import Workbook

from connectors.files import FileRefused, RowSource, read
from connectors.files.excel import _Strings
from connectors.files.source import EXTRA

HEAD = ["编号", "内容", "时间"]
ROOT = Path(__file__).resolve().parents[2]


def sheet(path: Path, rows: list[list[object]], title: str = "留言") -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = title
    for row in rows:
        page.append(row)
    book.save(path)
    return path


def all_rows(source: RowSource) -> list[tuple[int, dict[str, str]]]:
    with source:
        return list(source.rows)


def test_cells_become_text(tmp_path: Path) -> None:
    row = [
        188006,
        "好\r\n的_x000D_",
        datetime.fromisoformat("2020-01-07 15:04:05"),
        1.5,
        2.0,
        True,
        None,
        "=1+1",
        date(2020, 1, 7),
        "#N/A",
    ]
    path = sheet(tmp_path / "a.xlsx", [[f"列{n}" for n in range(10)], row])
    [(number, cells)] = all_rows(read(path))
    assert number == 2
    expected = [
        "188006",
        "好\n的\r",
        "2020-01-07 15:04:05",
        "1.5",
        "2",
        "是",
        "",
        "=1+1",
        "2020-01-07 00:00:00",
        "#N/A",
    ]
    assert [c.replace("\r\n", "\n") for c in cells.values()] == expected


def test_a_title_above_the_table_and_blank_rows_are_skipped(tmp_path: Path) -> None:
    rows = [
        ["2026年10月留言汇总"],
        [],
        HEAD,
        ["1", "路灯", "2026-10-01"],
        [None, None, None],
        ["2", "井盖", "2026-10-02"],
    ]
    source = read(sheet(tmp_path / "a.xlsx", rows))
    assert source.headers == tuple(HEAD)
    assert [(n, c["内容"]) for n, c in all_rows(source)] == [(4, "路灯"), (6, "井盖")]


def test_nameless_and_repeated_headers_get_names(tmp_path: Path) -> None:
    with read(sheet(tmp_path / "a.xlsx", [["内容", None, "内容", "时间\n（北京）"], ["a", "b", "c", "d"]])) as source:
        assert source.headers == ("内容", "第 2 列", "内容 (2)", "时间 （北京）")
        assert next(source.rows)[1] == dict(zip(source.headers, "abcd", strict=True))


def test_cells_beyond_the_header_are_named_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编号,内容,时间\n1,路灯,坏了,2020-01-01\n2,好,2020-01-01\n", encoding="utf-8")
    first, second = all_rows(read(path))
    assert first[1][EXTRA] == "2020-01-01"
    assert EXTRA not in second[1]


def test_only_the_first_visible_sheet_is_read_and_it_says_so(tmp_path: Path) -> None:
    book = Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.append(["秘密"])
    hidden.sheet_state = "hidden"
    for name in ("一", "二"):
        page = book.create_sheet(name)
        page.append(HEAD)
        page.append(["1", name, "2020-01-01"])
    book.save(tmp_path / "a.xlsx")
    source = read(tmp_path / "a.xlsx")
    assert source.notes == ("文件有 2 个工作表，只导入第一个「一」",)
    assert [c["内容"] for _, c in all_rows(source)] == ["一"]


TEXT = "编号,内容,时间\n1,\"路灯坏了，请修\n第二行\",2020-01-07 15:04\n2,=cmd|' /C calc'!A0,2020-01-08\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_in_every_encoding_and_dialect(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.replace(",", delimiter).replace("\n", "\r\n").encode(encoding))
    source = read(path)
    assert source.headers == tuple(HEAD)
    rows = all_rows(source)
    assert rows[0] == (2, {"编号": "1", "内容": "路灯坏了，请修\r\n第二行", "时间": "2020-01-07 15:04"})
    assert rows[1][1]["内容"].startswith("=cmd|") or delimiter == "|", "a formula is text"
    assert source.notes == ()


def test_long_texts_in_gb18030_with_rare_characters(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = "编号,内容,时间\n" + "".join(f"{n},{'㐀𠀀镕路灯' * 40},2020-01-01\n" for n in range(3000))
    path.write_bytes(text.encode("gb18030"))
    rows = all_rows(read(path))
    assert len(rows) == 3000
    assert rows[-1][1]["内容"] == "㐀𠀀镕路灯" * 40


def test_a_few_broken_bytes_are_shown_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    body = "编号,内容,时间\n" + "".join(f"{n},路灯坏了请尽快处理,2020-01-01\n" for n in range(200))
    path.write_bytes(body.encode() + b"200,\xff,2020-01-01\n")
    source = read(path)
    assert source.notes == ("文件中有 1 处无法识别的字符，已显示为「�」",)
    assert len(all_rows(source)) == 201


def zipped(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in parts.items():
            package.writestr(name, body)
    return path


def bomb(path: Path, tmp_path: Path) -> Path:
    """A real workbook whose sheet unpacks to a thousand times its size in blanks."""
    with zipfile.ZipFile(sheet(tmp_path / "good.xlsx", [HEAD])) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    start, end = parts["xl/worksheets/sheet1.xml"].split(b"</sheetData>")
    parts["xl/worksheets/sheet1.xml"] = start + b" " * 40_000_000 + b"</sheetData>" + end
    return zipped(path, parts)


def laughs(path: Path, tmp_path: Path) -> Path:
    """A workbook whose strings are entities of entities of entities."""
    with zipfile.ZipFile(sheet(tmp_path / "good.xlsx", [HEAD])) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    body = parts["xl/worksheets/sheet1.xml"].decode().replace("编号", "&a9;")
    body = body[body.index("<worksheet") :]
    parts["xl/worksheets/sheet1.xml"] = f"<!DOCTYPE x [{entities}]>{body}".encode()
    return zipped(path, parts)


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="异常庞大"):
        read(bomb(tmp_path / "a.xlsx", tmp_path))


def test_entities_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="已损坏"):
        all_rows(read(laughs(tmp_path / "a.xlsx", tmp_path)))


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "不是真正的 .xls"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "打开密码"),
        ("a.xls", "<html><table><tr><td>编号</td></tr></table>".encode(), "网页"),
        ("a.csv", b"", "空的"),
        ("a.csv", b"\xef\xbb\xbf  \r\n ", "空的"),
        ("a.csv", b",,,\n,,\n", "没有找到表头"),
        ("a.xlsx", b"PK\x03\x04garbage", "已损坏"),
        ("a.pdf", b"%PDF-1.7 ...", "不是表格文件"),
        ("a.csv", bytes(range(128, 256)) * 40, "编码"),
        ("a.csv", b"\x81\x20" * 5000, "编码"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(tmp_path: Path, name: str, body: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(FileRefused, match=sentence) as caught:
        all_rows(read(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="无法打开文件「没有"):
        read(tmp_path / "没有.csv")


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"readme.txt": b"x"}, "压缩包"),
        ({"xl/workbook.bin": b"x", "[Content_Types].xml": b"x"}, "xlsb"),
        ({"content.xml": b"x"}, "ods"),
        ({"[Content_Types].xml": b"<", "xl/workbook.xml": b"<"}, "已损坏"),
        ({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<a/>"}, "已损坏"),
        ({f"xl/{n}": b"" for n in range(5001)} | {"[Content_Types].xml": b""}, "异常庞大"),
    ],
)
def test_other_packages_are_one_sentence(tmp_path: Path, parts: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(FileRefused, match=sentence):
        read(zipped(tmp_path / "a.xlsx", parts))


def test_an_encrypted_zip_is_one_sentence(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.xlsx", {"[Content_Types].xml": b"x", "xl/workbook.xml": b"x"})
    body = bytearray(path.read_bytes())
    directory = body.index(b"PK\x01\x02")
    body[directory + 8] |= 1
    path.write_bytes(body)
    with pytest.raises(FileRefused, match="密码"):
        read(path)


def test_too_many_columns_and_endless_cells(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"c{n}" for n in range(300)) + "\n", encoding="utf-8")
    with pytest.raises(FileRefused, match="300 列"):
        read(wide)
    endless = tmp_path / "endless.csv"
    endless.write_text('编号,内容,时间\n1,好,2020-01-01\n2,"' + "路灯坏了" * 60_000, encoding="utf-8")
    with pytest.raises(FileRefused, match="第 3 行附近"):
        all_rows(read(endless))


def test_a_sheet_cut_off_in_the_middle_gives_its_rows_then_the_reason(tmp_path: Path) -> None:
    with zipfile.ZipFile(
        sheet(tmp_path / "good.xlsx", [HEAD, *[[n, "路灯", "2020-01-01"] for n in range(500)]])
    ) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    body = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = body[: len(body) // 2]
    source = read(zipped(tmp_path / "a.xlsx", parts))
    rows = []
    with source, pytest.raises(FileRefused, match="已损坏"):
        rows.extend(source.rows)
    assert len(rows) >= 0


def test_large_tables_of_strings_lie_on_disk() -> None:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    cells = (
        "".join(f"<si><t>第{n}条</t></si>" for n in range(1000)) + "<si><r><t>富</t></r><r><t>文本</t></r></si><si/>"
    )
    strings = _Strings(io.BytesIO(f'<sst xmlns="{space}">{cells}</sst>'.encode()))
    try:
        assert (strings[0], strings[999], strings[1000], strings[1001]) == ("第0条", "第999条", "富文本", "")
        with pytest.raises(IndexError):
            strings[1002]
    finally:
        strings.close()


MEASURE = """
import resource, sys
from pathlib import Path
from connectors.files import read, suggest, to_item
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with read(Path(sys.argv[1])) as source:
    mapping = suggest(source.headers)
    n = sum(1 for row in source.rows if to_item(row, mapping).external_id)
print(n, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


TEXT_OF_A_ROW = "解放路与人民路路口的路灯已经坏了三天，晚上行人过马路很不安全，请尽快安排维修。" * 3


def large_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="gb18030") as file:
        file.write("编号,内容,时间\n")
        file.writelines(f"{n},{n}{TEXT_OF_A_ROW},2020/1/7 15:04:05\n" for n in range(rows))


def large_xlsx(path: Path, rows: int) -> None:
    """As office programs write it: every text in the table of shared strings."""
    with zipfile.ZipFile(sheet(path.with_suffix(".small.xlsx"), [HEAD])) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    texts = [*HEAD, "2020/1/7 15:04:05", *(f"{n}{TEXT_OF_A_ROW * 2}" for n in range(rows))]
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    strings = f"<sst {space}>{''.join(f'<si><t>{text}</t></si>' for text in texts)}</sst>"
    cells = "".join(
        f'<row r="{n + 2}"><c r="A{n + 2}"><v>{n}</v></c><c r="B{n + 2}" t="s"><v>{n + 4}</v></c>'
        f'<c r="C{n + 2}" t="s"><v>3</v></c></row>'
        for n in range(rows)
    )
    head = "".join(f'<c r="{"ABC"[n]}1" t="s"><v>{n}</v></c>' for n in range(3))
    parts["xl/worksheets/sheet1.xml"] = (
        f'<worksheet {space}><sheetData><row r="1">{head}</row>{cells}</sheetData></worksheet>'.encode()
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'.encode()
    )
    zipped(path, parts | {"xl/sharedStrings.xml": strings.encode()})


@pytest.mark.parametrize(("write", "rows"), [(large_csv, 100_000), (large_xlsx, 25_000)])
def test_large_files_do_not_fill_the_memory(tmp_path: Path, write: Callable[[Path, int], None], rows: int) -> None:
    path = tmp_path / f"a.{write.__name__[6:]}"
    write(path, rows)
    command = [sys.executable, "-c", MEASURE, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    read_rows, megabytes = map(int, done.stdout.split())
    assert read_rows == rows
    # As Python holds them the texts alone are 24 MB (100,000 rows) and 12 MB (25,000 long rows).
    assert megabytes < 10


def test_an_old_workbook_is_read_like_a_new_one(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    hidden, sheet, other = book.add_sheet("藏"), book.add_sheet("留言"), book.add_sheet("其他")
    hidden.visibility = 1
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS")
    for column, name in enumerate(("编号", "内容", "时间", "点赞数")):
        sheet.write(0, column, name)
    sheet.write(1, 0, 123456789012)
    sheet.write(1, 1, "路灯坏了")
    sheet.write(1, 2, datetime(2026, 11, 23, 9, 30), day)  # noqa: DTZ001 -- cells have no zone
    sheet.write(1, 3, 7)
    sheet.write(3, 1, "停水")
    other.write(0, 0, "不导入")
    path = tmp_path / "旧.xls"
    book.save(str(path))
    with read(path) as source:
        assert source.headers == ("编号", "内容", "时间", "点赞数")
        assert "只导入第一个「留言」" in source.notes[0]
        rows = list(source.rows)
    assert rows[0] == (2, {"编号": "123456789012", "内容": "路灯坏了", "时间": "2026-11-23 09:30:00", "点赞数": "7"})
    assert rows[1] == (4, {"编号": "", "内容": "停水", "时间": "", "点赞数": ""})


def test_a_damaged_old_workbook_is_refused_in_words(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("留言")
    for row in range(300):
        sheet.write(row, 0, f"第 {row} 行")
    path = tmp_path / "旧.xls"
    book.save(str(path))
    whole = path.read_bytes()
    rng = random.Random(7)
    for _ in range(40):
        broken = bytearray(whole)
        for _ in range(rng.randrange(1, 30)):
            broken[rng.randrange(8, len(broken))] = rng.randrange(256)
        path.write_bytes(broken[: rng.randrange(600, len(broken))])
        try:
            with read(path) as source:
                list(source.rows)
        except FileRefused as error:
            assert "请" in str(error)  # noqa: PT017
