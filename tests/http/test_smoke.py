from support import Client, Database


async def test_a_patch_reaches_a_stream(client: Client, database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    async with client.events(f"/api/v1/workspaces/{workspace}/events") as stream:
        assert (await stream.next()).name == "connected"
        answer = await client.call("PATCH", f"/api/tasks/{task['id']}", {"patch": {"title": "Two"}})
        event = await stream.next()
    assert (event.name, event.data["patch"], event.data["seq"]) == (
        "task-updated",
        {"title": "Two"},
        answer["seq"],
    )
