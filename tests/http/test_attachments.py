"""Files of records: sent, stored, fetched and removed over HTTP, by who may."""

import asyncio
import hashlib
import io
import random
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import pytest

from rowcast.attachments import clean_name, disposition
from rowcast.edge import Edge
from storing import END, FORM, Files, form, head_of, objects, storage_in
from streams.streaming import Reader, following, head, names
from support import Client, Database, ServerProcess, deployed, eventually, serving

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The directory that attachments are stored in; it is made when the first one comes."""
    return tmp_path / "kept" / "attachments"


@pytest.fixture
async def files(
    database: Database, workspace: str, store: Path, session: aiohttp.ClientSession
) -> AsyncIterator[Files]:
    """The attachments of Ada's workspace, on a server that takes 100,000 bytes at most."""
    settings = storage_in(store, max_bytes=100_000)
    async with serving(deployed(database, storage=settings)) as url:
        yield Files(Client(session, url, database.token("Ada")), workspace)


@pytest.fixture
def record(database: Database, workspace: str) -> str:
    """A task of Ada's."""
    return str(database.task(workspace, title="One")["id"])


def as_account(files: Files, database: Database, name: str) -> Files:
    """The same for somebody else."""
    return Files(replace(files.client, token=database.token(name)), files.workspace)


def rows(database: Database) -> int:
    """How many attachments there are."""
    return int(database.value("select count(*) from core.attachment"))


# To and fro


async def test_a_file_comes_back_as_it_was_sent(
    files: Files, record: str, store: Path, database: Database
) -> None:
    content = random.Random(1).randbytes(90_000)
    added = await files.add(record, content, name="plan.pdf", kind="application/pdf")
    assert (added["name"], added["type"]) == ("plan.pdf", "application/pdf")
    assert (added["recordId"], added["createdBy"]) == (record, database.account("Ada"))
    assert added["createdAt"].endswith("Z")
    shown = {key: value for key, value in added.items() if key != "seq"}
    assert set(shown) == {
        "id", "recordId", "name", "type", "size", "sha256", "createdAt", "createdBy",
    }  # fmt: skip
    response, got = await files.get(added["id"])
    assert (response.status, got) == (200, content)
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert await files.listed(record) == [shown]
    key = f"{files.workspace}/{added['id']}"
    assert objects(store) == {key: content}
    assert store.stat().st_mode & 0o777 == 0o700


async def test_a_file_of_any_size_comes_back(files: Files, record: str) -> None:
    """Also one that looks like the form that it is sent in."""
    for size in (0, 1, 8191, 8192, 100_000):
        content = (END[:-8] * 4000)[:size]
        added = await files.add(record, content)
        assert (await files.get(added["id"]))[1] == content


async def test_a_record_may_be_named_by_its_display_id(
    files: Files, record: str, database: Database
) -> None:
    added = await files.add(database.value("select display_id from core.record"))
    assert added["recordId"] == record
    assert [file["id"] for file in await files.listed("tsk-001-0001")] == [added["id"]]


async def test_a_file_that_is_removed_is_gone_and_stays_in_the_store_for_now(
    files: Files, record: str, store: Path
) -> None:
    kept, gone = await files.add(record, b"1"), await files.add(record, b"2")
    answer = await files.client.call("DELETE", f"{files.path}/{gone['id']}")
    assert answer == {"id": gone["id"], "seq": gone["seq"] + 1}
    assert (await files.get(gone["id"]))[0].status == 404
    assert [file["id"] for file in await files.listed(record)] == [kept["id"]]
    again = await files.client.send("DELETE", f"{files.path}/{gone['id']}")
    again.problem(404, "unknown_attachment")
    assert len(objects(store)) == 2


async def test_a_record_counts_its_attachments_and_stays_at_its_version(
    files: Files, record: str
) -> None:
    path = f"/api/v1/workspaces/{files.workspace}/records/{record}"
    first = await files.client.call("GET", path)
    added = await files.add(record)
    await files.add(record)
    counted = await files.client.call("GET", path)
    assert counted == {**first, "attachmentCount": 2}
    await files.client.call("DELETE", f"{files.path}/{added['id']}")
    assert (await files.client.call("GET", path))["attachmentCount"] == 1


