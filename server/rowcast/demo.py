"""The demo: an owner, and a sample workspace for every template, made once."""

from dataclasses import dataclass

import psycopg

OWNER = ("demo@rowcast.example", "Demo Owner")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the demo shows: who acts without credentials, and the workspaces (name, id)."""

    account: str
    workspaces: tuple[tuple[str, str], ...]


def prepare(server_url: str) -> Sample:
    """Makes what the demo lacks, through the same functions as everybody. Raises psycopg.Error."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        row = connection.execute("select api.sample_prepare(%s, %s)", OWNER).fetchone()
    assert row is not None
    return Sample(row[0]["account"], tuple((w["name"], w["id"]) for w in row[0]["workspaces"]))


def welcome(sample: Sample) -> str:
    """What `rowcast demo` prints when it answers; {url} is filled in by the server."""
    lines = ["rowcast is ready on {url}", "", f"  acting as  {OWNER[1]} <{OWNER[0]}>"]
    lines += [f"  workspace  {name}: {workspace}" for name, workspace in sample.workspaces]
    if sample.workspaces:
        workspace = sample.workspaces[0][1]
        lines += ["", f'  curl "{{url}}/api/tasks?workspaceId={workspace}&page=0"']
        lines += [f'  curl -N "{{url}}/api/tasks/{workspace}/events"']
    return "\n".join(lines)
