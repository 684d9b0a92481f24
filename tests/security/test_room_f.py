"""Room F: login flows. Nobody is logged in by another's wish, nor learns who exists, nor guesses a password."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode, urljoin

import pytest

from peers.questions import Answer, ask
from security.invariants import cpu_seconds
from security.stage import BOB, Stage
from security.visitor import Visitor, form_of

pytestmark = pytest.mark.timeout(90)
FLOW = "/if/flow/default-authentication-flow/"
EXECUTOR = "/api/v3/flows/executor/default-authentication-flow/?query="
ME = "/api/v3/core/users/me/"
LOGIN = "__Host-doorward_login"


def from_address(stage: Stage, address: str) -> Elsewhere:
    return Elsewhere(stage, address)


class Elsewhere(Visitor):
    """A browser behind a trusted proxy, at an address of its own: address limits of other tests do not meet it."""

    def __init__(self, stage: Stage, address: str) -> None:
        super().__init__(stage.certificate)
        self.stage, self.address = stage, address

    def send(self, method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Answer:
        stage = self.stage
        jar = self.cookies.setdefault("auth.example.test", {})
        path = url.removeprefix(stage.url("auth"))
        fields = [
            ("Host", stage.host("auth").decode()),
            ("X-Forwarded-For", self.address),
            ("X-Forwarded-Proto", "https"),
            *headers,
        ]
        if not any(name.lower() == "accept" for name, _ in headers):
            fields.append(("Accept", "text/html"))
        if jar:
            fields.append(("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())))
        answer = ask(f"http://127.0.0.1:{stage.trusting_port}{path}", method=method, headers=fields, body=body)
        for line in answer.all("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            jar[name] = value
        return answer


def try_password(browser: Visitor, stage: Stage, username: str, password: str) -> Answer:
    """A fresh login with this name and password: the last answer."""
    url = stage.url("auth") + FLOW
    browser.cookies.clear()
    page = browser.get(url)
    _, page = browser.submit(url, page, uid_field=username)
    if 'name="password"' not in page.text:
        return page
    action, fields = form_of(page)
    fields["password"] = password
    answer = browser.send(
        "POST",
        urljoin(url, action),
        (("Origin", stage.url("auth")), ("Content-Type", "application/x-www-form-urlencoded")),
        urlencode(fields).encode(),
    )
    return browser.follow(url, answer)[1] if answer.one("Location").startswith("/if/flow") else answer


def is_logged_in(browser: Visitor, stage: Stage) -> bool:
    return browser.get(stage.url("auth") + ME, ("Accept", "application/json")).status == 200


def bare(page: Answer, *names: str) -> str:
    """A page without what must differ: tokens, ids and the name that was typed."""
    import re

    text = re.sub(r'value="[^"]*"|[0-9a-f]{32}|[A-Za-z0-9_-]{40,}', "", page.text)
    for name in names:
        text = text.replace(name, "NAME")
    return text


# --- the order of a flow ------------------------------------------------------------------------------------------


def test_no_stage_is_passed_but_by_its_own_answer(stage: Stage) -> None:
    """A password before a name, an empty form, an earlier page again, a made-up step: still nobody."""
    # S-501
    url = stage.url("auth") + FLOW
    for values in (
        {"password": BOB, "uid_field": "bob"},
        {"component": "ak-stage-password", "password": BOB},
        {},
        {"step": "forged", "uid_field": "bob", "password": BOB},
        {"component": "ak-stage-user-login", "remember_me": "true"},
    ):
        browser = from_address(stage, "198.51.100.1")
        browser.submit(url, browser.get(url), **values)
        assert not is_logged_in(browser, stage), values
    browser = from_address(stage, "198.51.100.1")
    page = browser.get(url)
    first = form_of(page)[1]
    _, page = browser.submit(url, page, uid_field="bob")
    assert 'name="password"' in page.text
    fields = {**first, "uid_field": "akadmin"}
    browser.send(
        "POST",
        url,
        (("Origin", stage.url("auth")), ("Content-Type", "application/x-www-form-urlencoded")),
        urlencode(fields).encode(),
    )
    page = browser.get(url)
    assert "akadmin" not in page.text
    assert not is_logged_in(browser, stage)


def test_two_tabs_do_not_mix_their_people(stage: Stage) -> None:
    """The pending user of one destination never appears on the way to another."""
    # S-503
    browser = from_address(stage, "198.51.100.2")
    one, two = (f"{stage.url('auth')}{FLOW}?next={quote(path)}" for path in ("/if/user/", "/if/admin/"))
    browser.submit(one, browser.get(one), uid_field="akadmin")
    page = browser.get(two)

    assert "akadmin" not in page.text
    assert 'name="uid_field"' in page.text


# --- who exists ---------------------------------------------------------------------------------------------------


@pytest.fixture
def cast(stage: Stage) -> dict[str, str]:
    """People of every kind, by what they are."""
    stamp = str(time.monotonic_ns())
    api = stage.api
    disabled = api.person(f"disabled-{stamp}", BOB)
    api.patch(f"/core/users/{disabled['pk']}/", is_active=False)
    api.post("/core/users/", username=f"without-{stamp}", name="Without")
    api.person(f"locked-{stamp}", BOB)
    api.person(f"present-{stamp}", BOB)
    return {kind: f"{kind}-{stamp}" for kind in ("present", "disabled", "without", "locked", "unknown")}


def test_nobody_learns_who_exists(stage: Stage, cast: dict[str, str]) -> None:
    """Unknown, wrong, disabled, locked, without a password: the same pages and the same time."""
    # S-504, CVE-2024-39329
    locker = from_address(stage, "198.51.100.10")
    for _ in range(6):
        try_password(locker, stage, cast["locked"], "wrong-password")
    answers: dict[str, Answer] = {}
    used: dict[str, list[float]] = {kind: [] for kind in cast}
    for turn in range(5):
        for kind, username in cast.items():
            browser = from_address(stage, f"198.51.101.{20 + turn}")
            before = cpu_seconds(stage.program.pid)
            answers[kind] = try_password(browser, stage, username, "wrong-password")
            used[kind].append(cpu_seconds(stage.program.pid) - before)
    pages = {bare(answer, cast[kind]) for kind, answer in answers.items()}
    assert len(pages) == 1, pages
    assert {answer.status for answer in answers.values()} == {200}
    # Work done, not time passed: the machine may be busy. The least of each is without anybody else's share.
    least = {kind: min(seconds) for kind, seconds in used.items()}
    assert max(least.values()) < 1.2 * min(least.values()), least
    assert min(least.values()) > 0.01, "a hash is computed for everybody"


def test_the_right_password_opens_none_of_them(stage: Stage, cast: dict[str, str]) -> None:
    """Disabled and locked people stay outside with it, and are told what a stranger is told."""
    # S-504, S-506, S-524
    locker = from_address(stage, "198.51.100.11")
    for _ in range(6):
        try_password(locker, stage, cast["locked"], "wrong-password")
    for kind in ("locked", "disabled", "unknown", "without"):
        browser = from_address(stage, "198.51.100.12")
        try_password(browser, stage, cast[kind], BOB)
        assert not is_logged_in(browser, stage), kind
    browser = from_address(stage, "198.51.100.12")
    try_password(browser, stage, cast["present"], BOB)
    assert is_logged_in(browser, stage)


# --- how often one may guess --------------------------------------------------------------------------------------


def test_guesses_in_parallel_are_counted_before_they_are_judged(stage: Stage, cast: dict[str, str]) -> None:
    """Forty wrong ones at once use up the account: the right one directly behind them is not looked at."""
    # S-506, CVE-2024-4629
    username = cast["present"]

    def guess(number: int) -> None:
        browser = from_address(stage, f"203.0.113.{number}")
        try_password(browser, stage, username, "wrong-password")

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(guess, range(1, 41)))
    browser = from_address(stage, "203.0.113.100")
    answer = try_password(browser, stage, username, BOB)
    assert not is_logged_in(browser, stage)
    assert "Invalid password" in answer.text


def test_spelling_a_name_differently_buys_no_more_guesses(stage: Stage, cast: dict[str, str]) -> None:
    """Case, full-width letters, the mail address and the API's door are one account."""
    # S-507, CVE-2025-24806
    username = cast["present"]
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isalpha() else letter for letter in username)
    person = stage.api.first("/core/users/", username=username)
    stage.api.patch(f"/core/users/{person['pk']}/", email=f"{username}@example.test")
    for spelling in (username.upper(), username.title(), wide, f"{username}@example.test", f" {username} "):
        browser = from_address(stage, "203.0.113.110")
        answer = try_password(browser, stage, spelling, "wrong-password")
        assert "Invalid password" in answer.text
    browser = from_address(stage, "203.0.113.111")
    try_password(browser, stage, username, BOB)
    assert not is_logged_in(browser, stage)


