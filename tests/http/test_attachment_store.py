"""Where the bytes of attachments are: a directory and S3, and what is cleared away there."""

import asyncio
import random
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from rowcast import storage
from rowcast.calls import Caller
from rowcast.config import Settings
from rowcast.gateway import Gateway
from rowcast.storage import OWNER, PART, Storage, StorageSettings
from rowcast.upkeep import Upkeep
from rowcast.writer import Writer
from storing import END, Files, form, head_of, make_older, objects, put_object, storage_in
from support import Client, Database, ServerProcess, deployed, eventually, serving

HOURS = 3600.0


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of a server that speaks S3, in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """A bucket of the test's own."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.name = name
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.client.create_bucket(Bucket=name)

    def keys(self) -> list[str]:
        """The keys of its objects."""
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [each["Key"] for each in found]

    def unfinished(self) -> list[str]:
        """The keys of multipart uploads that were neither finished nor aborted."""
        found = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [each["Key"] for each in found]


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket, which the AWS_ variables lead to."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT": s3_server,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    made = Bucket(s3_server, f"test-{uuid.uuid4().hex}")
    yield made
    made.client.close()


@pytest.fixture(params=["a directory", "S3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store."""
    if request.param == "S3":
        return f"s3://{request.getfixturevalue('bucket').name}/kept/here"
    return (tmp_path / "kept" / "here").as_uri()


@pytest.fixture
def record(database: Database, workspace: str) -> str:
    """A task of Ada's."""
    return str(database.task(workspace, title="One")["id"])


@pytest.fixture
async def files(
    url: str, database: Database, workspace: str, session: aiohttp.ClientSession
) -> AsyncIterator[Files]:
    """The attachments of Ada's workspace, on a server with that store."""
    deployment = deployed(database, storage=StorageSettings(url))
    async with serving(deployment) as address:
        yield Files(Client(session, address, database.token("Ada")), workspace)


async def listed(url: str) -> list[str]:
    """All keys of a store."""
    return [key async for page in Storage(url).old_keys(-1) for key in page]


# To and fro


