"""Rules for every function, asked of the catalogue."""

from collections.abc import Callable
from typing import Any

from rowcast.routes import ROUTES

Rows = Callable[..., list[Any]]

SCHEMAS = ["core", "logic", "api", "faces", "reporting", "trusted"]
RELOADABLE = ["logic", "api", "faces", "reporting", "trusted"]

# api functions that answer something else than a resource, and so have no jsonb to return.
NOT_JSONB = {"batch_run", "account_batch_run", "query", "log_read", "stream_rights"}

# Every function that acts with the owner's rights, past row-level security, and why it has to.
# Those of `trusted` besides: see test_a_trusted_function_is_for_the_process.
DEFINERS = {
    "api.account_erase": "writes accounts",
    "api.account_get": "reads the caller's account",
    "api.account_update": "writes the caller's account",
    "api.audit_list": "reads the log, for who may manage",
    "api.collection_create": "writes collections and fields",
    "api.collection_update": "writes collections",
    "api.field_replace": "writes fields, and records whoever sees them",
    "api.invitation_create": "writes invitations",
    "api.invitation_revoke": "writes invitations",
    "api.log_read": "one hub reads the logs of many tenants; rights come from stream_open",
    "api.member_remove": "writes members",
    "api.member_update": "writes members",
    "api.role_replace": "writes roles",
    "api.search_all": "spans tenants: the caller's own memberships",
    "api.stream_rights": "one hub asks for the streams of many tenants",
    "api.ticket_create": "writes tickets",
    "api.token_create": "writes sessions",
    "api.workspace_create": "nobody has entered a workspace that does not exist",
    "api.workspace_delete": "writes workspaces",
    "api.workspace_list": "spans tenants: the caller's own memberships",
    "api.workspace_restore": "writes a workspace that nobody can enter",
    "api.workspace_transfer": "writes members",
    "api.workspace_update": "writes workspaces",
    "logic.access_append": "takes the clock and writes the log",
    "logic.access_event_shape": "reads the name of the account that an event is about",
    "logic.account__500_access": "ends sessions",
    "logic.account_batch_open": "reads transactions and accounts, before anybody is let in",
    "logic.account_scrub": "writes accounts, sessions, mails and invitations",
    "logic.accounts_lock": "locks accounts",
    "logic.activity_page": "reads the log and names, by the rights that were entered",
    "logic.admitted": "reads members and workspaces, before entering",
    "logic.attempt_take": "writes attempts",
    "logic.audit_event_shape": "reads names of accounts and addresses of invitations",
    "logic.attachment__100_fill": "reads the record; the policy judges what comes of it",
    "logic.attachment__500_log": "writes the log, and counts the attachments of a record",
    "logic.batch_close": "writes transactions",
    "logic.batch_open": "reads rights, log and transactions and locks records, before entering",
    "logic.call_workspaces": "finds the workspace of a call, before entering",
    "logic.clocks_lock": "locks clocks",
    "logic.collection__100_rules": "reads the fields of a collection, whoever changes it",
    "logic.collection_remember": "writes collections",
    "logic.collection_store": "writes collections",
    "logic.comment__100_place": "reads the record of a comment, whoever sees it",
    "logic.comment__500_log": "counts on the record, and writes the log",
    "logic.comment_mentions": "reads accounts and rights of the members of a workspace",
    "logic.comment_named": "reads names of accounts, for who may read the comment",
    "logic.audience_hand_on": "writes what hangs on a record, whoever sees it",
    "logic.changes_coalesced": "reads the log of the entered workspace, for one reader",
    "logic.changes_end": "reads the log",
    "logic.conflicts_since": "reads the log of a record that its caller has found",
    "logic.deleted_since": "reads the log of a record that its caller has found",
    "logic.document_changed_since": "reads the log of a record that its caller has found",
    "logic.document_conflict": "reads the log of a record that its caller has found",
    "logic.documents_migrate": "writes records, whoever sees them",
    "logic.creator_name": "reads accounts, of who created a record of the entered workspace",
    "logic.enter": "reads the rights that it then enters with",
    "logic.field__500_rules": "updates a collection, whoever changes its fields",
    "logic.fields_migrate": "writes fields and collections",
    "logic.history_since": "reads the clock",
    "logic.import_earlier": "reads transactions",
    "logic.import_new_rows": "reads transactions",
    "logic.import_remember": "writes transactions",
    "logic.invitation_find": "reads and locks an invitation whose holder is no member yet",
    "logic.invitation_put": "writes invitations and mails",
    "logic.is_owner": "reads members, also of deleted workspaces",
    "logic.log_position": "reads the log",
    "logic.log_verdict": "reads the log",
    "logic.mail_put": "writes mails",
    "logic.mail_reader": "reads accounts",
    "logic.member__100_last_owner": "takes the clock and reads members",
    "logic.member__500_access": "takes the clock and writes the log",
    "logic.members_ever": "reads members and log, for the entered workspace",
    "logic.member_name": "reads accounts, of members of the entered workspace",
    "logic.members_shape": "reads accounts, of members of the entered workspace",
    "logic.migration_check": "reads records, whoever sees them",
    "logic.migration_size": "reads records, whoever sees them",
    "logic.notice_append": "takes the clock and writes the log",
    "logic.one_time_token_take": "writes one-time tokens",
    "logic.operations_records": "reads the log of a write of the caller's own",
    "logic.owner_other": "reads and locks accounts",
    "logic.password_set": "writes accounts, sessions and mails",
    "logic.position_back": "manual order is one for all, whoever sees which records",
    "logic.position_beside": "manual order is one for all, whoever sees which records",
    "logic.position_neighbour": "manual order is one for all, whoever sees which records",
    "logic.positions_spread": "manual order is one for all, whoever sees which records",
    "logic.record_at": "reads the log of a record that its caller has found",
    "logic.record__100_number": "numbers over all records, whoever sees which",
    "logic.record__500_log": "writes the log",
    "logic.record__600_references": "finds and changes what refers to a record, whoever may see it",
    "logic.record_last_seq": "reads the log",
    "logic.record_probe": "operators on documents reach no index under row-level security",
    "logic.records_claim": "locks records, whoever sees them",
    "logic.repeated_collection": "reads the log",
    "logic.repeated_comment_id": "reads the log",
    "logic.repeated_attachment_id": "reads the log",
    "logic.repeated_record_id": "reads the log",
    "logic.role__500_access": "takes the clock and writes the log",
    "logic.roles_store": "writes roles and invitations",
    "logic.sample_account": "makes accounts, for the demo",
    "logic.sample_workspace": "makes members, for the demo",
    "logic.schema_append": "takes the clock and writes the log",
    "logic.scope_check": "reads sessions",
    "logic.search_probe": "reads the search index, which is open to nobody",
    "logic.seq_last": "takes the clock and reads the log",
    "logic.session_live": "reads sessions and accounts",
    "logic.session_revoke": "writes sessions",
    "logic.session_secrets": "writes refresh tokens",
    "logic.sessions_of": "reads the caller's sessions",
    "logic.sign_in_check": "reads sessions",
    "logic.snapshot_check": "tries a row of the log",
    "logic.template_apply": "fills a workspace that nobody has entered yet",
    "logic.token_issue": "writes sessions",
    "logic.transaction_records": "reads the log of a write of the caller's own",
    "logic.undo_candidates": "reads the caller's own writes and their log",
    "logic.undo_operations": "reads the log of the caller's own writes",
    "logic.undo_shape": "reads the log of the caller's own writes",
    "logic.undone_find": "reads the caller's own writes",
    "logic.undone_mark": "writes the caller's own writes",
    "logic.record_changed_by_others": "reads the log of a record that its caller has found",
    "logic.workspace__500_clock": "writes the clock",
    "logic.workspace__500_log": "takes the clock and writes the log",
    "logic.workspace_purge": "removes what has no workspace any more",
    "logic.workspace_shape": "spans tenants: for accounts that are members",
}


