"""Files of rows, read piece by piece in constant memory: CSV, NDJSON, JSON.

A reader is fed with bytes as they come and gives the rows that are complete: each with the line
on which it starts, its bytes as they stood there, and its cells by column, or the reason why it
can't be read. One bad row never spoils the next. What concerns the whole file raises
RowFileError.
"""

import codecs
import csv
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import orjson

from rowcast.bodies import check_json
from rowcast.problems import Problem

MAX_ROW = 1 << 20  # bytes; a document may have 256 KiB
FORMATS = ("csv", "ndjson", "json")
_DELIMITERS = b",;\t|"
_INT64 = range(-(1 << 63), 1 << 64)  # what orjson writes as a number
_SPACE = re.compile(r"[ \t\r\n]*")

csv.field_size_limit(MAX_ROW)


class RowFileError(Exception):
    """The file as a whole can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file. cells: by column, JSON values (text only in a CSV file); None where `reason`

    says why it could not be read. raw: its bytes, without the line end.
    """

    line: int
    raw: bytes
    cells: dict[str, Any] | None
    reason: str = ""


class Reader(Protocol):
    """Turns bytes into rows. With header, separator and footer, raw rows make a file again."""

    header: bytes
    footer: bytes
    separator: bytes

    @property
    def columns(self) -> list[str] | None:
        """The columns, where the format has a header (known after the first row)."""
        ...

    def feed(self, block: bytes) -> Iterator[Row]:
        """The rows that are complete with these bytes. Raises RowFileError."""
        ...

    def finish(self) -> Iterator[Row]:
        """The rest, at the end of the file. Raises RowFileError."""
        ...