def test_an_address_has_its_limit_whatever_it_says_about_itself(stage: Stage) -> None:
    """Thirty failures from one peer that nobody vouches for, each with another X-Forwarded-For: then 429."""
    # S-508, GHSA-9g5q-2w5x-hmxf
    browser = from_address(stage, "203.0.113.120")
    url = stage.url("auth") + FLOW
    for number in range(34):
        browser.cookies.clear()
        more = (
            ("X-Real-Ip", f"6.6.6.{number}"),
            ("Forwarded", f"for=6.6.6.{number}"),
            ("X-Client-Ip", f"6.6.6.{number}"),
        )
        page = browser.get(url)
        _, page = browser.submit(url, page, uid_field=f"nobody-{number}")
        action, fields = form_of(page)
        fields["password"] = "wrong-password"
        answer = browser.send(
            "POST",
            urljoin(url, action),
            (("Origin", stage.url("auth")), ("Content-Type", "application/x-www-form-urlencoded"), *more),
            urlencode(fields).encode(),
        )
    assert answer.status == 429
    assert stage.ask("auth", b"X-Forwarded-For: 203.0.113.120", target=FLOW.encode()).status == 200


@pytest.mark.parametrize(
    ("password", "status"),
    [("x" * 1_000_000, 400), ("x" * 1025, 400), ("ä" * 2049, 400), ("a\x00b", 400), ("x" * 1_100_000, 413)],
)
def test_what_is_too_long_is_never_hashed(stage: Stage, password: str, status: int) -> None:
    """Refused at once, before any work."""
    # S-505, CVE-2013-1443
    browser = from_address(stage, "198.51.100.30")
    url = stage.url("auth") + FLOW
    _, page = browser.submit(url, browser.get(url), uid_field="bob")
    action, fields = form_of(page)
    fields["password"] = password
    begun = time.perf_counter()
    answer = browser.send(
        "POST",
        urljoin(url, action),
        (("Origin", stage.url("auth")), ("Content-Type", "application/x-www-form-urlencoded")),
        urlencode(fields).encode(),
    )
    assert answer.status == status
    assert time.perf_counter() - begun < 1.0


