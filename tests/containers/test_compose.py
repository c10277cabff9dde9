"""The image and docker-compose.yml, with a real engine: they come up healthy and do their work."""

import json
import os
import secrets
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import skip_or_fail
from support import ROOT, free_port

pytestmark = pytest.mark.timeout(600)

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
IMAGE = "rowcast:local"


def docker(*arguments: str, **environment: str) -> str:
    """Runs docker; its standard output. Fails with all that it said."""
    result = subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    said = f"docker {' '.join(arguments)}:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
    assert result.returncode == 0, said
    return result.stdout


def curl(*arguments: str) -> Any:
    """Runs curl; the JSON that it got. Fails on an HTTP error."""
    command = ["curl", "--silent", "--show-error", "--fail-with-body", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, f"{result.stdout} {result.stderr}"
    return json.loads(result.stdout)


@dataclass(frozen=True)
class Compose:
    """A project of docker-compose.yml with secrets, a port and volumes of its own."""

    name: str
    environment: dict[str, str]

    def __call__(self, *arguments: str) -> str:
        """Runs `docker compose`; its standard output."""
        return docker("compose", "--project-name", self.name, *arguments, **self.environment)

    @property
    def url(self) -> str:
        """The address of its Rowcast."""
        return f"http://127.0.0.1:{self.environment['ROWCAST_PUBLISHED_PORT']}"

    def state(self, service: str) -> Any:
        """What `docker inspect` says of the state of a service's container."""
        container = self("ps", "--all", "--quiet", service).strip()
        return json.loads(docker("inspect", "--format", "{{json .State}}", container))


@pytest.fixture(scope="module")
def image() -> str:
    """The image, built from this checkout."""
    for command in (["docker", "info"], ["docker", "compose", "version"], ["curl", "--version"]):
        found = shutil.which(command[0]) is not None
        if not found or subprocess.run(command, capture_output=True).returncode != 0:
            skip_or_fail(f"`{' '.join(command)}` does not work here")
    trusted = ["--secret", f"id=ca,src={CERTIFICATES}"] if CERTIFICATES.exists() else []
    docker("build", "--network=host", *trusted, "--tag", IMAGE, ".")
    return IMAGE


@pytest.fixture(scope="module")
def compose(image: str) -> Iterator[Compose]:
    """The project of docker-compose.yml, up and healthy."""
    project = Compose(
        f"rowcast-test-{uuid.uuid4().hex[:8]}",
        {
            "POSTGRES_PASSWORD": secrets.token_hex(16),
            "ROWCAST_SERVER_PASSWORD": secrets.token_hex(16),
            "ROWCAST_SECRET_KEY": secrets.token_hex(32),
            "ROWCAST_PUBLISHED_PORT": str(free_port()),
        },
    )
    try:
        project("up", "--wait", "--no-build", "--wait-timeout", "180")
        yield project
    finally:
        project("down", "--volumes", "--timeout", "20")


@pytest.fixture(scope="module")
def bearer(compose: Compose) -> str:
    """The header of an account that `rowcast user create` made in the container."""
    account = json.loads(
        compose("exec", "-T", "rowcast", "rowcast", "user", "create", "ada@example.org")
    )
    return f"Authorization: Bearer {account['accessToken']}"


@pytest.fixture(scope="module")
def workspace(compose: Compose, bearer: str) -> str:
    """The id of a new workspace of tasks."""
    body = json.dumps({"name": "Containers", "template": "tasks"})
    answer = curl(
        *("-X", "POST", f"{compose.url}/api/v1/workspaces", "-H", bearer),
        *("-H", "Content-Type: application/json", "-d", body),
    )
    return str(answer["id"])


def test_up_waits_until_all_is_healthy(compose: Compose) -> None:
    assert compose.state("postgres")["Health"]["Status"] == "healthy"
    assert compose.state("rowcast")["Health"]["Status"] == "healthy"
    migration = compose.state("migrate")
    assert (migration["Status"], migration["ExitCode"]) == ("exited", 0)


def test_the_curl_lines_of_atlas_work(compose: Compose, bearer: str, workspace: str) -> None:
    json_body = ("-H", "Content-Type: application/json", "-H", bearer)
    task = curl(
        *("-X", "POST", f"{compose.url}/api/tasks", *json_body),
        *("-d", f'{{"workspaceId":"{workspace}","data":{{"title":"Test","status":"todo"}}}}'),
    )
    with subprocess.Popen(
        ["curl", "-s", "-N", "-H", bearer, f"{compose.url}/api/tasks/{workspace}/events"],
        stdout=subprocess.PIPE,
        text=True,
    ) as stream:
        try:
            assert stream.stdout is not None
            lines = iter(stream.stdout)
            assert any(line.startswith("event: connected") for line in lines)
            patched = curl(
                *("-X", "PATCH", f"{compose.url}/api/tasks/{task['id']}", *json_body),
                *("-d", '{"patch":{"status":"done"}}'),
            )
            event = next(line for line in lines if "task_update" in line)
        finally:
            stream.kill()
    assert json.loads(event.removeprefix("data: "))["task"]["data"]["status"] == "done"
    page = curl(f"{compose.url}/api/tasks?workspaceId={workspace}&page=0", "-H", bearer)
    assert [task["data"] for task in page["tasks"]] == [{"title": "Test", "status": "done"}]
    assert (patched["displayId"], page["hasMore"]) == ("TSK-001-0001", False)


def test_without_a_token_nobody_gets_in(compose: Compose) -> None:
    with pytest.raises(AssertionError, match="unauthenticated"):
        curl(f"{compose.url}/api/v1/workspaces")


def test_the_server_runs_as_nobody_special_and_knows_no_administrator(compose: Compose) -> None:
    assert compose("exec", "-T", "rowcast", "id", "-u").strip() == "10001"
    variables = compose("exec", "-T", "rowcast", "env")
    assert compose.environment["POSTGRES_PASSWORD"] not in variables
    assert "ADMIN_DATABASE_URL" not in variables


def test_data_outlive_the_containers(compose: Compose, bearer: str, workspace: str) -> None:
    base = f"{compose.url}/api/v1/workspaces/{workspace}"
    path = f"{base}/records/TSK-001-0001/attachments"
    form = ("-F", f"file=@{ROOT / 'pyproject.toml'};type=application/json")
    file = curl("-X", "POST", path, "-H", bearer, *form)
    before = curl(f"{compose.url}/api/v1/workspaces/{workspace}/snapshot", "-H", bearer)
    compose("down", "--timeout", "20")
    compose("up", "--wait", "--no-build", "--wait-timeout", "180")
    after = curl(f"{compose.url}/api/v1/workspaces/{workspace}/snapshot", "-H", bearer)
    assert after == before
    command = ["curl", "-s", "--fail", f"{base}/attachments/{file['id']}", "-H", bearer]
    kept = subprocess.run(command, capture_output=True, timeout=30)
    assert kept.stdout == (ROOT / "pyproject.toml").read_bytes()


def test_stopping_is_clean(compose: Compose) -> None:
    compose("stop", "rowcast")
    assert compose.state("rowcast")["ExitCode"] == 0
    compose("start", "rowcast")


def test_the_image_holds_no_build_tools_and_no_secrets(image: str) -> None:
    tools = "for tool in gcc cc g++ make git cargo; do command -v $tool; done; true"
    assert docker("run", "--rm", "--entrypoint", "sh", image, "-c", tools) == ""
    leftovers = "ls -A /run/secrets /etc/pip.conf 2>/dev/null; true"
    assert docker("run", "--rm", "--entrypoint", "sh", image, "-c", leftovers) == ""


def test_without_secrets_compose_says_what_to_do(image: str) -> None:
    unset = {"POSTGRES_PASSWORD": "", "ROWCAST_SERVER_PASSWORD": "", "ROWCAST_SECRET_KEY": ""}
    with pytest.raises(AssertionError, match="run `make env`"):
        docker("compose", "config", "--quiet", **unset)