async def test_a_head_tells_of_a_file_without_sending_it(files: Files, record: str) -> None:
    added = await files.add(record, PNG, name="a.png", kind="image/png")
    got, _ = await files.get(added["id"])
    told, body = await files.get(added["id"], method="HEAD")
    assert (told.status, body) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Content-Disposition"):
        assert told.headers[name] == got.headers[name]


# Retries


async def test_a_repeat_with_the_same_key_adds_nothing(
    files: Files, record: str, store: Path, database: Database
) -> None:
    key = {"Idempotency-Key": "upload-1"}
    first = await files.send(record, form(b"once"), key)
    again = await files.send(record, form(b"once"), key)
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert (rows(database), list(objects(store).values())) == (1, [b"once"])
    other = await files.send(record, form(b"twice"), key)
    other.problem(422, "transaction_reused")
    renamed = await files.send(record, form(b"once", name="other.txt"), key)
    renamed.problem(422, "transaction_reused")
    assert (rows(database), list(objects(store).values())) == (1, [b"once"])
    assert (await files.get(first.json["id"]))[1] == b"once"


async def test_a_file_whose_row_can_not_be_written_leaves_the_store(
    files: Files, record: str, store: Path, database: Database
) -> None:
    database.run(
        "create function pg_temp_fail() returns trigger language plpgsql as $$ begin"
        " raise sqlstate 'PT409' using hint = 'conflict', message = 'no'; end $$"
    )
    database.run(
        "create trigger attachment__900_fail before insert on core.attachment"
        " for each row execute function pg_temp_fail()"
    )
    (await files.send(record, form(b"in vain"))).problem(409, "conflict")
    assert objects(store) == {}


# What is refused, and leaves nothing


@pytest.mark.parametrize("said", [True, False], ids=["said beforehand", "found on the way"])
async def test_a_file_that_is_too_large_is_refused(
    files: Files, record: str, store: Path, said: bool
) -> None:
    for size in (100_001, 110_000, 300_000):
        raw = form(bytes(size))

        async def chunks(raw: bytes = raw) -> AsyncIterator[bytes]:
            for start in range(0, len(raw), 10_000):
                yield raw[start : start + 10_000]

        try:
            reply = await files.send(record, raw if said else chunks())
        except aiohttp.ClientConnectionError:  # it was answered, and cut off, while we were sending
            assert size > 110_000
        else:
            reply.problem(413, "attachment_too_large")
    assert objects(store) == {}


async def test_other_bodies_are_as_large_as_they_were(files: Files, record: str) -> None:
    path = f"/api/v1/workspaces/{files.workspace}/records/{record}"
    body = io.BytesIO(b'{"patch": {"title": "' + b"x" * (2 << 20) + b'"}}')
    (
        await files.client.send(
            "PATCH", path, data=body, headers={"Content-Type": "application/json"}
        )
    ).problem(413, "body_too_large")


FORMS: dict[str, tuple[int, str, bytes]] = {
    "no part": (422, "invalid_request", END[2:]),
    "another part": (422, "invalid_request", form(b"x", field="other")),
    "a part without a name": (
        422,
        "invalid_request",
        form(b"x").replace(b'; name="file"', b""),
    ),
    "two files": (
        422,
        "invalid_request",
        head_of() + b"one" + END[:-4] + b"\r\n" + form(b"two").split(b"\r\n", 1)[1],
    ),
    "a form in the form": (
        422,
        "invalid_request",
        form(b"--x\r\n\r\nx\r\n--x--", kind="multipart/mixed; boundary=x"),
    ),
    "base64": (
        415,
        "unsupported_media_type",
        form(b"eA==", Content_Transfer_Encoding="base64"),
    ),
    "gzip": (415, "unsupported_media_type", form(b"x", Content_Encoding="gzip")),
    "nothing": (400, "malformed_body", b""),
    "no form": (400, "malformed_body", b"just text\r\n"),
    "no end": (400, "malformed_body", head_of() + b"cut off"),
    "no end of the end": (400, "malformed_body", head_of() + b"cut off" + END[:-10]),
    "a head without end": (400, "malformed_body", head_of()[:-2]),
    "a head too long": (400, "malformed_body", form(b"x", X_Long="x" * 100_000)),
}