def test_passwords_differ_to_their_last_character(stage: Stage) -> None:
    """Eighty characters that are equal up to the 72nd are two passwords."""
    # S-505
    username = f"long-{time.monotonic_ns()}"
    long = ("tangerine-Quay-84-lantern-moss-" * 3)[:79]
    stage.api.person(username, long + "b")
    browser = from_address(stage, "198.51.100.31")
    try_password(browser, stage, username, long + "c")
    assert not is_logged_in(browser, stage)
    try_password(browser, stage, username, long + "b")
    assert is_logged_in(browser, stage)


# --- the session --------------------------------------------------------------------------------------------------


def test_the_session_changes_its_id_at_login(stage: Stage) -> None:
    """The value from before is dead, whoever planted it; and one from nowhere is never adopted."""
    # S-527, CVE-2024-28197
    browser = stage.visitor()
    url = stage.url("auth") + FLOW
    browser.cookies["auth.example.test"] = {LOGIN: "forged-session-value-0123456789abcdef"}
    page = browser.get(url)
    before = browser.cookies["auth.example.test"][LOGIN]
    assert before != "forged-session-value-0123456789abcdef"
    place, page = browser.submit(url, page, uid_field="bob")
    browser.submit(place, page, password=BOB)
    after = browser.cookies["auth.example.test"][LOGIN]
    stage.secrets.add(after)

    assert after != before
    assert _me(stage, f"{LOGIN}={after}") == 200
    assert _me(stage, f"{LOGIN}={before}") == 403


