"""What an attack is played on: somebody with everything that a request can name, made quickly."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from rowcast.keys import INVITATION, PASSWORD_RESET, VERIFY_EMAIL
from support import CHEAP, KEYS, Database, attachment_of

PASSWORD = "correct horse battery"
_HASH = CHEAP.hash(PASSWORD)
AGENT = "attacks/1"


def sign(audience: str, **claims: object) -> str:
    """A token as the server signs it, good for an hour."""
    return KEYS.sign(audience, claims, time.time() + 3600)


@dataclass
class Stage:
    """An owner with a workspace, a member, a record with a file, an invitation, links, sessions."""

    email: str
    account: str
    session: str
    access: str
    cookie: str
    refresh: str
    other_session: str
    token: str
    workspace: str
    member: str
    record: str
    comment: str
    attachment: str
    invitation: str
    verify_token: str
    reset_token: str
    invitation_token: str
    request: str = ""
    phase: str = ""
    category: str = ""


class Builder:
    """Makes stages, over one connection of the superuser."""

    def __init__(self, database: Database) -> None:
        self.connection: psycopg.Connection[Any] = database.connect()

    def value(self, statement: str, *parameters: Any) -> Any:
        """The one value of a query."""
        row = self.connection.execute(statement.encode(), parameters).fetchone()
        assert row is not None
        return row[0]

    def account(self, prefix: str = "victim") -> tuple[str, str]:
        """A new account with PASSWORD: its id and e-mail address."""
        email = f"{prefix}-{uuid.uuid4().hex[:12]}@example.org"
        made = self.value("select trusted.account_create(%s, %s, %s)", email, "Victim", _HASH)
        return made["id"], email

    def session(self, account: str) -> dict[str, Any]:
        """A new sign-in of an account."""
        opened: dict[str, Any] = self.value(
            "select trusted.session_open(%s, %s, '127.0.0.1')", account, AGENT
        )
        return opened

    def workspace(self, owner: str, template: str = "tasks") -> str:
        """A new workspace of an account."""
        answer = self.value(
            "select answer from api.account_batch_run("
            "array['workspace_create'], array[%s]::uuid[], array[%s]::uuid[], array[%s])",
            owner,
            str(uuid.uuid4()),
            json.dumps({"name": "Test", "template": template}),
        )
        return str(json.loads(answer)["id"])

    def join(self, workspace: str, role: str) -> str:
        """A new account that is a member; its id."""
        account, _ = self.account("member")
        self.connection.execute(
            "insert into core.member (workspace_id, account_id, role) values (%s, %s, %s)",
            (workspace, account, role),
        )
        return account

    def call(self, function: str, actor: str, workspace: str, arguments: Any) -> Any:
        """One write in a workspace."""
        answer = self.value(
            "select answer from api.batch_run(array[%s], array[%s]::uuid[], array[%s]::uuid[],"
            " array[null]::text[], array[null]::text[], array[%s]::uuid[], array[%s])",
            function,
            actor,
            workspace,
            str(uuid.uuid4()),
            json.dumps(arguments),
        )
        return json.loads(answer)

    def one_time_token(self, purpose: str, email: str) -> str:
        """The id of what a mail asked for."""
        payload = {"name": "New", "passwordHash": _HASH} if purpose == "verify-email" else {}
        made = self.value(
            "insert into core.one_time_token (purpose, email, payload, expires_at)"
            " values (%s, %s, %s, now() + interval '1 hour') returning id::text",
            purpose,
            email,
            json.dumps(payload),
        )
        return str(made)

    def stage(self) -> Stage:
        """A new stage, which shares nothing with others."""
        account, email = self.account()
        opened, other = self.session(account), self.session(account)
        workspace = self.workspace(account)
        record = self.call(
            "record_create",
            account,
            workspace,
            {"collection": "task", "data": {"title": "One", "status": "todo", "tags": ["a"]}},
        )["id"]
        comment = self.call("comment_create", account, workspace, {"id": record, "body": "One"})
        request, phase, category = (
            self.thing(workspace, account, *names)
            for names in (
                ("request", "requests", "REQ"),
                ("phase", "phases", "PHS"),
                ("category", "categories", "CAT"),
            )
        )
        guest = f"guest-{uuid.uuid4().hex[:12]}@example.org"
        invited = self.call(
            "invitation_create", account, workspace, {"email": guest, "role": "editor"}
        )["id"]
        token = self.value(
            "select logic.token_issue(%s, 'program', array['read'], 30)->>'id'", account
        )
        new = f"new-{uuid.uuid4().hex[:12]}@example.org"
        return Stage(
            email,
            account,
            opened["sessionId"],
            KEYS.access_token(account, opened["sessionId"], 3600),
            opened["cookie"],
            opened["refreshToken"],
            other["sessionId"],
            token,
            workspace,
            self.join(workspace, "editor"),
            record,
            comment["id"],
            self.call("attachment_create", account, workspace, attachment_of(record))["id"],
            invited,
            sign(VERIFY_EMAIL, jti=self.one_time_token("verify-email", new)),
            sign(PASSWORD_RESET, jti=self.one_time_token("password-reset", email)),
            sign(INVITATION, jti=invited, ws=workspace),
            request,
            phase,
            category,
        )

    def thing(self, workspace: str, owner: str, key: str, plural: str, prefix: str) -> str:
        """A record in a further collection, with the fields of the workspace's tasks; its id."""
        self.connection.execute(
            "insert into core.collection (workspace_id, key, plural, label, prefix)"
            " values (%s, %s, %s, %s, %s)",
            (workspace, key, plural, plural, prefix),
        )
        self.connection.execute(
            "insert into core.field (workspace_id, collection, key, label, type, position)"
            " select workspace_id, %s, key, label, type, position from core.field"
            " where workspace_id = %s and collection = 'task'",
            (key, workspace),
        )
        made = {"collection": key, "data": {"title": "One", "name": "One"}}
        return str(self.call("record_create", owner, workspace, made)["id"])

    def forget_attempts(self) -> None:
        """Fills every bucket of attempts again."""
        self.connection.execute("delete from core.attempt")

    def tables(self, *but: str) -> dict[str, str]:
        """A hash per core table, of all its rows."""
        names = self.value(
            "select coalesce(array_agg(c.relname::text order by c.relname), '{}') from pg_class c"
            " where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p')"
        )
        rows = "select md5(coalesce(string_agg(x::text, ' ' order by x::text), '')) from core.{} x"
        return {name: self.value(rows.format(name)) for name in names if name not in but}

    def tenant(self, workspace: str, account: str) -> dict[str, Any]:
        """A hash per core table of the rows of one workspace, and those of one account."""
        found = {}
        for name, column in self.connection.execute(
            "select c.relname::text, a.attname::text from pg_class c"
            " join pg_attribute a on a.attrelid = c.oid"
            " where c.relnamespace = 'core'::regnamespace and c.relkind = 'r'"
            " and (a.attname in ('workspace_id', 'account_id') or (c.relname, a.attname) ="
            " ('account', 'id')) order by 1, 2"
        ).fetchall():
            wanted = workspace if column == "workspace_id" else account
            found[f"{name}.{column}"] = self.value(
                f"select md5(coalesce(string_agg(x::text, ' ' order by x::text), ''))"  # noqa: S608
                f" from core.{name} x where x.{column} = %s",
                wanted,
            )
        return found

    def catalogue(self) -> Any:
        """A hash of every table, column, function, policy, trigger and role with its rights."""
        return self.value("""
            select md5(string_agg(x, ' ' order by x)) from (
              select concat_ws(',', oid, relname, relkind, relacl, relrowsecurity, relowner) x
                from pg_class where relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
              union all select concat_ws(',', attrelid, attname, atttypid, attacl)
                from pg_attribute a join pg_class c on c.oid = a.attrelid
                where relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
              union all select concat_ws(',', oid, proname, prosrc, proacl, proconfig) from pg_proc
              union all select concat_ws(',', oid, polname, polqual, polwithcheck) from pg_policy
              union all select concat_ws(',', oid, tgname, tgenabled) from pg_trigger
              union all select concat_ws(',', oid, nspname, nspacl) from pg_namespace
                where nspname !~ '^pg_(toast|temp)'
              union all select concat_ws(',', rolname, rolsuper, rolbypassrls) from pg_roles
            ) c
        """)
