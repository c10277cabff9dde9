"""What a page of another origin can make a browser do here: nothing.

A browser sends the cookie along, says the page's Origin with every write, and shows an answer to
the page only where CORS lets it. Also: redirects.
"""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest

from attacks.conftest import TRUSTED
from attacks.endpoints import ENDPOINTS, Wanted, request
from attacks.sending import Sender
from attacks.stage import PASSWORD, Builder, Stage
from rowcast import models
from rowcast.app import Deployment
from rowcast.demo import SampleUser
from support import Database, deployed, serving

LOGIN = "/api/v1/auth/login"
ME = "/api/v1/me"
UNSAFE = [endpoint for endpoint in ENDPOINTS if endpoint.method != "GET"]
# What needs a secret in the body, or none at all, and looks at no cookie.
WITHOUT_COOKIE = {
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/verify-email",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/password-reset",
    "POST /api/v1/auth/password-reset/confirm",
}
SIGNS_IN = {
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/demo",
    "POST /api/v1/invitations/accept",
}
FORMS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/plain; application/json",
    "text/plain;charset=application/json",
    "application/json2",
)
BY_COOKIE = [endpoint for endpoint in UNSAFE if str(endpoint) not in WITHOUT_COOKIE | SIGNS_IN]


def foreign(url: str) -> list[str]:
    """Origins that are not ours, though some look like it."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    assert port is not None
    return [
        "https://evil.example",
        "null",
        "",
        "*",
        f"http://{host}:{port + 1}",
        f"http://{host}",
        f"http://{host}:{port}0",
        f"http://{host}:{port}.evil.example",
        f"http://evil.example:{port}",
        f"http://{host}.evil.example:{port}",
        f"http://evil.example/{host}:{port}",
        f"http://{host}:{port}@evil.example",
        f"http://evil.example#{host}:{port}",
        f"http://evil.example?{host}:{port}",
        f"http://localhost:{port}",
        f"http://{host}:{port}/",
        f"http://{host}:{port} http://evil.example",
        f"ftp://{host}:{port}",
        f"{host}:{port}",
        f"//{host}:{port}",
        f"chrome-extension://{host}:{port}",
        TRUSTED + ".evil.example",
        TRUSTED.replace("https", "http"),
        TRUSTED + ":444",
        TRUSTED + "/",
        TRUSTED.replace("app.", "app-"),
        TRUSTED.replace("app.", ""),
    ]


def by_cookie(wanted: Wanted, stage: Stage, **headers: str) -> Wanted:
    """A request as a browser sends it that is signed in by cookie."""
    return Wanted(
        wanted.method,
        wanted.path,
        wanted.variables,
        wanted.query,
        # with the refresh token in the body logging out needs no cookie
        {} if wanted.path.endswith("/logout") else wanted.body,
        wanted.text,
        {"Cookie": f"rowcast_session={stage.cookie}", **headers},
    )


async def test_a_write_by_cookie_from_a_foreign_page_is_403_and_changes_nothing(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    assert len(BY_COOKIE) > 20
    before = builder.tables()
    for endpoint in BY_COOKIE:
        wanted = request(endpoint, stage)
        reply = await sender.want(by_cookie(wanted, stage))
        reply.problem(403, "foreign_origin")
        for origin in foreign(sender.url):
            reply = await sender.want(by_cookie(wanted, stage, Origin=origin))
            reply.problem(403, "foreign_origin")
            assert not [name for name in reply.headers if name.startswith("Access-Control")]
    assert builder.tables() == before
    for endpoint in BY_COOKIE:
        for origin in (sender.url, TRUSTED):
            stage = builder.stage()
            reply = await sender.want(by_cookie(request(endpoint, stage), stage, Origin=origin))
            refused = str(endpoint) == f"DELETE {ME}" or endpoint.path.endswith("/redo")
            assert reply.status == 409 if refused else reply.status < 300, reply.text


async def test_nothing_stands_in_for_the_origin(sender: Sender, stage: Stage) -> None:
    """A Referer of ours, a forwarded host or a header of AJAX libraries is no Origin."""
    cookie = f"rowcast_session={stage.cookie}"
    for headers in (
        {"Referer": sender.url + "/"},
        {"Origin": "http://evil.example", "X_Forwarded_Host": "evil.example"},
        {"X_Requested_With": "XMLHttpRequest", "Sec_Fetch_Site": "same-origin"},
    ):
        reply = await sender.send("PATCH", ME, {"name": "X"}, Cookie=cookie, **headers)
        reply.problem(403, "foreign_origin")
    # nor does another method, said by a header or in the address
    for path in (f"{ME}?_method=DELETE", ME):
        reply = await sender.send("GET", path, Cookie=cookie, X_HTTP_Method_Override="DELETE")
        assert reply.status in (200, 422)
    assert (await sender.send("GET", ME, Cookie=cookie)).status == 200


async def test_what_a_form_can_send_is_no_request(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    """A form of a foreign page asks nobody beforehand; so none of its content types is read."""
    before = builder.tables()
    for endpoint in UNSAFE:
        wanted = request(endpoint, stage)
        path = wanted.path
        for name, value in wanted.variables.items():
            path = path.replace(f"{{{name}}}", value)
        for kind in FORMS if endpoint.body is not None else ():
            login = {"Authorization": f"Bearer {stage.access}"}
            reply = await sender.send(
                endpoint.method, path, wanted.body, Content_Type=kind, Origin=sender.url, **login
            )
            reply.problem(415, "unsupported_media_type")
    assert builder.tables() == before


async def test_a_foreign_page_may_ask_for_nothing_and_read_nothing(
    sender: Sender, stage: Stage
) -> None:
    for endpoint in ENDPOINTS:
        wanted = request(endpoint, stage)
        for origin in ("https://evil.example", "null"):
            headers = {"Origin": origin, "Access-Control-Request-Method": endpoint.method}
            preflight = Wanted("OPTIONS", wanted.path, wanted.variables, {}, headers=headers)
            reply = await sender.want(preflight)
            assert reply.status >= 400
            assert not [name for name in reply.headers if name.startswith("Access-Control")]
            if endpoint.method == "GET":
                reply = await sender.want(by_cookie(wanted, stage, Origin=origin))
                assert not [name for name in reply.headers if name.startswith("Access-Control")]
                assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_read_changes_nothing(sender: Sender, builder: Builder, stage: Stage) -> None:
    """Every GET, by cookie and by token: no table changes. (A ticket that is used is used up.)"""
    reads = [endpoint for endpoint in ENDPOINTS if endpoint.method == "GET"]
    assert len(reads) > 15
    before = builder.tables()
    for endpoint in reads:
        wanted = request(endpoint, stage)
        for asked in (wanted, by_cookie(wanted, stage), by_cookie(wanted, stage, Origin="null")):
            reply = await sender.want(asked)
            assert reply.status < 300 or endpoint.path.endswith("/demo"), reply.text
            assert builder.tables() == before, endpoint


async def test_no_answer_is_a_redirect(sender: Sender, builder: Builder, stage: Stage) -> None:
    """Nor says anything that was sent where a browser would go to."""
    evil = "https://evil.example/x"
    for endpoint in ENDPOINTS:
        wanted = request(endpoint, builder.stage())
        extra = dict.fromkeys(("next", "return", "returnTo", "redirect_uri", "url"), evil)
        for asked in (
            wanted,
            Wanted(wanted.method, wanted.path, wanted.variables, extra, wanted.body,
                   wanted.text, wanted.headers),
            Wanted(wanted.method, wanted.path + "/", wanted.variables, {}, headers=wanted.headers),
            Wanted(wanted.method, "/" + wanted.path, wanted.variables, {}, headers=wanted.headers),
            Wanted(wanted.method, "//evil.example/..", {}, {}, headers={"Host": "evil.example"}),
        ):  # fmt: skip
            reply = await sender.want(asked)
            assert not 300 <= reply.status < 400, (str(endpoint), asked)
            for name in ("Location", "Refresh", "Content-Location", "Link"):
                assert name not in reply.headers
            assert all("evil.example" not in value for value in reply.headers.values())


async def test_a_foreign_page_signs_nobody_in(sender: Sender, stage: Stage) -> None:
    """Login CSRF: the browser would go on as the attacker."""
    accept = {"token": stage.invitation_token, "name": "X", "password": PASSWORD}
    for origin in foreign(sender.url):
        reply = await sender.send(
            "POST", LOGIN, {"email": stage.email, "password": PASSWORD}, Origin=origin
        )
        reply.problem(403, "foreign_origin")
        assert "Set-Cookie" not in reply.headers
        reply = await sender.send("POST", "/api/v1/invitations/accept", accept, Origin=origin)
        reply.problem(403, "foreign_origin")
        assert "Set-Cookie" not in reply.headers
    reply = await sender.send(
        "POST", LOGIN, {"email": stage.email, "password": PASSWORD}, Origin=sender.url
    )
    assert reply.status == 200


async def test_a_refresh_answers_tokens_and_sets_no_cookie(sender: Sender, stage: Stage) -> None:
    """So a foreign page that has a token of its own can't sign a browser in by it."""
    reply = await sender.send(
        "POST", "/api/v1/auth/refresh", {"refreshToken": stage.refresh},
        User_Agent="attacks/1", Origin="https://evil.example",
    )  # fmt: skip
    assert reply.status == 200
    assert "Set-Cookie" not in reply.headers