def _me(stage: Stage, cookie: str) -> int:
    """What asking who one is gives, with a ``Cookie`` field as it is."""
    return stage.ask("auth", b"Cookie: " + cookie.encode(), target=ME.encode()).status


def test_a_sibling_host_cannot_plant_a_login(stage: Stage) -> None:
    """What no browser lets it set as ``__Host-…`` it cannot set in a spelling that we would read as that."""
    # S-313, S-315, GHSA-px8h-6qxv-m22q
    _, value = stage.known().cookie("auth.example.test", LOGIN)
    assert _me(stage, f"{LOGIN}={value}") == 200
    for planted in (
        f"\u2000{LOGIN}={value}",
        f"\u00a0{LOGIN}={value}",
        f"{LOGIN}\u00a0={value}",
        f"\u0085{LOGIN}={value}",
        f"={LOGIN}={value}",
        f"\ufeff{LOGIN}={value}",
        f"{LOGIN.lower()}={value}",
        f"{LOGIN.upper()}={value}",
        f'"{LOGIN}"={value}',
        f"doorward_login={value}",
        f"\u3000{LOGIN}={value}",
        f"{LOGIN}=mine; {LOGIN}={value}",
        f"{LOGIN}={value}; {LOGIN}=mine",
        f"{LOGIN}={value}; \u2003{LOGIN}=x; {LOGIN}=y",
    ):
        assert _me(stage, planted) == 403, planted
    mine = stage.known("bob").cookie("auth.example.test", LOGIN)[1]
    answer = stage.ask("auth", b"Cookie: " + f"{LOGIN}={mine}; \u2000{LOGIN}={value}".encode(), target=ME.encode())
    assert b'"username":"bob"' in answer.body


def test_a_new_password_ends_the_other_logins(stage: Stage) -> None:
    """Whoever stole a session loses it."""
    # S-520
    username = f"changing-{time.monotonic_ns()}"
    person = stage.api.person(username, BOB)
    browser = from_address(stage, "198.51.100.40")
    try_password(browser, stage, username, BOB)
    assert is_logged_in(browser, stage)
    stage.api.post(f"/core/users/{person['pk']}/set_password/", password=BOB + "2")
    assert not is_logged_in(browser, stage)


# --- whose wish it is ---------------------------------------------------------------------------------------------

ORIGINS = [
    (("Origin", "https://evil.test"),),
    (("Origin", "null"),),
    (("Origin", "https://evil.example.test"),),
    (("Origin", "https://auth.example.test"),),
    (),
    (("Referer", "https://evil.test/auth.example.test"),),
    (("Origin", "https://auth.example.test.evil.test"),),
    (("Origin", ""),),
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_form_of_another_site_does_nothing(stage: Stage, origin: tuple[tuple[str, str], ...]) -> None:
    """Login, logout and the API: 403 for another origin, for ``null``, and for a form without our token."""
    # S-528, S-609, CVE-2025-24358
    browser = stage.known()
    auth = stage.url("auth")
    csrf = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in (FLOW, "/if/flow/default-invalidation-flow/", "/application/o/app2/end-session/confirm/"):
        answer = browser.send("POST", auth + path, (*origin, *csrf.items()), b"password=x&uid_field=bob&step=x")
        assert answer.status == 403, (path, origin, answer.status)
    for kind in (
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ):
        for path in (EXECUTOR, "/api/v3/core/tokens/", ME.replace("me/", "")):
            answer = browser.send(
                "POST", auth + path, (*origin, ("Content-Type", kind), ("Accept", "*/*")), b'{"identifier": "forged"}'
            )
            assert answer.status in (403, 415), (path, kind, answer.status)
    assert is_logged_in(browser, stage)


def test_the_token_alone_is_not_enough_from_elsewhere(stage: Stage) -> None:
    """Even with our own token a form of another origin is refused, and one of our own is taken."""
    # S-528
    browser = from_address(stage, "198.51.100.50")
    url = stage.url("auth") + FLOW
    _, fields = form_of(browser.get(url))
    fields["uid_field"] = "bob"
    for origin in ("https://evil.test", "null", "http://auth.example.test", stage.url("app")):
        answer = browser.send(
            "POST",
            url,
            (("Origin", origin), ("Content-Type", "application/x-www-form-urlencoded")),
            urlencode(fields).encode(),
        )
        assert answer.status == 403, origin
    assert browser.submit(url, browser.get(url), uid_field="bob")[1].status == 200


def test_the_executor_api_wants_its_header(stage: Stage) -> None:
    """The readable cookie's value in ``X-authentik-CSRF``, from our own origin: then, and only then, it is judged."""
    # S-528, S-609
    auth = stage.url("auth")
    browser = stage.visitor()
    browser.get(auth + EXECUTOR)
    token = browser.cookies["auth.example.test"]["__Host-doorward_csrf"]
    body = json.dumps({"component": "ak-stage-identification", "uid_field": "bob"}).encode()
    for headers, status in (
        ((("Origin", auth), ("X-authentik-CSRF", token)), 302),
        ((("Origin", "https://evil.test"), ("X-authentik-CSRF", token)), 403),
        ((("Origin", "null"), ("X-authentik-CSRF", token)), 403),
        ((("Origin", auth), ("X-authentik-CSRF", "forged" * 10)), 403),
        ((("Origin", auth),), 403),
        ((("Origin", auth), ("X_authentik_CSRF", token)), 403),
    ):
        answer = browser.send("POST", auth + EXECUTOR, (*headers, ("Content-Type", "application/json")), body)
        assert answer.status == status, headers


def test_the_form_token_reaches_the_identity_provider_only(stage: Stage) -> None:
    """To an application it is a field under the identity prefix like any other: gone."""
    # S-108
    for name in ("open", "judged"):
        assert b"forged" not in stage.ask(name, b"X-authentik-CSRF: forged").body


def test_a_link_elsewhere_logs_nobody_out(stage: Stage) -> None:
    """From another site the page asks first."""
    # S-528
    browser = stage.known()
    for path in ("/if/flow/default-invalidation-flow/", "/application/o/app2/end-session/"):
        browser.get(stage.url("auth") + path, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "image"))
        assert is_logged_in(browser, stage), path