async def test_a_form_that_is_no_single_file_is_refused(
    files: Files, record: str, store: Path
) -> None:
    for status, code, raw in FORMS.values():
        (await files.send(record, raw)).problem(status, code)
        assert objects(store) == {}


async def test_a_body_that_is_no_form_is_refused(files: Files, record: str, store: Path) -> None:
    for kind in ("application/json", "text/plain", "multipart/mixed; boundary=x", "", "multipart"):
        reply = await files.send(record, b'{"file": "x"}', {"Content-Type": kind})
        reply.problem(415, "unsupported_media_type")
    assert objects(store) == {}


async def test_a_form_without_boundary_is_malformed(files: Files, record: str) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=" + "x" * 100):
        reply = await files.send(record, form(b"x"), {"Content-Type": kind})
        reply.problem(400, "malformed_body")


async def test_an_upload_that_is_cut_off_leaves_nothing(
    database: Database, workspace: str, record: str, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """Neither a small one, nor one of which parts are in the store already."""
    async with serving(deployed(database, storage=storage_in(tmp_path / "s"))) as url:
        for sent in (1000, 12 << 20):
            parts = urlsplit(url)
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            path = f"/api/v1/workspaces/{workspace}/records/{record}/attachments"
            lines = [
                f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {20 << 20}",
                f"Authorization: Bearer {database.token('Ada')}",
                f"Content-Type: {FORM['Content-Type']}", "", "",
            ]  # fmt: skip
            writer.write("\r\n".join(lines).encode() + head_of())
            writer.write(bytes(sent))
            await writer.drain()
            if sent > 1000:
                await eventually(lambda: bool(objects(tmp_path / "s")), what="a part in the store")
            writer.transport.abort()
            await eventually(lambda: objects(tmp_path / "s") == {}, what="an empty store")
        files = Files(Client(session, url, database.token("Ada")), workspace)
        assert await files.listed(record) == []
        assert rows(database) == 0
        assert await files.add(record)


async def test_an_upload_that_stops_is_sent_away(
    database: Database, workspace: str, record: str, tmp_path: Path
) -> None:
    settings = storage_in(tmp_path / "s")
    edge = Edge(body_seconds=0.3)
    async with serving(deployed(database, storage=settings, edge=edge)) as url:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        path = f"/api/v1/workspaces/{workspace}/records/{record}/attachments"
        lines = [
            f"POST {path} HTTP/1.1", "Host: x", "Content-Length: 10000",
            f"Authorization: Bearer {database.token('Ada')}",
            f"Content-Type: {FORM['Content-Type']}", "", "",
        ]  # fmt: skip
        writer.write("\r\n".join(lines).encode() + head_of())
        for _ in range(
            4
        ):  # slow, and longer than the time that a whole body has: each piece counts
            writer.write(bytes(1000))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readuntil(b"\r\n"), 0.1)
        assert b" 408 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
        writer.close()
    assert objects(tmp_path / "s") == {}


async def test_types_that_are_not_on_the_list_are_refused(
    database: Database,
    workspace: str,
    record: str,
    store: Path,
    session: aiohttp.ClientSession,
) -> None:
    settings = storage_in(store, types=("image/*", "application/pdf"))
    async with serving(deployed(database, storage=settings)) as url:
        files = Files(Client(session, url, database.token("Ada")), workspace)
        for kind in ("image/png", "IMAGE/JPEG; a=b", "application/pdf"):
            await files.add(record, kind=kind)
        for other in ("text/html", "imagex/png", "application/pdfx", "nonsense", None):
            reply = await files.send(record, form(b"x", kind=other))
            reply.problem(415, "unsupported_media_type")
    assert len(objects(store)) == 3


