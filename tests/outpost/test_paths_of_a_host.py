"""Several applications on one host: each has its paths, its cookie and its rules, and no spelling leads around them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.outpost.applications import Applications
from doorward.outpost.site import AmbiguousPath
from outpost.world import (
    PREFIX,
    Browser,
    World,
    identity,
    is_page,
    link_of,
    location,
    provider,
    request_of,
)

HOST = "app.example.test"


def at(pk: int, path: str, **changes: object) -> ProxyProvider:
    return provider(pk, f"{HOST}{path}", **changes)


def index(*paths: str) -> Applications:
    providers = [at(pk, path) for pk, path in enumerate(paths, 1)]
    return Applications(OutpostConfiguration(providers=tuple(providers)))


@pytest.fixture
def world() -> World:
    return World(at(1, ""), at(2, "/wiki"), at(3, "/wiki/admin"))


def owner(found: Applications, path: str) -> int | None:
    application = found.find(HOST, "https", path)
    return None if application is None else application.provider.pk


@pytest.mark.parametrize(
    ("path", "pk"),
    [
        ("/", 1), ("/x", 1), ("/wikix", 1), ("/wiki.html", 1), ("/x/wiki", 1), ("/wiki", 2), ("/wiki/", 2),
        ("/wiki/a%20b", 2), ("/wiki/a%2Fb", 2), ("/wiki/x;y=z/w", 2), ("/wiki/administration", 2),
        ("/wiki/admin", 3), ("/wiki/admin/x", 3), ("/wiki/x.y..z", 2), ("/wiki/50%25off", 2), ("/ü", 1),
    ],
)  # fmt: skip
def test_the_longest_prefix_wins(path: str, pk: int) -> None:
    """A prefix ends at a slash, and what is escaped behind it does not matter."""
    assert owner(index("", "/wiki", "/wiki/admin"), path) == pk


@pytest.mark.parametrize(
    "path",
    [
        "/%77iki", "/%2577iki/x", "/wiki%2fadmin", "/wiki/%61dmin/x", "//wiki/admin", "/wiki//admin", "/x/../wiki",
        "/wiki/../x", "/wiki/%2e%2e/x", "/wiki/..;/x", "/wiki/..;a=b/", "/wiki/./admin", "/wiki;x/admin", "/wiki;x",
        "/wiki\\admin", "/wiki%5cadmin", "/WIKI", "/wiki/Admin/x", "/wiki./x", "/wiki/admin%20", "/wiki/admin%2e/x",
        "/x/%2e%2e%2fwiki", "/%252525252577iki", "/wiki/%C5%BFx/..", "/;/wiki", "/wiki/\uff41dmin", "/a/.%2e/wiki",
    ],
)  # fmt: skip
def test_a_path_that_could_be_another_applications(path: str) -> None:
    """Where any server behind us could go elsewhere, nobody's rules are applied: it is refused."""
    with pytest.raises(AmbiguousPath):
        owner(index("", "/wiki", "/wiki/admin"), path)


def test_a_very_long_path_takes_no_time() -> None:
    """Thousands of slashes, dots and percent signs are looked at once."""  # S-234
    found = index("", "/wiki")
    for path in ("/" * 8000, "/%2e%2e" * 1100, "/a." * 2600 + "%", "/" + "a" * 8000 + "."):
        try:
            assert owner(found, path) in (1, None)
        except AmbiguousPath:
            pass


def test_only_prefixes() -> None:
    """Where nobody has the root, other paths are nobody's; a lone application has its whole host, as ever."""
    both = index("/wiki", "/shop")
    assert [owner(both, path) for path in ("/wiki/x", "/shop", "/", "/other")] == [1, 2, None, None]
    assert owner(index("/wiki"), "/other") == 1


def test_collisions(caplog: pytest.LogCaptureFixture) -> None:
    """One path twice, also in another case: the older provider keeps it."""
    found = index("/wiki", "/Wiki")
    assert owner(found, "/wiki") == 1
    assert "already has the external host https://app.example.test/Wiki" in caplog.text