# --- where one is sent --------------------------------------------------------------------------------------------

NEXT = [
    "//evil.test",
    "/\\evil.test",
    "https:evil.test",
    "https://evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    " /x",
    "\t//evil.test",
    "/\t/evil.test",
    "\\\\evil.test",
    "///evil.test",
    "/%09/evil.test",
    "http:///evil.test",
    "/\n/evil.test",
    "//evil.test/if/user/",
    "\x00//evil.test",
    "/ /evil.test",
    "/\u2028/evil.test",
    "x",
    "?x",
    "evil.test",
    "//%65vil.test",
    "/\\/evil.test",
    "https://auth.example.test@evil.test/",
]


@pytest.mark.parametrize("where", NEXT)
def test_a_wish_to_be_sent_elsewhere_is_ignored(stage: Stage, where: str) -> None:
    """At every page that takes ``next``: the browser stays here."""
    # S-529, CVE-2017-7233
    browser = stage.known()
    stranger = stage.visitor()
    for path in (
        f"{FLOW}?next={quote(where, safe='')}",
        f"/flows/-/default/authentication/?next={quote(where, safe='')}",
        f"/flows/-/cancel/?next={quote(where, safe='')}",
        f"/if/flow/default-invalidation-flow/?next={quote(where, safe='')}",
        f"/flows/-/default/invalidation/?next={quote(where, safe='')}",
    ):
        for who in (browser, stranger) if "invalidation" not in path else (stranger,):
            answer = who.get(stage.url("auth") + path)
            for location in answer.all("Location"):
                resolved = urljoin(stage.url("auth") + path, location)
                assert resolved.startswith(stage.url("auth") + "/"), (path, location)
                assert not location.startswith(("//", "/\\")), (path, location)
            assert "evil.test" not in answer.text or f"{quote(where, safe='')}" in answer.text, path


# --- what is shown ------------------------------------------------------------------------------------------------

MARKUP = '"><img src=x onerror=alert(1)>{{7*7}}${7*7}%(x)s'