# Demo mode


@pytest.fixture
async def demo(
    database: Database, builder: Builder, stage: Stage, session: aiohttp.ClientSession
) -> AsyncIterator[Sender]:
    """A server in demo mode: the stage's owner acts without credentials."""
    async with serving(demo_deployment(database, stage)) as url:
        yield Sender(session, url)


def demo_deployment(database: Database, stage: Stage) -> Deployment:
    """A deployment in demo mode, with one sample user."""
    user = SampleUser(stage.email, "Sam", "owner")
    return deployed(database, demo_account=stage.account, demo_users=(user,))


async def test_a_name_pointed_at_this_machine_gets_nothing_of_the_demo(
    demo: Sender, builder: Builder, stage: Stage
) -> None:
    """DNS rebinding: to the browser, page and server are of one origin; the Host gives it away."""
    port = urlsplit(demo.url).port
    name = f"evil.example:{port}"
    before = builder.tables()
    for endpoint in UNSAFE:
        if str(endpoint) in WITHOUT_COOKIE or endpoint.path.endswith("/logout"):
            continue
        wanted = request(endpoint, stage)
        if endpoint.body is models.Acceptance:
            wanted = Wanted("POST", wanted.path, {}, {}, {"token": stage.invitation_token})
        for headers in (
            {"Host": name, "Origin": f"http://{name}"},
            {"Host": name},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
        ):
            asked = Wanted(wanted.method, wanted.path, wanted.variables, wanted.query, wanted.body,
                           wanted.text, headers)  # fmt: skip
            reply = await demo.want(asked)
            assert reply.status == 403, (str(endpoint), headers, reply.text)
            assert reply.json["code"] in ("foreign_host", "foreign_origin")
    assert builder.tables() == before
    reply = await demo.send("GET", ME, Host=name)
    reply.problem(403, "foreign_host")
    assert (await demo.send("GET", ME)).json["id"] == stage.account
    reply = await demo.send("POST", "/api/v1/auth/demo", {"email": stage.email}, Origin=demo.url)
    assert reply.status == 200
