"""How often one may ask, and from which address a request comes."""

import ipaddress

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rowcast.addresses import Proxies
from rowcast.app import Deployment
from rowcast.config import Settings
from rowcast.edge import Edge, take_address
from rowcast.limits import Limiter, limit_key
from rowcast.problems import Problem
from support import Client, Database, deployed, serving

V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).map(str)


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


def refused(limiter: Limiter, key: str) -> Problem | None:
    """The refusal of a request, if it is refused."""
    try:
        limiter.take(key)
    except Problem as problem:
        return problem
    return None


def allowed(limiter: Limiter, key: str, tries: int = 1000) -> int:
    """How many requests in a row are let through."""
    for done in range(tries):
        if refused(limiter, key) is not None:
            return done
    return tries


# The limiter


def test_a_burst_is_let_through_and_then_the_rate(clock: Clock) -> None:
    limiter = Limiter(rate=10, burst=30, clock=clock)
    assert allowed(limiter, "a") == 30
    clock.now += 1
    assert allowed(limiter, "a") == 10
    clock.now += 60
    assert allowed(limiter, "a") == 30


def test_one_key_does_not_use_up_anothers(clock: Clock) -> None:
    limiter = Limiter(rate=1, burst=3, clock=clock)
    assert [allowed(limiter, key) for key in ("a", "b", "a", "c")] == [3, 3, 0, 3]


def test_who_waits_as_long_as_it_says_is_let_through(clock: Clock) -> None:
    limiter = Limiter(rate=0.3, burst=2, clock=clock)
    waits = 0
    for _ in range(20):
        problem = refused(limiter, "a")
        if problem is not None:
            assert (problem.status, problem.code) == (429, "rate_limited")
            seconds = problem.headers["Retry-After"]
            assert seconds.isdecimal()
            assert 1 <= int(seconds) <= 4
            clock.now += int(seconds)
            limiter.take("a")
            waits += 1
    assert waits > 5


def test_refused_tries_do_not_make_the_wait_longer(clock: Clock) -> None:
    limiter = Limiter(rate=1, burst=1, clock=clock)
    limiter.take("a")
    for _ in range(100):
        assert allowed(limiter, "a") == 0
    clock.now += 1
    limiter.take("a")


def test_a_rate_of_nothing_is_no_limit(clock: Clock) -> None:
    limiter = Limiter(rate=0, clock=clock)
    assert allowed(limiter, "a") == 1000
    assert len(limiter) == 0


def test_however_many_keys_come_few_are_kept_and_the_recent_ones(clock: Clock) -> None:
    limiter = Limiter(rate=1, burst=1, keys=100, clock=clock)
    limiter.take("known")
    for number in range(10_000):
        limiter.take(f"key {number}")
        assert len(limiter) <= 200
        if number % 50 == 49:
            assert allowed(limiter, "known") == 0  # who goes on asking is not forgotten
    assert allowed(limiter, "key 9999") == 0
    assert allowed(limiter, "key 0") == 1


@given(
    st.floats(0.1, 1000),
    st.integers(1, 50),
    st.lists(st.floats(0, 2), min_size=1, max_size=200),
)
def test_no_stretch_of_time_has_more_than_burst_and_rate(
    rate: float, burst: int, gaps: list[float]
) -> None:
    clock = Clock()
    limiter = Limiter(rate=rate, burst=burst, clock=clock)
    passed: list[float] = []
    for gap in gaps:
        clock.now += gap
        if refused(limiter, "a") is None:
            passed.append(clock.now)
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - start) * rate + 0.51


def test_an_ipv6_network_counts_as_one() -> None:
    assert limit_key("2001:db8:1:2::1") == limit_key("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert limit_key("2001:db8:1:3::1") != limit_key("2001:db8:1:2::1")
    assert (limit_key("192.0.2.7"), limit_key("unknown")) == ("192.0.2.7", "unknown")
    assert limit_key("not:an:address") == "not:an:address"


# The address

TRUSTING = Proxies(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])