async def test_without_a_place_for_them_files_are_refused_and_it_is_said_what_to_set(
    client: Client, workspace: str, record: str
) -> None:
    reply = await Files(client, workspace).send(record, form(b"x"))
    reply.problem(503, "storage_unavailable")
    assert "ROWCAST_STORAGE_URL" in reply.text


async def test_where_the_store_fails_nothing_is_written(
    database: Database, workspace: str, record: str, session: aiohttp.ClientSession
) -> None:
    settings = storage_in(Path("/proc/no such place"))
    async with serving(deployed(database, storage=settings)) as url:
        files = Files(Client(session, url, database.token("Ada")), workspace)
        reply = await files.send(record, form(b"x"))
        reply.problem(503, "storage_unavailable")
        assert "/proc" not in reply.text
    assert rows(database) == 0


async def test_one_account_has_so_many_uploads_at_once(
    files: Files, record: str, database: Database
) -> None:
    async def endless(release: asyncio.Event) -> AsyncIterator[bytes]:
        yield head_of()
        await release.wait()
        yield END

    release = asyncio.Event()
    sending = {asyncio.create_task(files.send(record, endless(release))) for _ in range(9)}
    refused, waiting = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
    for task in refused:
        (await task).problem(503, "overloaded")
    assert len(waiting) == 8
    database.join(files.workspace, "Bob", "editor")
    assert await as_account(files, database, "Bob").add(record)
    release.set()
    assert {(await task).status for task in waiting} == {201}
    assert await files.add(record)


# Memory