def test_names_are_shown_as_text(stage: Stage) -> None:
    """Markup and templates in names of people, groups and applications arrive as what was typed."""
    # S-530, S-531
    api = stage.api
    stamp = str(time.monotonic_ns())
    username = f"<b>x{stamp}</b>"
    group = api.group(MARKUP + stamp)
    person = api.person(username, BOB, group["pk"])
    api.patch(f"/core/users/{person['pk']}/", name=MARKUP)
    provider = api.first("/providers/proxy/", name__iexact="app2")
    api.patch(f"/core/applications/{stage.applications['app2']['slug']}/", name=MARKUP, meta_description=MARKUP)
    try:
        browser = stage.visitor()
        place, page = browser.open(f"{stage.url('app2')}/")
        pages = [page]
        place, page = browser.submit(place, page, uid_field=username)
        pages.append(page)
        browser.submit(place, page, password=BOB)
        pages += [
            browser.open(stage.url("auth") + path)[1] for path in ("/", "/if/user/", "/if/admin/", "/nothing<img>")
        ]
        browser.cookies["app.example.test"] = {}
        pages.append(browser.open(f"{stage.url('app')}/")[1])
        for page in pages:
            assert "<img src=x" not in page.text
            assert "<b>x" not in page.text
            assert "49" not in page.text.split("onerror")[-1][:40] if "onerror" in page.text else True
            if "html" in "".join(page.all("Content-Type")) and page.all("Content-Security-Policy"):
                policy = page.one("Content-Security-Policy")
                assert "unsafe-inline" not in policy
                assert "frame-ancestors 'none'" in policy
    finally:
        api.patch(f"/core/applications/{stage.applications['app2']['slug']}/", name="App2", meta_description="")
        api.delete(f"/core/users/{person['pk']}/")
        assert provider


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.test",
        "\tjavascript:alert(1)",
        "vbscript:x",
    ],
)
def test_an_application_is_not_launched_by_script(stage: Stage, url: str) -> None:
    """Only http and https can be launch URLs."""
    # S-530
    answer = stage.program.ask(
        "/api/v3/core/applications/app2/",
        method="PATCH",
        headers=[("Authorization", f"Bearer {stage.program.secrets[1]}"), ("Content-Type", "application/json")],
        body=json.dumps({"meta_launch_url": url}).encode(),
    )
    assert answer.status == 400, answer.body


@pytest.mark.parametrize(
    "name",
    [
        "akadmin",
        "AkAdmin",
        "ａkadmin",
        "ak\u200badmin",
        "goauthentik.io/token",
        "ak-outpost-x",
        "bob\u200b",
        "ＢＯＢ",
        "BOB",
        "bo\u00adb",
        "a\r\nb",
        "a\x00b",
        "a\u2028b",
        "a\x1bb",
        "",
        "x" * 151,
        "bob\u202e",
    ],
)
def test_a_name_that_passes_for_another_is_refused(stage: Stage, name: str) -> None:
    """Reserved, invisible, equal after folding, with line ends: 400."""
    # S-113, S-519, S-522
    answer = stage.program.ask(
        "/api/v3/core/users/",
        method="POST",
        headers=[("Authorization", f"Bearer {stage.program.secrets[1]}"), ("Content-Type", "application/json")],
        body=json.dumps({"username": name, "name": "x", "groups": []}).encode(),
    )
    assert answer.status == 400, (name, answer.body)


@pytest.mark.parametrize(
    "path",
    [
        FLOW,
        "/",
        "/nothing",
        "/if/user/",
        "/application/o/authorize/",
        "/application/o/app/end-session/",
        "/static/nothing",
        "/api/v3/nothing",
    ],
)
def test_every_page_has_its_protections(stage: Stage, path: str) -> None:
    """No framing, no sniffing, no caching, no names of programs."""
    # S-532, S-652
    answer = stage.ask("auth", b"Accept: text/html", target=path.encode())
    assert answer.first("X-Frame-Options") == "DENY"
    assert answer.first("X-Content-Type-Options") == "nosniff"
    assert "frame-ancestors 'none'" in answer.first("Content-Security-Policy")
    assert "object-src 'none'" in answer.first("Content-Security-Policy")
    assert "unsafe" not in answer.first("Content-Security-Policy")
    assert answer.first("Referrer-Policy") == "same-origin"
    assert answer.first("Cache-Control") == "no-store"
    assert answer.first("Strict-Transport-Security").startswith("max-age=31536000")
    assert not answer.all("Server")
    assert not answer.all("X-Powered-By")