@pytest.mark.parametrize("path", ["/a%20b", "/a;b", "/a/../b", "/a//b", "/a./b"])
def test_a_prefix_that_cannot_be_trusted(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is not served."""
    assert owner(index("", path), "/x") == 1
    assert "could be read in more than one way" in caplog.text


async def test_each_has_its_own_login_and_cookie(world: World) -> None:
    """Being logged in to one says nothing about the next, and their cookies do not replace each other."""
    browser = world.browser()
    for count, path in enumerate(("/x", "/wiki/x", "/wiki/admin/x"), 1):
        asked = await browser.get(path)
        assert request_of(asked)["client_id"].startswith(f"client-{count}-")
        assert location(await browser.get(browser.callback(asked))) == f"https://{HOST}{path}"
        assert len(browser.cookies) == count
    for count, path in enumerate(("/x", "/wiki/x", "/wiki/admin/x"), 1):
        assert identity(await browser.get(path))["X-authentik-meta-provider"] == f"Provider {count}"


@pytest.mark.parametrize("dialect", ["traefik", "caddy", "nginx", "envoy"])
async def test_ambiguous_paths_are_refused(world: World, dialect: str) -> None:
    """Through every proxy, logged in or not."""
    browser = world.browser()
    await browser.log_in()
    browser.dialect = dialect
    assert (await browser.get("/wiki/%61dmin/x")).status == 403
    assert (await browser.get("/x/../wiki/x")).status == 403


async def test_the_callback_below_the_prefix(world: World) -> None:
    """That is where the identity provider sends the browser, so it comes through the application's own route."""
    browser = world.browser()
    asked = await browser.get("/wiki/x")
    assert browser.callback(asked).startswith(f"/wiki{PREFIX}/callback?X-authentik-auth-callback=true&")
    assert (await browser.get(browser.callback(asked))).status == 302
    assert (await browser.get("/wiki/x")).status == 200


async def test_the_callback_at_the_root(world: World) -> None:
    """Where all endpoints have one location, the state tells whose login it is."""
    browser = world.browser()
    asked = await browser.get("/wiki/x")
    at_root = browser.callback(asked).removeprefix("/wiki")
    assert location(await browser.direct(at_root)) == f"https://{HOST}/wiki/x"
    assert (await browser.get("/wiki/x")).status == 200
    assert (await browser.get("/x")).status == 302


async def test_a_state_counts_for_its_application_only(world: World) -> None:
    """Below another application's prefix the same state completes nothing there."""
    browser = world.browser()
    asked = await browser.get("/x")
    moved = browser.callback(asked).replace(PREFIX, f"/wiki{PREFIX}")
    await browser.get(moved)
    assert (await browser.get("/wiki/x")).status == 302


@pytest.mark.parametrize("under", ["", "/wiki"])
@pytest.mark.parametrize("rd", ["/wiki/x", f"https://{HOST}/wiki/x?y"])
async def test_start_goes_by_where_it_ends(world: World, under: str, rd: str) -> None:
    """nginx has one ``start`` for all; the page that is wanted says which login is needed."""
    browser = world.browser()
    started = await browser.direct(f"{under}{PREFIX}/start?rd={quote(rd, safe='')}")
    assert request_of(started)["client_id"].startswith("client-2-")
    assert location(await browser.direct(browser.callback(started))).startswith(f"https://{HOST}/wiki/x")


async def test_start_with_an_ambiguous_end(world: World) -> None:
    """It begins the login that was asked for and does not guess."""
    started = await world.browser().direct(f"{PREFIX}/start?rd=/wiki/%2561dmin")
    assert request_of(started)["client_id"].startswith("client-1-")


async def test_endpoints_where_nobody_has_the_root() -> None:
    """They answer at the root as well, for whomever the request means."""
    world = World(at(1, "/shop"), at(2, "/wiki"))
    browser = world.browser()
    browser.dialect = "nginx"
    assert (await browser.get("/wiki/x")).status == 401
    assert (await browser.get(f"{PREFIX}/start")).status == 200
    started = await browser.direct(f"{PREFIX}/start?rd=https://{HOST}/wiki/x")
    assert request_of(started)["client_id"].startswith("client-2-")
    done = await browser.direct(browser.callback(started).removeprefix("/wiki"))
    assert location(done) == f"https://{HOST}/wiki/x"
    assert (await browser.get("/wiki/x")).status == 200
    signed_out = location(await browser.direct(f"{PREFIX}/sign_out"))
    assert "/application/o/app-example-test-wiki/end-session/" in signed_out
    assert is_page(await browser.direct(f"{PREFIX}/sign_out"), 200, "You are signed out")


async def test_sign_out_below_the_prefix(world: World) -> None:
    """It is answered on every path, and leads back to the application it was asked at."""
    browser: Browser = world.browser()
    await browser.log_in("/wiki/x")
    answer = await browser.get(f"/wiki{PREFIX}/sign_out")
    assert "/application/o/app-example-test-wiki/end-session/" in location(answer)
    assert link_of(await browser.get(f"/wiki{PREFIX}/sign_out")) == "/wiki"


@pytest.mark.parametrize("path", ["", "/", "/x", "/auth/traefik", "/start/"])
async def test_our_prefix_below_the_prefix(world: World, path: str) -> None:
    """Nothing there is the application's."""  # S-236
    browser = world.browser()
    await browser.log_in("/wiki/x")
    assert (await browser.get(f"/wiki{PREFIX}{path}")).status == 404
    browser.dialect = "nginx"
    assert (await browser.get(f"/wiki{PREFIX}{path}")).status == 403


async def test_skip_rules_of_a_part(world: World) -> None:
    """A rule opens paths of its own application, never of the one below."""
    world.use(at(1, "", skip_path_regex="admin|^/public"), at(2, "/wiki"), at(3, "/wiki/admin"))
    browser = world.browser()
    assert (await browser.get("/public")).status == 200
    assert (await browser.get("/wiki/public")).status == 302
    assert (await browser.get("/wiki/admin/x")).status == 302
    assert (await browser.get("/administrator")).status == 200


@pytest.mark.parametrize("hosts", [("/wiki",), ("", "/wiki")])
async def test_what_passed_is_looked_at_again(hosts: tuple[str, ...]) -> None:
    """Where our endpoints or another application may lie below the same host, no pass is carried on unseen."""
    world = World(*[at(pk, path) for pk, path in enumerate(hosts, 1)])
    browser = world.browser()
    browser.fused = True
    await browser.log_in("/wiki/x")
    answer = await browser.get("/wiki/x")
    assert answer.status == 200
    assert not world.outpost.still_passes(answer, f"/wiki{PREFIX}/sign_out".encode(), None)
    assert not world.outpost.still_passes(answer, b"/other", None)