def resident(pid: int) -> int:
    """The memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def test_large_files_take_little_memory(
    database: Database,
    workspace: str,
    record: str,
    spawn: Callable[..., ServerProcess],
    store: Path,
    session: aiohttp.ClientSession,
) -> None:
    """80 MiB go through the server up and down while it grows by less than half of that."""
    size = 80 << 20
    server = spawn(ROWCAST_STORAGE_URL=store.as_uri(), ROWCAST_ATTACHMENT_MAX_BYTES=str(size))
    files = Files(Client(session, server.url, database.token("Ada")), workspace)
    await files.add(record)
    before = most = resident(server.process.pid)
    block = random.Random(2).randbytes(1 << 20)
    digest = hashlib.sha256()

    def look() -> None:
        nonlocal most
        most = max(most, resident(server.process.pid))

    async def raw() -> AsyncIterator[bytes]:
        yield head_of()
        for _ in range(size // len(block)):
            digest.update(block)
            look()
            yield block
        yield END

    reply = await files.send(record, raw())
    assert reply.status == 201, reply.text
    assert (reply.json["size"], reply.json["sha256"]) == (size, digest.hexdigest())
    back, came = hashlib.sha256(), 0
    async with files.client.request("GET", f"{files.path}/{reply.json['id']}") as response:
        async for piece in response.content.iter_chunked(1 << 20):
            back.update(piece)
            came += len(piece)
            look()
    assert (came, back.hexdigest()) == (size, digest.hexdigest())
    assert most - before < size // 2


# Ranges and conditions


CONTENT = bytes(range(256)) * 4
RANGES: dict[str, tuple[int, int] | None] = {
    "bytes=0-0": (0, 1),
    "bytes=0-1023": (0, 1024),
    "bytes=10-19": (10, 20),
    "bytes=1000-": (1000, 1024),
    "bytes=1000-5000": (1000, 1024),
    "bytes=-24": (1000, 1024),
    "bytes=-5000": (0, 1024),
    "bytes=1024-": None,
    "bytes=2000-3000": None,
    "bytes=-0": None,
}


async def test_a_range_is_sent_or_not_satisfiable(files: Files, record: str) -> None:
    added = await files.add(record, CONTENT)
    for asked, found in RANGES.items():
        response, got = await files.get(added["id"], Range=asked)
        if found is None:
            assert (response.status, response.headers["Content-Range"]) == (416, "bytes */1024")
            assert b"range_not_satisfiable" in got
        else:
            assert (response.status, got) == (206, CONTENT[found[0] : found[1]]), asked
            where = f"bytes {found[0]}-{found[1] - 1}/1024"
            assert response.headers["Content-Range"] == where


async def test_what_is_no_single_range_gets_all(files: Files, record: str) -> None:
    added = await files.add(record, CONTENT)
    several = ("bytes=0-1,5-6", "bytes=5-1", "bytes=", "bytes=-", "lines=0-1", "x", "bytes=a-b")
    for asked in several:
        response, got = await files.get(added["id"], Range=asked)
        assert (response.status, got) == (200, CONTENT), asked


async def test_a_range_of_nothing_is_not_satisfiable(files: Files, record: str) -> None:
    added = await files.add(record, b"")
    assert (await files.get(added["id"], Range="bytes=0-"))[0].status == 416
    assert (await files.get(added["id"]))[1] == b""


async def test_conditions_compare_the_hash_of_the_file(files: Files, record: str) -> None:
    added = await files.add(record, CONTENT)
    etag = f'"{added["sha256"]}"'
    for known in (etag, f'"x", W/{etag}', "*"):
        response, got = await files.get(added["id"], If_None_Match=known)
        assert (response.status, got, response.headers["ETag"]) == (304, b"", etag)
    assert (await files.get(added["id"], If_None_Match='"x"'))[0].status == 200
    response, got = await files.get(added["id"], Range="bytes=0-1", If_Range=etag)
    assert (response.status, got) == (206, CONTENT[:2])
    response, got = await files.get(added["id"], Range="bytes=0-1", If_Range='"older"')
    assert (response.status, got) == (200, CONTENT)


# Names and types

NAMES: dict[str, tuple[str | bytes, str]] = {
    "a path": ("../../etc/passwd", "passwd"),
    "a path of Windows": ("C:\\\\Users\\\\x\\\\plan.doc", "plan.doc"),
    "a quote": ('a\\"b.txt', 'a"b.txt'),
    "in Unicode": ("Übung, 資料 🎉.pdf", "Übung, 資料 🎉.pdf"),
    "decomposed": ("U\u0308bung.txt", "Übung.txt"),
    "of dots": ("..", "attachment"),
    "of nothing": ("", "attachment"),
    "of blanks": ("   ", "attachment"),
    "that turns": ("photo\u202egpj.exe", "photogpj.exe"),
    "with a tab": ("a\tb.txt", "ab.txt"),
    "too long": ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
    "of markup": ("<script>alert(1)</script>.html", "script>.html"),
}


async def test_a_name_is_cleaned_and_comes_back(files: Files, record: str, store: Path) -> None:
    for sent, kept in NAMES.values():
        added = await files.add(record, name=sent, kind="text/html")
        assert added["name"] == kept
        response, _ = await files.get(added["id"])
        told = response.headers["Content-Disposition"]
        assert told.startswith('attachment; filename="')
        assert told.isascii()
        assert unquote(told.split("filename*=UTF-8''")[1]) == kept
        assert f"{files.workspace}/{added['id']}" in objects(store)
    assert len(objects(store)) == len(NAMES)


async def test_a_name_can_add_no_header(files: Files, record: str) -> None:
    """Sent as it is it is the form's own header, or refused; it is never one of the answer."""
    for name in (b'a"\r\nX-Evil: y', b"a\r\nX-Evil: y", b"a\x00b", b"a\xff\xfeb"):
        reply = await files.send(record, form(b"x", name=name))
        assert reply.status in (201, 400, 422), reply.text
        if reply.status == 201:
            response, _ = await files.get(reply.json["id"])
            assert "X-Evil" not in response.headers
            assert reply.json["name"].isprintable()
    encoded = form(b"x").replace(
        b'filename="notes.txt"', b"filename*=UTF-8''a%22%0D%0AX-Evil%3A%20y%00.txt"
    )
    reply = await files.send(record, encoded)
    assert reply.json["name"] == 'a"X-Evil: y.txt'
    response, _ = await files.get(reply.json["id"])
    assert "X-Evil" not in response.headers