def test_without_proxies_the_peer_is_the_client_whatever_it_says() -> None:
    assert Proxies([]).client("198.51.100.9", ["203.0.113.5"]) == "198.51.100.9"
    assert Proxies([]).client("::ffff:198.51.100.9", []) == "198.51.100.9"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.9", ["203.0.113.5"], "198.51.100.9"),
        ("192.0.2.1", ["203.0.113.5"], "203.0.113.5"),
        ("192.0.2.2", ["203.0.113.5"], "192.0.2.2"),
        ("::ffff:192.0.2.1", ["203.0.113.5"], "203.0.113.5"),
        ("10.1.2.3", ["1.1.1.1, 203.0.113.5"], "203.0.113.5"),
        ("10.1.2.3", ["1.1.1.1", "203.0.113.5, 10.9.9.9"], "203.0.113.5"),
        ("10.1.2.3", ["1.1.1.1, 203.0.113.5", "2001:db8::7"], "203.0.113.5"),
        ("2001:db8::7", ["2a00:1450:0:0:0:0:0:1"], "2a00:1450::1"),
        ("10.1.2.3", ["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.5:49152"], "203.0.113.5"),
        ("10.1.2.3", ["[2a00:1450::1]:443"], "2a00:1450::1"),
        ("10.1.2.3", ["[2a00:1450::1]"], "2a00:1450::1"),
        ("10.1.2.3", ["::ffff:203.0.113.5"], "203.0.113.5"),
    ],
)
def test_the_client_is_the_rightmost_whom_no_trusted_proxy_is(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert TRUSTING.client(peer, forwarded) == client


@pytest.mark.parametrize(
    "hop",
    ["", " ", "unknown", "_hidden", "203.0.113", "203.0.113.5.6", "999.1.1.1", "1.2.3.4:port",
     "1.2.3.4:", "[::1", "::1]:80", "[::1]x", "fe80::1%eth0", "1.2.3.4\n", "<script>", "٣.1.1.1",
     "0x7f.1.1.1", "1.2.3.4; x", "\udcff", "9" * 5000, "10.0.0.0/8", "localhost"],
)  # fmt: skip
def test_what_is_no_address_is_not_believed_nor_what_stands_before_it(hop: str) -> None:
    assert TRUSTING.client("10.1.2.3", [hop]) == "10.1.2.3"
    assert TRUSTING.client("10.1.2.3", [f"203.0.113.5, {hop}"]) == "10.1.2.3"
    assert TRUSTING.client("10.1.2.3", [f"203.0.113.5, {hop}, 10.4.4.4"]) == "10.4.4.4"


@given(
    st.one_of(V4, V6, st.text(max_size=30)),
    st.lists(st.one_of(V4, V6, st.text(max_size=60)), max_size=5),
)
def test_whatever_is_forwarded_the_client_is_an_address_or_the_peer(
    peer: str, forwarded: list[str]
) -> None:
    client = TRUSTING.client(peer, forwarded)
    assert client == (peer or "unknown") or ipaddress.ip_address(client)


@given(
    V4.filter(lambda address: not address.startswith(("10.", "192.0.2.1"))), st.text(max_size=60)
)
def test_nobody_chooses_the_address_that_a_trusted_proxy_says(address: str, forged: str) -> None:
    assert TRUSTING.client("10.0.0.1", [forged, address]) == address
    assert TRUSTING.client("10.0.0.1", [f"{forged}, {address}"]) == address


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy.example.org", "10.0.0.1/8", "1.2.3"])
def test_a_proxy_that_is_no_address_stops_the_start(value: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(trusted_proxies=f"10.0.0.1,{value}")


@pytest.mark.parametrize(
    "value", ["*", "null", "https://*.example.org", "example.org", "https://a.example/path"]
)
def test_an_origin_that_is_none_stops_the_start(value: str) -> None:
    with pytest.raises(ValidationError, match="allowed_origins"):
        Settings(allowed_origins=f"https://a.example,{value}")


def test_settings_of_the_edge() -> None:
    settings = Settings(trusted_proxies=" 10.0.0.0/8, ::1 ,", allowed_origins="https://A.example/ ")
    assert settings.proxies == ("10.0.0.0/8", "::1")
    assert settings.origins == {"https://a.example"}
    assert Settings().proxies == ()
    with pytest.raises(ValidationError, match="rate_limit"):
        Settings(rate_limit=-1)


# Over HTTP


@pytest.fixture
def anonymous(client: Client) -> Client:
    """A client that says nothing of who it is, of a server yet to be started."""
    return Client(client.session, "", None)


def limited(database: Database, **edge: object) -> Deployment:
    """A server that lets three requests through, and then one in a thousand seconds."""
    return deployed(database, edge=Edge(rate=0.001, burst=3, **edge))  # type: ignore[arg-type]


async def test_who_does_not_say_who_he_is_is_limited_by_address(
    database: Database, anonymous: Client
) -> None:
    async with serving(limited(database)) as anonymous.url:
        for path in ("/health/live", "/nowhere"):
            assert (await anonymous.send("GET", path)).status in (200, 404)
        (await anonymous.send("GET", "/api/v1/workspaces")).problem(401)
        for method, path in (("GET", "/health/live"), ("GET", "/nowhere"), ("OPTIONS", "/")):
            reply = await anonymous.send(method, path)
            reply.problem(429, "rate_limited")
            assert 1 <= int(reply.headers["Retry-After"]) <= 1000
            assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_who_says_who_he_is_is_limited_by_account_not_by_address(
    database: Database, anonymous: Client
) -> None:
    async with serving(limited(database)) as url:
        for name in ("Ada", "Bob", "Cleo"):
            signed_in = Client(anonymous.session, url, database.token(name))
            for _ in range(3):
                assert (await signed_in.send("GET", "/api/v1/workspaces")).status == 200
            reply = await signed_in.send("GET", "/api/v1/workspaces")
            reply.problem(429, "rate_limited")
            assert int(reply.headers["Retry-After"]) >= 1


async def test_bad_credentials_are(database: Database, anonymous: Client) -> None:
    async with serving(limited(database)) as anonymous.url:
        replies = []
        for number in range(5):
            headers = {"Authorization": f"Bearer wrong-{number}"}
            replies.append(await anonymous.send("GET", "/api/v1/workspaces", headers=headers))
        assert [reply.status for reply in replies] == [401, 401, 401, 429, 429]
        good = {"Authorization": f"Bearer {database.token('Ada')}"}
        reply = await anonymous.send("GET", "/api/v1/workspaces", headers=good)
        assert reply.status == 200  # and nobody else of this address pays for it


async def test_behind_a_trusted_proxy_each_client_has_its_own_limit(
    database: Database, anonymous: Client
) -> None:
    async with serving(limited(database, proxies=("127.0.0.1",))) as anonymous.url:

        async def statuses(forwarded: str) -> list[int]:
            headers = {"X-Forwarded-For": forwarded}
            return [
                (await anonymous.send("GET", "/health/live", headers=headers)).status
                for _ in range(4)
            ]

        assert await statuses("203.0.113.5") == [200, 200, 200, 429]
        assert await statuses("203.0.113.6") == [200, 200, 200, 429]
        assert await statuses("9.9.9.9, 203.0.113.6") == [429] * 4
        assert await statuses("2a00:1450::1") == [200, 200, 200, 429]
        assert await statuses("2a00:1450::2") == [429] * 4
        assert await statuses("nonsense") == [200, 200, 200, 429]
        assert await statuses("other nonsense") == [429] * 4


async def test_without_a_trusted_proxy_what_is_forwarded_counts_nothing(
    database: Database, anonymous: Client
) -> None:
    async with serving(limited(database)) as anonymous.url:
        statuses = []
        for number in range(5):
            headers = {"X-Forwarded-For": f"203.0.113.{number}"}
            statuses.append((await anonymous.send("GET", "/health/live", headers=headers)).status)
        assert statuses == [200, 200, 200, 429, 429]


async def test_a_request_is_counted_by_address_only_once(
    database: Database, anonymous: Client
) -> None:
    @web.middleware
    async def again(request: web.Request, handler: object) -> web.StreamResponse:
        take_address(request)
        take_address(request)
        return web.Response()

    async with serving(limited(database), again) as anonymous.url:
        statuses = [(await anonymous.send("GET", "/x")).status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        headers = {"Cookie": "any=thing"}
        assert (await anonymous.send("GET", "/x", headers=headers)).status == 429