def sniff(name: str, head: bytes) -> str:
    """The format of a file by its name, else by its first bytes."""
    for ending, found in (
        (".csv", "csv"),
        (".tsv", "csv"),
        (".ndjson", "ndjson"),
        (".json", "json"),
    ):
        if name.lower().endswith(ending):
            return found
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"["):
        return "json"
    if not text.startswith(b"{"):
        return "csv"
    try:
        orjson.loads(text.split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        return "json"
    return "ndjson"


def reader(format_: str) -> Reader:
    """A reader of a format of FORMATS."""
    if format_ == "csv":
        return CsvReader()
    return NdjsonReader() if format_ == "ndjson" else JsonReader()


@dataclass(slots=True)
class _Lines:
    """Splits into lines, ended by LF, CR LF or CR. What is too long comes cut."""

    number: int = 0  # of the line that was given last
    _rest: bytes = b""
    _skipping: bool = False
    _started: bool = False

    def feed(self, block: bytes, *, last: bool = False) -> Iterator[bytes]:
        data = self._rest + block
        if not self._started:
            if len(data) < 4 and not last:
                self._rest = data
                return
            self._started = True
            data = _without_bom(data)
        lines = data.splitlines(keepends=True)
        self._rest = b""
        if lines and not last and (lines[-1][-1:] != b"\n" or len(lines[-1]) > MAX_ROW):
            self._rest = lines.pop()
        for line in lines:
            if self._skipping:
                self._skipping = False
                continue
            self.number += 1
            yield line
        if len(self._rest) > MAX_ROW:
            if not self._skipping:
                self.number += 1
                yield self._rest
            self._rest, self._skipping = b"", True


def _without_bom(data: bytes) -> bytes:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise RowFileError("the file is UTF-16; save it as UTF-8")
    return data.removeprefix(codecs.BOM_UTF8)


@dataclass(slots=True)
class CsvReader:
    """CSV (RFC 4180) with a header; the delimiter is what the header holds most of , ; tab |."""

    header: bytes = b""
    footer: bytes = b""
    separator: bytes = b"\n"
    columns: list[str] | None = None
    _lines: _Lines = field(default_factory=_Lines)
    _delimiter: bytes = b","
    _record: list[bytes] = field(default_factory=list)
    _size: int = 0
    _line: int = 0
    _quoted: bool = False

    def feed(self, block: bytes) -> Iterator[Row]:
        """See Reader."""
        for line in self._lines.feed(block):
            yield from self._take(line)

    def finish(self) -> Iterator[Row]:
        """See Reader."""
        for line in self._lines.feed(b"", last=True):
            yield from self._take(line)
        if self._record:
            yield from self._end()
        if self.columns is None:
            raise RowFileError("the file is empty: a header line is needed")

    def _take(self, line: bytes) -> Iterator[Row]:
        """Collects lines until a record is complete: every quote that was opened is closed."""
        if not self._record:
            if not line.strip(b"\r\n"):
                return
            self._line = self._lines.number
            if self.columns is None:
                self._delimiter = max(
                    (bytes([d]) for d in _DELIMITERS), key=re.sub(rb'"[^"]*"', b"", line).count
                )
        self._record.append(line)
        self._size += len(line)
        if self._quoted or b'"' in line:
            self._quoted = self._ends_quoted(line)
        if not self._quoted or self._size > MAX_ROW:
            yield from self._end()

    def _ends_quoted(self, line: bytes) -> bool:
        """Whether a quoted field stays open. A quote opens at the start of a field only."""
        at, quoted = 0, self._quoted
        while True:
            if quoted:
                at = line.find(b'"', at) + 1
                if not at:
                    return True
                if line[at : at + 1] == b'"':
                    at += 1
                    continue
                quoted = False
            elif line[at : at + 1] == b'"':
                at, quoted = at + 1, True
            else:
                at = line.find(self._delimiter, at) + 1
                if not at:
                    return False

    def _end(self) -> Iterator[Row]:
        raw = b"".join(self._record).removesuffix(b"\n").removesuffix(b"\r")
        self._record, self._size, self._quoted = [], 0, False
        cells, reason = self._cells(raw)
        if self.columns is None:
            if reason:
                raise RowFileError(f"the header line {reason}")
            self.columns, self.header = _header(cells), raw + b"\n"
        elif reason:
            yield Row(self._line, raw, None, reason)
        elif len(cells) != len(self.columns):
            reason = f"has {len(cells)} cells where the header has {len(self.columns)}"
            yield Row(self._line, raw, None, reason)
        else:
            yield Row(self._line, raw, dict(zip(self.columns, cells, strict=True)))

    def _cells(self, raw: bytes) -> tuple[list[str], str]:
        if len(raw) > MAX_ROW:
            return [], f"is longer than {MAX_ROW >> 20} MiB (is a quote not closed?)"
        if b"\0" in raw:
            return [], "holds a NUL character"
        try:
            text = raw.decode()
            rows = list(csv.reader((text,), delimiter=self._delimiter.decode(), strict=True))
        except UnicodeDecodeError:
            return [], "is not valid UTF-8"
        except csv.Error as error:
            return [], f"is not well-formed CSV: {error}"
        return (rows[0], "") if len(rows) == 1 else ([], "is not well-formed CSV")


def _header(cells: list[str]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    for n, column in enumerate(columns, 1):
        if not column:
            raise RowFileError(f"column {n} of the header has no name")
        if columns.count(column) > 1:
            raise RowFileError(f"the header has two columns named {column!r}")
    return columns


@dataclass(slots=True)
class NdjsonReader:
    """One JSON object a line (https://github.com/ndjson/ndjson-spec)."""

    header: bytes = b""
    footer: bytes = b""
    separator: bytes = b"\n"
    columns: list[str] | None = None
    _lines: _Lines = field(default_factory=_Lines)

    def feed(self, block: bytes) -> Iterator[Row]:
        """See Reader."""
        yield from self._rows(self._lines.feed(block))

    def finish(self) -> Iterator[Row]:
        """See Reader."""
        yield from self._rows(self._lines.feed(b"", last=True))

    def _rows(self, lines: Iterator[bytes]) -> Iterator[Row]:
        for line in lines:
            raw = line.strip(b" \t\r\n")
            if raw:
                yield json_row(self._lines.number, raw)


@dataclass(slots=True)
class JsonReader:
    """A JSON array of objects, or an object with one array as a member; element by element.

    A small machine over the tokens around the values; values are left to the decoder. `_state` is
    what is expected next.
    """

    header: bytes = b"[\n"
    footer: bytes = b"]\n"
    separator: bytes = b",\n"
    columns: list[str] | None = None
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    )
    _text: str = ""
    _at: int = 0
    _line: int = 1
    _state: str = "start"
    _outer: str = "end"  # what is expected behind the array
    _found: bool = False
    _tried: int = 0  # characters of a value that was not complete

    def feed(self, block: bytes) -> Iterator[Row]:
        """See Reader."""
        yield from self._rows(self._decoder.decode(block), last=False)

    def finish(self) -> Iterator[Row]:
        """See Reader."""
        yield from self._rows(self._decoder.decode(b"", True), last=True)
        if self._state != "end":
            raise self._malformed("it ends too early")
        if not self._found:
            raise RowFileError("the JSON holds no array of rows")

    def _rows(self, text: str, *, last: bool) -> Iterator[Row]:
        self._text, self._at = self._text[self._at :] + text, 0
        while True:
            space = _SPACE.match(self._text, self._at)
            assert space is not None
            self._go_to(space.end())
            if self._at == len(self._text):
                return
            first = self._text[self._at]
            if not self._is_value(first):
                self._token(first)
                continue
            end = self._end_of_value(last=last)
            if end is None:
                return
            if self._state == "element":
                raw = self._text[self._at : end].encode("utf-8", "surrogateescape")
                yield json_row(self._line, raw)
            self._go_to(end)
            self._state = _AFTER[self._state]

    def _is_value(self, first: str) -> bool:
        match self._state:
            case "key":
                return first == '"'
            case "value":
                return first != "["
            case "element":
                return first != "]"
        return False

    def _token(self, first: str) -> None:
        """Takes one character of the structure."""
        match self._state, first:
            case (("start" | "value"), "["):
                if self._found:
                    raise RowFileError("the JSON holds several arrays; rows are taken from one")
                self._found, self._outer = True, "member" if self._state == "value" else "end"
                self._state = "element"
            case "start", "{":
                self._state = "key"
            case "colon", ":":
                self._state = "value"
            case "more", ",":
                self._state = "element"
            case (("more" | "element"), "]"):
                self._state = self._outer
            case "member", ",":
                self._state = "key"
            case (("member" | "key"), "}"):
                self._state = "end"
            case _:
                raise self._malformed(f"{first!r} is unexpected")
        self._go_to(self._at + 1)

    def _end_of_value(self, *, last: bool) -> int | None:
        """Where the value ends; None where it may go on. Long ones are not always tried."""
        size = len(self._text) - self._at
        if not last and size < 2 * self._tried and size <= MAX_ROW:
            return None
        try:
            _, end = _VALUE.raw_decode(self._text, self._at)
        except (ValueError, RecursionError) as error:
            if last or size > MAX_ROW:
                reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is too deep"
                raise self._malformed(reason) from error
            self._tried = size
            return None
        if end == len(self._text) and not last and self._text[-1] not in '"]}':
            return None  # a number that may have more digits
        self._tried = 0
        return end

    def _go_to(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _malformed(self, why: str) -> RowFileError:
        return RowFileError(f"the file is not JSON: line {self._line}: {why}")


_VALUE = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)
_AFTER = {"key": "colon", "value": "member", "element": "more"}


def json_row(line: int, raw: bytes) -> Row:
    """A row that is one JSON value. Numbers keep their digits."""
    if len(raw) > MAX_ROW:
        return Row(line, raw, None, f"is longer than {MAX_ROW >> 20} MiB")
    try:
        value = check_json(raw)
        if not isinstance(value, dict):
            return Row(line, raw, None, "is not a JSON object")
        return Row(line, raw, json.loads(raw, parse_float=exact_float, parse_int=exact_int))
    except Problem as problem:
        return Row(line, raw, None, problem.detail.replace("The body", "the row").rstrip("."))
    except (ValueError, RecursionError) as error:
        return Row(line, raw, None, f"can't be read: {error}")


def exact_float(text: str) -> Any:
    """A number that loses no digit when orjson writes it. Raises ValueError out of range."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is out of range")
    return value if Decimal(repr(value)) == Decimal(text) else orjson.Fragment(text)


def exact_int(text: str) -> Any:
    """An integer of any size."""
    if len(text) < 19:
        return int(text)
    return int(text) if len(text) < 4000 and int(text) in _INT64 else orjson.Fragment(text)