@pytest.mark.parametrize("name", ["a\r\nX: y", "\ud800x", "\x7f", "x" * 10_000, "/", "\u2028"])
def test_no_name_breaks_a_header(name: str) -> None:
    cleaned = clean_name(name)
    assert 1 <= len(cleaned) <= 200
    assert cleaned.isprintable()
    assert disposition("attachment", cleaned).isascii()
    assert disposition("attachment", 'a"\\\r\n%b').isprintable()


TYPES = {
    "image/png": "image/png",
    "IMAGE/PNG; charset=x": "image/png",
    "text/html": "application/octet-stream",
    "image/svg+xml": "application/octet-stream",
    "text/javascript": "application/octet-stream",
    "application/xhtml+xml": "application/octet-stream",
    "application/x-msdownload": "application/octet-stream",
    "no type": "application/octet-stream",
    "a/b/c": "application/octet-stream",
}


async def test_only_a_harmless_type_is_told_and_only_pictures_are_shown(
    files: Files, record: str
) -> None:
    for kind, told in TYPES.items():
        added = await files.add(record, PNG, kind=kind)
        for query in ("", "?inline=0", "?inline=1"):
            response, got = await files.get(added["id"], query)
            headers = response.headers
            assert got == PNG
            assert headers["Content-Type"] == told
            assert headers.getall("X-Content-Type-Options") == ["nosniff"]
            assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
            shown = query == "?inline=1" and told == "image/png"
            assert headers["Content-Disposition"].startswith("inline" if shown else "attachment")
            assert "private" in headers["Cache-Control"]
    reply = await files.client.send("GET", f"{files.path}/{added['id']}?inline=yes")
    reply.problem(422, "invalid_request")


# Rights


async def test_who_may_read_a_record_may_fetch_its_files_and_who_may_edit_it_add_them(
    files: Files, record: str, database: Database, store: Path
) -> None:
    added = await files.add(record)
    for name, role in (("Vic", "viewer"), ("Com", "commenter")):
        database.join(files.workspace, name, role)
        theirs = as_account(files, database, name)
        assert (await theirs.get(added["id"]))[1] == b"a file\n"
        assert len(await theirs.listed(record)) == 1
        (await theirs.send(record, form(b"x"))).problem(403, "not_permitted")
        removal = await theirs.client.send("DELETE", f"{files.path}/{added['id']}")
        removal.problem(403, "not_permitted")
    database.join(files.workspace, "Edi", "editor")
    assert await as_account(files, database, "Edi").add(record)
    assert len(objects(store)) == 2


async def test_another_tenant_learns_of_nothing(
    files: Files, record: str, database: Database, store: Path
) -> None:
    added = await files.add(record)
    elsewhere = database.workspace("Eve", name="Eve's")
    eves = as_account(files, database, "Eve")
    for workspace in (files.workspace, elsewhere):
        theirs = Files(eves.client, workspace)
        unknown = (
            "unknown_workspace" if workspace == files.workspace else "unknown_attachment",
            "unknown_workspace" if workspace == files.workspace else "unknown_record",
        )
        for method in ("GET", "DELETE"):
            reply = await theirs.client.send(method, f"{theirs.path}/{added['id']}")
            reply.problem(404, unknown[0])
        (await theirs.client.send("GET", theirs.of(record))).problem(404, unknown[1])
        (await theirs.send(record, form(b"x"))).problem(404, unknown[1])
    nobody = Files(replace(files.client, token=None), files.workspace)
    assert (await nobody.get(added["id"]))[0].status == 401
    assert (await nobody.send(record, form(b"x"))).status == 401
    assert len(objects(store)) == 1


async def test_before_a_byte_is_taken_the_rights_are_asked(
    files: Files, record: str, database: Database
) -> None:
    """Who may not is answered while the body is still on its way."""
    database.join(files.workspace, "Vic", "viewer")
    vics = as_account(files, database, "Vic")
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield head_of()
        started.set()
        await asyncio.Event().wait()

    async with (
        asyncio.timeout(10),
        vics.client.request("POST", vics.of(record), data=endless(), headers=FORM) as response,
    ):
        assert response.status == 403


