"""The demo: an owner, and a sample workspace for every template, made once."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

OWNER = ("demo@rowcast.example", "Demo Owner")


@dataclass(frozen=True, slots=True)
class SampleUser:
    """Somebody whom anybody may become, in the demo."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What the demo shows: who acts without credentials, workspaces (name, id), users."""

    account: str
    workspaces: tuple[tuple[str, str], ...]
    users: tuple[SampleUser, ...] = ()


def prepare(server_url: str) -> Sample:
    """Makes what the demo lacks, through the same functions as everybody. Raises psycopg.Error."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        row = connection.execute("select trusted.sample_prepare(%s, %s)", OWNER).fetchone()
    assert row is not None
    found = row[0]
    return Sample(
        found["account"],
        tuple((w["name"], w["id"]) for w in found["workspaces"]),
        tuple(SampleUser(u["email"], u["name"], u["role"]) for u in found["users"]),
    )


def welcome(sample: Sample, directory: Path | None) -> str:
    """What `rowcast demo` prints when it answers; {url} is filled in by the server.

    directory: where the embedded database is, which other commands are to be told.
    """
    lines = ["rowcast is ready on {url}", "", f"  acting as  {OWNER[1]} <{OWNER[0]}>"]
    if directory is not None:
        lines += [f"  data       {directory} (ROWCAST_DATA_DIR for other commands)"]
    lines += [f"  workspace  {name}: {workspace}" for name, workspace in sample.workspaces]
    lines += ["  account    {url}/account (register, sign in, become a sample user)"]
    lines += [f"  user       {user.email} ({user.role})" for user in sample.users]
    if sample.workspaces:
        workspace = sample.workspaces[0][1]
        lines += ["", f'  curl "{{url}}/api/tasks?workspaceId={workspace}&page=0"']
        lines += [f'  curl -N "{{url}}/api/tasks/{workspace}/events"']
    return "\n".join(lines)
