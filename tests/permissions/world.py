"""A workspace with people in it, one of whom calls: what a cell of the table is about."""

import json
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg

from support import CHEAP, KEYS, Database, attachment_of

PASSWORD = "correct horse battery"
NAME, TITLE = "Ours Ltd", "Drop test of ours"
_HASH = CHEAP.hash(PASSWORD)
_ROLES = {
    "view": "viewer",
    "comm": "commenter",
    "own": "requester",
    "other": "requester",
    "edit": "editor",
    "admin": "admin",
    "gone": "admin",
    "expir": "admin",
    "disab": "admin",
}
# By kind of world, its template, and the collection that its records are of.
KINDS = {
    "request": ("requests", "request"),
    "task": ("tasks", "task"),
    "campaign task": ("campaign", "task"),
    "campaign phase": ("campaign", "phase"),
    "todo task": ("todo", "task"),
    "todo category": ("todo", "category"),
}
# For templates that have no requesters.
_REQUESTER = (
    "insert into core.role (workspace_id, key, label, read, edit, may, position)"
    " values (%s, 'requester', 'Requester', array[%s || ':own'], array[%s || ':own'],"
    " array['create:' || %s, 'comment:' || %s || ':own'], 10)"
)


@dataclass(frozen=True)
class Person:
    """An account and what proves it: a session, an access token, a refresh token."""

    account: str
    email: str
    session: str
    token: str
    refresh_token: str