async def test_a_requester_has_the_files_of_the_own_requests_alone(
    files: Files, database: Database
) -> None:
    workspace = database.workspace(template="requests", name="Requests")
    for name in ("Rae", "Ray"):
        database.join(workspace, name, "requester")
    document = {"title": "Mine", "description": "Of a drop test.", "vendor": "Contoso"}
    request = database.call(
        "record_create", workspace, actor="Rae",
        arguments={"collection": "request", "data": document},
    )["id"]  # fmt: skip
    rae = replace(as_account(files, database, "Rae"), workspace=workspace)
    ray = replace(as_account(files, database, "Ray"), workspace=workspace)
    added = await rae.add(request)
    assert (await rae.get(added["id"]))[0].status == 200
    assert (await ray.get(added["id"]))[0].status == 404
    (await ray.client.send("GET", ray.of(request))).problem(404, "unknown_record")
    (await ray.send(request, form(b"x"))).problem(404, "unknown_record")
    reply = await ray.client.send("DELETE", f"{ray.path}/{added['id']}")
    reply.problem(404, "unknown_attachment")


async def test_whom_a_record_comes_to_concern_has_its_files_at_once(
    files: Files, record: str, database: Database
) -> None:
    """The copy of the audience follows the record's, whoever hands it on."""
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        files.workspace,
    )
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'own', 'Own', '{task:own}', '{task:own}', '{}')",
        files.workspace,
    )
    bob = database.join(files.workspace, "Bob", "own")
    bobs = as_account(files, database, "Bob")
    added = await files.add(record)
    path = f"/api/v1/workspaces/{files.workspace}/records/{record}"
    assert (await bobs.get(added["id"]))[0].status == 404
    await files.client.call("PATCH", path, {"patch": {"assignee": bob}})
    assert (await bobs.get(added["id"]))[0].status == 200
    own = await bobs.add(record)
    await bobs.client.call("PATCH", path, {"patch": {"assignee": None}}, status=200)
    for attachment in (added, own):
        assert (await bobs.get(attachment["id"]))[0].status == 404
    assert len(await files.listed(record)) == 2
    database.run(
        "update core.record set data = data || jsonb_build_object('assignee', %s::text)", bob
    )
    assert (await bobs.get(added["id"]))[0].status == 200


async def test_a_form_of_a_foreign_page_is_refused(
    database: Database, workspace: str, record: str, store: Path, session: aiohttp.ClientSession
) -> None:
    """A form needs no preflight: the Origin is all that tells where it comes from."""
    demo = deployed(database, storage=storage_in(store), demo_account=database.account("Ada"))
    async with serving(demo) as url:
        files = Files(Client(session, url, None), workspace)
        foreign = {"Origin": "https://evil.example"}
        (await files.send(record, form(b"x"), foreign)).problem(403, "foreign_origin")
        assert objects(store) == {}
        assert await files.add(record)


# Streams, the log, and other writers


async def test_streams_tell_of_files_that_come_and_go_to_who_may_read_the_record(
    files: Files, record: str, database: Database
) -> None:
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'own', 'Own', '{task:own}', '{task:own}', '{create:task}')",
        files.workspace,
    )
    database.join(files.workspace, "Bob", "own")
    events = f"/api/v1/workspaces/{files.workspace}/events"
    hers = Reader(files.client, events)
    bobs = Reader(as_account(files, database, "Bob").client, events)
    async with following(hers), following(bobs):
        added = await files.add(record)
        await files.client.call("DELETE", f"{files.path}/{added['id']}")
        own = database.task(files.workspace, "Bob", title="Bob's")["id"]
        await as_account(files, database, "Bob").add(own)
        await hers.reached(head(database, files.workspace))
        await bobs.reached(head(database, files.workspace))
    assert names(hers.events[1:]) == [
        "attachment-added", "attachment-removed", "task-created", "attachment-added",
    ]  # fmt: skip
    assert names(bobs.events[1:]) == ["task-created", "attachment-added"]
    shape = {key: value for key, value in added.items() if key != "seq"}
    data = hers.events[1].data
    assert data["attachment"] == shape
    assert (data["recordId"], data["collection"], data["seq"]) == (record, "task", added["seq"])
    assert data["actor"] == {"id": database.account("Ada"), "name": "Ada"}
    assert hers.events[2].data["attachment"] == shape
    assert added["id"] not in str(bobs.events)