async def test_a_file_goes_to_the_store_and_back(files: Files, record: str, url: str) -> None:
    """As one request and in parts, and at the bound between."""
    keys = []
    for size in (0, 1000, PART - 1, PART, PART + 1, 12_345_678):
        content = random.Random(size).randbytes(size)
        added = await files.add(record, content)
        keys.append(f"{files.workspace}/{added['id']}")
        response, got = await files.get(added["id"])
        assert (response.status, got == content) == (200, True)
        if size:
            response, got = await files.get(added["id"], Range=f"bytes={size // 2}-")
            assert (response.status, got == content[size // 2 :]) == (206, True)
    assert sorted(await listed(url)) == sorted(keys)


async def test_in_a_bucket_all_is_below_the_prefix(bucket: Bucket) -> None:
    kept = Storage(f"s3://{bucket.name}/kept/here")
    key = f"{uuid.uuid4()}/{uuid.uuid4()}"
    async with kept.upload(key) as upload:
        await upload.write(b"x")
    assert bucket.keys() == [f"kept/here/{key}"]
    await kept.delete([key, f"{uuid.uuid4()}/{uuid.uuid4()}"])
    assert bucket.keys() == []


@pytest.mark.parametrize("end", ["a fault", "a cancellation"])
@pytest.mark.parametrize("size", [1000, 3 * PART])
async def test_an_upload_that_ends_early_leaves_neither_object_nor_parts(
    url: str, request: pytest.FixtureRequest, tmp_path: Path, size: int, end: str
) -> None:
    kept = Storage(url)
    written = asyncio.Event()

    async def store() -> None:
        async with kept.upload(f"{uuid.uuid4()}/{uuid.uuid4()}") as upload:
            for _ in range(size // 1000):
                await upload.write(bytes(1000))
            written.set()
            if end == "a fault":
                raise LookupError
            await asyncio.Event().wait()

    task = asyncio.create_task(store())
    await written.wait()
    if end == "a cancellation":
        task.cancel()
    with pytest.raises(LookupError if end == "a fault" else asyncio.CancelledError):
        await task
    assert await listed(url) == []
    if url.startswith("s3"):
        bucket: Bucket = request.getfixturevalue("bucket")
        assert (bucket.keys(), bucket.unfinished()) == ([], [])
    else:
        assert objects(tmp_path) == {}


async def test_an_upload_that_is_refused_on_the_way_leaves_no_parts(
    bucket: Bucket, database: Database, workspace: str, record: str, session: aiohttp.ClientSession
) -> None:
    settings = StorageSettings(f"s3://{bucket.name}", max_bytes=2 * PART)

    async def raw() -> AsyncIterator[bytes]:
        yield head_of()
        for _ in range(2 * PART // 100_000 + 1):
            yield bytes(100_000)
        yield END

    async with serving(deployed(database, storage=settings)) as address:
        files = Files(Client(session, address, database.token("Ada")), workspace)
        reply = await files.send(record, raw())
        reply.problem(413, "attachment_too_large")
    assert (bucket.keys(), bucket.unfinished()) == ([], [])


async def test_a_store_that_is_away_is_said_to_be_away(
    database: Database,
    workspace: str,
    record: str,
    session: aiohttp.ClientSession,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        settings = StorageSettings(f"s3://{bucket.name}")
        async with serving(deployed(database, storage=settings)) as address:
            files = Files(Client(session, address, database.token("Ada")), workspace)
            reply = await files.send(record, form(b"x"))
    reply.problem(503, "storage_unavailable")
    assert bucket.name not in reply.text
    assert database.value("select count(*) from core.attachment") == 0


# What is cleared away


@pytest.fixture
async def swept(database: Database, tmp_path: Path) -> AsyncIterator[Callable[[], Any]]:
    """Has an upkeep look through the directory, to the end."""
    gateway, writer = Gateway(database.server), Writer(database.server)
    await gateway.open()
    writing = asyncio.create_task(writer.run())
    upkeep = Upkeep(Caller(gateway, writer), Storage(tmp_path.as_uri()), 0)

    async def sweep() -> None:
        while await upkeep.sweep_next():
            pass

    yield sweep
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await gateway.close()


async def test_a_running_server_looks_through_its_store(database: Database, tmp_path: Path) -> None:
    put_object(tmp_path)
    young = put_object(tmp_path, age=0)
    async with serving(deployed(database, storage=storage_in(tmp_path, sweep_seconds=0))):
        await eventually(lambda: set(objects(tmp_path)) == {young, OWNER}, what="a sweep")


def key_of(database: Database, attachment: str) -> str:
    """Where the bytes of an attachment are."""
    return str(database.value("select storage_key from core.attachment where id = %s", attachment))


def attach(database: Database, workspace: str, record: str, kept: Path, age: float) -> str:
    """An attachment with its bytes, so old; its id."""
    attachment = str(uuid.uuid4())
    key = f"{workspace}/{attachment}"
    database.attachment(workspace, record, attachment=attachment, storageKey=key)
    put_object(kept, key, age)
    return attachment


async def test_objects_without_a_row_are_removed_when_they_are_old(
    database: Database, workspace: str, record: str, tmp_path: Path, swept: Callable[[], Any]
) -> None:
    kept = attach(database, workspace, record, tmp_path, 30 * HOURS)
    old = put_object(tmp_path, f"{workspace}/{uuid.uuid4()}", 1.1 * HOURS)
    young = put_object(tmp_path, f"{workspace}/{uuid.uuid4()}", 0.9 * HOURS)
    # ours, but of no attachment; and what is not ours
    foreign = [
        put_object(tmp_path, key, 30 * HOURS)
        for key in ("README", f"{workspace}/x", f"{uuid.uuid4()}", f"a/{uuid.uuid4()}/b")
    ]
    half = put_object(tmp_path, f"{workspace}/{uuid.uuid4()}#1", 1.1 * HOURS)
    on_its_way = put_object(tmp_path, f"{workspace}/{uuid.uuid4()}#1", 0.9 * HOURS)
    await swept()
    left = set(objects(tmp_path))
    assert left == {key_of(database, kept), young, on_its_way, *foreign, OWNER}
    assert not {old, half} & left


async def test_bytes_go_30_days_after_their_attachment_was_removed(
    database: Database, workspace: str, record: str, tmp_path: Path, swept: Callable[[], Any]
) -> None:
    before, after = (attach(database, workspace, record, tmp_path, 2 * HOURS) for _ in range(2))
    for attachment in (before, after):
        database.call("attachment_delete", workspace, arguments={"attachment": attachment})
    database.run(
        "update core.attachment set deleted_at = now() - interval '29 days 23 hours' where id = %s",
        before,
    )
    database.run(
        "update core.attachment set deleted_at = now() - interval '30 days 1 hour' where id = %s",
        after,
    )
    await swept()
    assert database.run("select id::text from core.attachment") == [(before,)]
    assert set(objects(tmp_path)) == {f"{workspace}/{before}", OWNER}
    database.run("update core.attachment set deleted_at = null")
    assert database.value("select attachment_count from core.record") == 1


async def test_the_bytes_of_a_purged_workspace_go(
    database: Database, workspace: str, record: str, tmp_path: Path, swept: Callable[[], Any]
) -> None:
    other = database.workspace(name="Other")
    task = database.task(other, title="Kept")["id"]
    kept = attach(database, other, task, tmp_path, 2 * HOURS)
    for _ in range(5):
        attach(database, workspace, record, tmp_path, 2 * HOURS)
    database.call("workspace_delete", workspace)
    database.run(
        "update core.workspace set deleted_at = now() - interval '31 days' where workspace_id = %s",
        workspace,
    )
    while database.value("select logic.workspace_purge(2)"):
        pass
    assert database.run("select id::text from core.attachment") == [(kept,)]
    assert database.value("select count(*) from core.workspace") == 1
    await swept()
    assert set(objects(tmp_path)) == {f"{other}/{kept}", OWNER}


async def test_a_store_of_many_pages_is_looked_through_to_its_end(
    database: Database,
    tmp_path: Path,
    swept: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage, "PAGE", 7)
    for _ in range(40):
        put_object(tmp_path)
    await swept()
    assert list(objects(tmp_path)) == [OWNER]


async def test_a_database_clears_no_store_of_another(
    database: Database, tmp_path: Path, swept: Callable[[], Any]
) -> None:
    """Such as a copy that was made for tests, and points at the store of the original."""
    (tmp_path / OWNER).write_text("another")
    needless = put_object(tmp_path)
    await swept()
    assert set(objects(tmp_path)) == {needless, OWNER}
    (tmp_path / OWNER).unlink()
    await swept()
    identity = database.value("select trusted.database_identity()")["id"]
    assert objects(tmp_path) == {OWNER: identity.encode()}
    oid = database.value("select oid from pg_database where datname = current_database()")
    assert identity.endswith(f"/{oid}")  # a copy has another, or another cluster


@pytest.mark.parametrize("name", ["one", "another"])
async def test_a_store_has_the_first_database_that_asks(url: str, name: str) -> None:
    kept = Storage(url)
    assert await kept.belongs_to("one")
    assert await kept.belongs_to(name) == (name == "one")


async def test_in_s3_the_same_is_found(
    bucket: Bucket, database: Database, workspace: str, record: str, session: aiohttp.ClientSession
) -> None:
    url = f"s3://{bucket.name}/kept"
    kept = Storage(url)
    async with serving(deployed(database, storage=StorageSettings(url))) as address:
        files = Files(Client(session, address, database.token("Ada")), workspace)
        needed = await files.add(record)
    needless = f"{workspace}/{uuid.uuid4()}"
    async with kept.upload(needless) as upload:
        await upload.write(b"x")
    bucket.client.put_object(Bucket=bucket.name, Key="kept/README", Body=b"x")
    assert [page async for page in kept.old_keys(HOURS)] == [[]]
    (page,) = [page async for page in kept.old_keys(-10)]
    assert sorted(page) == sorted([needless, f"{workspace}/{needed['id']}"])
    found = database.value("select trusted.attachment_orphans(%s)", page)
    assert found == {"keys": [needless]}
    await kept.delete(found["keys"])
    assert set(bucket.keys()) == {f"kept/{workspace}/{needed['id']}", "kept/README"}


async def test_what_a_killed_server_leaves_is_cleared_away(
    database: Database,
    workspace: str,
    record: str,
    tmp_path: Path,
    session: aiohttp.ClientSession,
    spawn: Callable[..., ServerProcess],
    swept: Callable[[], Any],
) -> None:
    """Parts of an upload, and an object whose row was not written any more."""
    server = spawn(ROWCAST_STORAGE_URL=tmp_path.as_uri())
    files = Files(Client(session, server.url, database.token("Ada")), workspace)

    async def raw() -> AsyncIterator[bytes]:
        yield head_of()
        for _ in range(8):
            yield bytes(1 << 20)
        await asyncio.Event().wait()

    def parts() -> list[Path]:
        return [path for path in tmp_path.rglob("*#*") if path.stat().st_size]

    sending = asyncio.create_task(files.send(record, raw()))
    await eventually(lambda: bool(parts()), what="a part")
    with database.connect() as holding:
        holding.execute("begin")
        holding.execute("select from core.clock for update")
        waiting = asyncio.create_task(files.send(record, form(b"whole")))
        await eventually(
            lambda: b"whole" in [*objects(tmp_path).values()], what="an object without its row"
        )
        server.kill()
    for task in (sending, waiting):
        with pytest.raises(aiohttp.ClientError):
            await task
    assert database.value("select count(*) from core.attachment") == 0
    for path in tmp_path.rglob("*-*-*-*"):
        if path.is_file():
            make_older(path, 2 * HOURS)
    await swept()
    assert objects(tmp_path / workspace) == {}


# Settings


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    """The settings of an environment."""
    for name in ("DATABASE_URL", "ROWCAST_DATABASE_URL", "ROWCAST_STORAGE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(f"ROWCAST_{name}", value)
    return Settings()


def test_beside_the_embedded_database_there_is_a_place_for_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    embedded = settings(monkeypatch, DATA_DIR=str(tmp_path)).storage
    assert embedded.url == f"file://{tmp_path}/attachments"
    assert (embedded.max_bytes, embedded.types) == (50 << 20, ())
    other = settings(monkeypatch, DATABASE_URL="postgresql://x/y", DATA_DIR=str(tmp_path)).storage
    assert other.url is None


def test_where_files_are_kept_and_which_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch,
        STORAGE_URL="s3://bucket/prefix",
        ATTACHMENT_MAX_BYTES="1000",
        ATTACHMENT_TYPES="image/*, Application/PDF",
    ).storage
    assert found == StorageSettings("s3://bucket/prefix", 1000, ("image/*", "application/pdf"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORAGE_URL", "/srv/attachments"),
        ("STORAGE_URL", "file://host/srv"),
        ("STORAGE_URL", "file:///"),
        ("STORAGE_URL", "s3://"),
        ("STORAGE_URL", "s3://key:secret@bucket"),
        ("STORAGE_URL", "s3://bucket?region=x"),
        ("STORAGE_URL", "memory:///"),
        ("STORAGE_URL", "https://example.org/x"),
        ("STORAGE_URL", ""),
        ("ATTACHMENT_MAX_BYTES", "0"),
        ("ATTACHMENT_TYPES", "png"),
        ("ATTACHMENT_TYPES", "*/*"),
    ],
)
def test_a_setting_of_the_wrong_form_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, **{name: value})