def test_none_is_executable_by_everybody(rows: Rows) -> None:
    assert not rows(
        """
        select p.oid::regprocedure::text
        from pg_proc p
        where p.pronamespace = any (%s::regnamespace[]) and exists (
          select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
          where g.grantee = 0)
        """,
        SCHEMAS,
    )


def test_every_definer_is_known_and_pins_its_search_path(rows: Rows) -> None:
    definers = rows(
        """
        select n.nspname || '.' || p.proname, coalesce(array_to_string(p.proconfig, ' '), '')
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = any (%s) and p.prosecdef
        """,
        SCHEMAS,
    )
    # All of `trusted` is: it serves the process, which enters nowhere.
    others = {name for name, _ in definers if not name.startswith("trusted.")}
    assert others == set(DEFINERS)
    for name, settings in definers:
        assert "search_path=pg_catalog, pg_temp" in settings, name


def test_a_trusted_function_is_for_the_process(rows: Rows) -> None:
    """Each is a definer, and no route names one (by any name of the dispatcher)."""
    trusted = rows(
        "select proname::text, prosecdef from pg_proc where pronamespace = 'trusted'::regnamespace"
    )
    assert trusted
    assert all(definer for _, definer in trusted)
    assert not [route for route in ROUTES if "." in route.function]


def test_each_has_one_overload(rows: Rows) -> None:
    assert not rows(
        """
        select pronamespace::regnamespace || '.' || proname
        from pg_proc where pronamespace = any (%s::regnamespace[]) group by 1 having count(*) > 1
        """,
        SCHEMAS,
    )


def test_each_has_a_comment(rows: Rows) -> None:
    assert not rows(
        """
        select oid::regprocedure::text
        from pg_proc
        where pronamespace = any (%s::regnamespace[]) and obj_description(oid, 'pg_proc') is null
        """,
        SCHEMAS,
    )


def test_an_api_function_answers_json(rows: Rows) -> None:
    others = rows(
        """
        select proname::text from pg_proc
        where pronamespace = 'api'::regnamespace and (prorettype <> 'jsonb'::regtype or proretset)
        """
    )
    assert set(others) == NOT_JSONB


def test_parameters_of_an_api_function_are_named(rows: Rows) -> None:
    assert not rows(
        r"""
        select p.proname || ' ' || x.name
        from pg_proc p
        cross join lateral unnest(
          p.proargnames,
          coalesce(p.proargmodes, array_fill('i'::"char", array[p.pronargs]))) x(name, mode)
        where p.pronamespace = 'api'::regnamespace and x.mode = 'i' and x.name !~ '^p_[a-z_]+$'
        """
    )


def test_nothing_that_is_kept_depends_on_one_that_is_reloaded(rows: Rows) -> None:
    """Defaults, constraints, indexes, policies, types: a reload would fail, or change them."""
    assert not rows(
        """
        with disposable as (select s::regnamespace as schema from unnest(%s::text[]) s)
        select pg_describe_object(d.classid, d.objid, d.objsubid)
        from pg_depend d
        join pg_proc p on p.oid = d.refobjid and p.pronamespace in (select schema from disposable)
        left join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
        left join pg_class v on v.oid = w.ev_class
        left join pg_proc f on d.classid = 'pg_proc'::regclass and f.oid = d.objid
        where d.refclassid = 'pg_proc'::regclass
          and d.classid <> 'pg_trigger'::regclass
          and coalesce(v.relnamespace, f.pronamespace, 0) not in (select schema from disposable)
        """,
        RELOADABLE,
    )