async def test_a_writer_in_psql_is_counted_logged_and_streamed_alike(
    files: Files, record: str, database: Database
) -> None:
    reader = Reader(files.client, f"/api/v1/workspaces/{files.workspace}/events")
    async with following(reader):
        made = database.value(
            "insert into core.attachment (workspace_id, record_id, name, type, size, sha256)"
            " values (%s, %s, 'x', 'a/b', 0, sha256('')) returning id::text",
            files.workspace,
            record,
        )
        database.run("delete from core.attachment where id = %s", made)
        database.run("update core.attachment set deleted_at = null where id = %s", made)
        await reader.reached(head(database, files.workspace))
    assert names(reader.events[1:]) == [
        "attachment-added", "attachment-removed", "attachment-added",
    ]  # fmt: skip
    kept = database.run(
        "select a.audience = r.audience, a.collection, a.storage_key, r.attachment_count, r.version"
        " from core.attachment a join core.record r on r.id = a.record_id"
    )
    assert kept == [(True, "task", f"{files.workspace}/{made}", 1, 1)]
    for change in ("name = 'y'", "size = 1", "storage_key = 'other'", "collection = 'x'"):
        with pytest.raises(Exception, match="does not change"):
            database.run(f"update core.attachment set {change}")  # noqa: S608


async def test_no_answer_and_no_event_holds_the_key_of_the_store(
    files: Files, record: str, database: Database
) -> None:
    reader = Reader(files.client, f"/api/v1/workspaces/{files.workspace}/events")
    async with following(reader):
        reply = await files.send(record, form(b"x"))
        await reader.reached(head(database, files.workspace))
    database.run("update core.change set transaction_id = null")
    base = f"/api/v1/workspaces/{files.workspace}"
    texts = [reply.text, str(reader.events)]
    for path in (f"{base}/records/{record}/attachments", f"{base}/changes?since=0",
                 f"{base}/snapshot", f"{base}/records?collection=task"):  # fmt: skip
        texts.append((await files.client.send("GET", path)).text)
    response, _ = await files.get(reply.json["id"])
    texts.append(str(response.headers))
    key = database.value("select storage_key from core.attachment")
    for text in texts:
        assert key not in text
        assert "storage" not in text.lower()


async def test_of_an_erased_account_a_file_keeps_the_bare_id(
    files: Files, record: str, database: Database
) -> None:
    bob = database.join(files.workspace, "Bob", "editor")
    added = await as_account(files, database, "Bob").add(record)
    await as_account(files, database, "Bob").client.call("DELETE", "/api/v1/me")

    def is_gone() -> bool:
        members = "select count(*) from core.member where account_id = %s"
        return bool(database.value(members, bob) == 0)

    await eventually(is_gone, what="the erasure")
    assert [file["createdBy"] for file in await files.listed(record)] == [bob]
    stored: dict[str, Any] = database.value("select to_jsonb(a) from core.attachment a")
    assert stored["id"] == added["id"]
    assert "Bob" not in str(stored)
    assert "bob" not in str(stored)


async def test_an_attachment_of_a_deleted_record_can_be_read_and_none_added(
    files: Files, record: str, database: Database
) -> None:
    added = await files.add(record)
    await files.client.call("DELETE", f"/api/v1/workspaces/{files.workspace}/records/{record}")
    assert (await files.get(added["id"]))[0].status == 200
    assert len(await files.listed(record)) == 1
    (await files.send(record, form(b"x"))).problem(404, "unknown_record")


async def test_bytes_that_are_lost_are_no_empty_file(
    files: Files, record: str, store: Path
) -> None:
    added = await files.add(record, CONTENT)
    path = store / files.workspace / added["id"]
    path.write_bytes(CONTENT[:100])
    assert (await files.get(added["id"]))[0].status == 503
    path.unlink()
    assert (await files.get(added["id"]))[0].status == 503
    unknown = await files.get(str(uuid.uuid4()))
    assert unknown[0].status == 404