class World:
    """A fresh workspace with an owner, a viewer beside, and who the column says: `actor` calls.

    kind: of what template and collection the records are (KINDS). What a call is about is made when
    it is first asked for: the actor's own in column `own`, the owner's in all others.
    """

    def __init__(self, database: Database, column: str, kind: str) -> None:
        self.database, self.column = database, column
        self.template, self.collection = KINDS[kind]
        with database.connect() as connection:
            self._build(connection)

    def _build(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("truncate core.attempt")
        self.owner = self._person(connection, "owner")
        self.mate = self._person(connection, "mate")
        self.actor: Person | None = None
        if self.column == "owner":
            self.actor = self.owner
        elif self.column != "anon":
            self.actor = self._person(connection, self.column)
        self.workspace = self._workspace(connection)
        if self.column == "strng":
            assert self.actor is not None
            self._call("workspace_create", self.actor, name="Elsewhere", template=self.template)

    def _person(self, connection: psycopg.Connection[Any], name: str) -> Person:
        email = f"{name}-{uuid.uuid4().hex[:12]}@example.org"
        made = _value(
            connection, "select trusted.account_create(%s, %s, %s)", email, name.title(), _HASH
        )
        opened = _value(
            connection,
            "select trusted.session_open(%s, 'Tests/1.0', '127.0.0.1')",
            made["id"],
        )
        seconds = -60 if name == "expir" else 3600
        token = KEYS.access_token(made["id"], opened["sessionId"], seconds)
        return Person(made["id"], email, opened["sessionId"], token, opened["refreshToken"])

    def _workspace(self, connection: psycopg.Connection[Any]) -> str:
        created = self._call("workspace_create", self.owner, name=NAME, template=self.template)
        workspace = str(created["id"])
        if self.template != "requests":
            connection.execute(_REQUESTER, [workspace, *[self.collection] * 4])
        self._join(connection, workspace, self.mate, "viewer")
        if self.actor is not None and self.column in _ROLES:
            self._join(connection, workspace, self.actor, _ROLES[self.column])
            if self.column == "gone":
                connection.execute(
                    "delete from core.member where account_id = %s", [self.actor.account]
                )
            elif self.column == "disab":
                connection.execute(
                    "update core.account set disabled_at = now() where id = %s",
                    [self.actor.account],
                )
                # That ended the session too; here the account alone is to keep it out.
                connection.execute(
                    "update core.session set revoked_at = null where account_id = %s",
                    [self.actor.account],
                )
        return workspace

    def _join(
        self, connection: psycopg.Connection[Any], workspace: str, person: Person, role: str
    ) -> None:
        connection.execute(
            "insert into core.member (workspace_id, account_id, role) values (%s, %s, %s)",
            [workspace, person.account, role],
        )

    def _call(
        self, function: str, person: Person, workspace: str | None = None, **arguments: Any
    ) -> Any:
        """A call that succeeds, as what it is about is made."""
        with self.database.connect_server() as connection:
            if workspace is None:
                run = "account_batch_run(%s, %s::uuid[], array[gen_random_uuid()], %s)"
                parameters = [[function], [person.account], [json.dumps(arguments)]]
            else:
                run = (
                    "batch_run(%s, %s::uuid[], %s::uuid[], array[null], array[null],"
                    " array[gen_random_uuid()], %s)"
                )
                parameters = [[function], [person.account], [workspace], [json.dumps(arguments)]]
            query = f"select state, answer from api.{run}"  # noqa: S608
            row = connection.execute(query.encode(), parameters).fetchone()
        assert row is not None
        assert row[0] == "ok", row
        return json.loads(row[1])

    def succeed(self, function: str, person: Person, **arguments: Any) -> Any:
        """A call within the workspace that succeeds."""
        return self._call(function, person, self.workspace, **arguments)

    def end_session(self) -> None:
        """The actor's session has expired, in the database too."""
        assert self.actor is not None
        self.database.run(
            "update core.session set expires_at = now() where id = %s", self.actor.session
        )

    @property
    def data(self) -> dict[str, str]:
        """A document that fits the collection."""
        data = {"title": TITLE, "description": "Three orientations.", "vendor": "Contoso"}
        return data | ({"name": TITLE} if self.collection == "category" else {})

    def _record(self) -> str:
        if self.column == "own":
            assert self.actor is not None
            author = self.actor
        else:
            author = self.owner
        return str(
            self._call(
                "record_create", author, self.workspace, collection=self.collection, data=self.data
            )["id"]
        )

    @cached_property
    def record(self) -> str:
        """A record."""
        return self._record()

    @cached_property
    def deleted_record(self) -> str:
        """A record that its workspace's owner has deleted."""
        record = self._record()
        self._call("record_delete", self.owner, self.workspace, id=record)
        return record

    @property
    def own_comment(self) -> str:
        """A comment of the actor on the record, written when he was let; of nobody, no comment."""
        return self._comment(self.actor)

    @property
    def anothers_comment(self) -> str:
        """A comment of the other viewer, written when he was let."""
        return self._comment(self.mate)

    def _comment(self, person: Person | None) -> str:
        if person is None:
            return str(uuid.uuid4())
        return str(
            self.database.value(
                "insert into core.comment (workspace_id, record_id, author_id, body)"
                " values (%s, %s, %s, 'Because.') returning id",
                self.workspace,
                self.record,
                person.account,
            )
        )

    @cached_property
    def attachment(self) -> str:
        """An attachment of the record, by the workspace's owner."""
        file = attachment_of(self.record)
        return str(self._call("attachment_create", self.owner, self.workspace, **file)["id"])

    @cached_property
    def deleted_workspace(self) -> str:
        """Another workspace of the same people, deleted."""
        with self.database.connect() as connection:
            workspace = self._workspace(connection)
        self._call("workspace_delete", self.owner, workspace)
        return workspace

    def invitation(self, email: str) -> str:
        """An open invitation into the workspace, as viewer."""
        return str(
            self.database.value(
                "insert into core.invitation (workspace_id, email, role, expires_at)"
                " values (%s, %s, 'viewer', now() + interval '1 day') returning id",
                self.workspace,
                email,
            )
        )

    @property
    def own_session(self) -> str:
        """Another session of the actor; of nobody, an id that there is not."""
        return self._session(self.actor)

    @property
    def anothers_session(self) -> str:
        """A session of the other viewer."""
        return self._session(self.mate)

    def _session(self, person: Person | None) -> str:
        if person is None:
            return str(uuid.uuid4())
        return str(
            self.database.value(
                "insert into core.session (account_id, kind, secret_hash, expires_at) values"
                " (%s, 'sign-in', %s, now() + interval '1 day') returning id",
                person.account,
                uuid.uuid4().bytes,
            )
        )

    @property
    def own_token(self) -> str:
        """A personal access token of the actor."""
        return self._token(self.actor)

    @property
    def anothers_token(self) -> str:
        """A personal access token of the other viewer."""
        return self._token(self.mate)

    def _token(self, person: Person | None) -> str:
        if person is None:
            return str(uuid.uuid4())
        made = self.database.value(
            "select logic.token_issue(%s, 'a token', '{read}', 1)", person.account
        )
        return str(made["id"])


def _value(connection: psycopg.Connection[Any], query: str, *parameters: Any) -> Any:
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]
