"""The audit: who changed the access to a workspace, and when, for who may manage it."""

from people import invitation_token, log_in, mail_of, sign_up
from support import Client, Database


async def test_the_audit_tells_who_did_what_to_whom_the_newest_first(
    client: Client, database: Database, workspace: str
) -> None:
    base = f"/api/v1/workspaces/{workspace}"
    await sign_up(client, database, "pat@example.org")
    pat = await log_in(client, "pat@example.org")
    for email in ("pat@example.org", "sam@example.org"):
        body = {"email": email, "role": "viewer"}
        invited = await client.call("POST", f"{base}/invitations", body)
    await client.call("DELETE", f"{base}/invitations/{invited['id']}")
    token = invitation_token(
        workspace, mail_of(database, "invitation", "pat@example.org")["invitationId"]
    )
    await pat.client.call("POST", "/api/v1/invitations/accept", {"token": token})
    await client.call("PATCH", f"{base}/members/{pat.account}", {"role": "editor"})
    roles = (await client.call("GET", f"{base}/roles"))["roles"]
    roles[-1]["read"] = []
    roles.append({"key": "guest", "label": "Guest"})
    await client.call("PUT", f"{base}/roles", {"roles": roles})
    await client.call("PUT", f"{base}/roles", {"roles": roles[:-1]})
    await client.call("PATCH", base, {"name": "New"})
    await pat.client.call("DELETE", f"{base}/members/{pat.account}")
    await client.call("DELETE", base)
    last = await client.call("POST", f"{base}/restore")
    database.task(workspace, title="No business of the audit")

    answer = await client.call("GET", f"{base}/audit")
    seen = [(e["event"], (e["actor"] or {}).get("name"), e["role"]) for e in answer["events"]]
    assert seen == [
        ("workspace-restored", "Ada", None),
        ("workspace-deleted", "Ada", None),
        ("member-left", "Pat", "editor"),
        ("workspace-updated", "Ada", None),
        ("role-removed", "Ada", "guest"),
        ("role-created", "Ada", "guest"),
        ("role-changed", "Ada", "viewer"),
        ("member-changed", "Ada", "editor"),
        ("member-joined", "Pat", "viewer"),
        ("invitation-accepted", "Pat", None),
        ("invitation-revoked", "Ada", None),
        ("invitation-created", "Ada", "viewer"),
        ("invitation-created", "Ada", "viewer"),
        ("member-joined", "Ada", "owner"),
    ]
    assert answer["events"][0]["seq"] == last["seq"]
    assert answer["events"][7]["account"] == {"id": pat.account, "name": "Pat"}
    revoked = answer["events"][10]["invitation"]
    assert revoked == {"id": invited["id"], "email": "sam@example.org"}


async def test_the_audit_comes_in_pages(client: Client, database: Database, workspace: str) -> None:
    path = f"/api/v1/workspaces/{workspace}"
    for n in range(5):
        await client.call("PATCH", path, {"name": f"Name {n}"})
        database.task(workspace, title=str(n))
    whole = (await client.call("GET", f"{path}/audit"))["events"]
    paged, cursor = [], ""
    while True:
        page = await client.call("GET", f"{path}/audit?limit=2{cursor}")
        assert len(page["events"]) <= 2
        paged += page["events"]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert paged == whole
    assert len(whole) == 6


async def test_who_may_not_manage_does_not_read_the_audit(
    client: Client, database: Database, workspace: str
) -> None:
    path = f"/api/v1/workspaces/{workspace}/audit"
    for role in ("viewer", "commenter", "editor"):
        database.join(workspace, "Bob", role)
        bob = Client(client.session, client.url, database.token("Bob"))
        (await bob.send("GET", path)).problem(403, "not_permitted")
    database.join(workspace, "Bob", "admin")
    assert (await bob.send("GET", path)).status == 200
    eve = Client(client.session, client.url, database.token("Eve"))
    (await eve.send("GET", path)).problem(404, "unknown_workspace")


async def test_what_is_done_in_psql_stands_in_the_audit_too(
    client: Client, database: Database, workspace: str
) -> None:
    bob = database.join(workspace, "Bob", "viewer")
    event = (await client.call("GET", f"/api/v1/workspaces/{workspace}/audit"))["events"][0]
    assert (event["event"], event["actor"], event["account"]["id"]) == ("member-joined", None, bob)
