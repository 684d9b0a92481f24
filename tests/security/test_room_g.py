"""Room G: the API and what administrators do. Nobody reads or changes what is not theirs, and no secret is told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from peers.questions import Answer, ask
from security.stage import BOB, Stage

pytestmark = pytest.mark.timeout(90)

EVERYBODY = {
    ("get", "/core/brands/current/"),
    ("get", "/root/config/"),
    ("get", "/schema/"),
    ("get", "/flows/executor/{flow_slug}/"),
    ("post", "/flows/executor/{flow_slug}/"),
}
"""What a stranger may ask. Everything else is 401 or 403, whatever the object."""
SIGNED_IN = {
    ("get", "/core/applications/"),
    ("get", "/core/authenticated_sessions/"),
    ("get", "/core/tokens/"),
    ("post", "/core/tokens/"),
    ("get", "/core/user_consent/"),
    ("get", "/core/users/impersonate_end/"),  # nothing happens to whoever acts as nobody else
    ("get", "/core/users/me/"),
    ("get", "/doorward/access_requests/"),
    ("post", "/doorward/access_requests/"),
    ("get", "/doorward/proxy_sessions/"),
    ("get", "/events/notifications/"),
    ("post", "/events/notifications/mark_all_seen/"),
    ("get", "/sources/all/user_settings/"),
    ("get", "/sources/user_connections/all/"),
    ("get", "/sources/user_connections/ldap/"),
    ("get", "/sources/user_connections/oauth/"),
    ("get", "/sources/user_connections/saml/"),
}
"""What somebody without rights may ask about themselves, besides single objects of their own."""
OWN_OBJECTS = re.compile(
    r"/core/(applications|authenticated_sessions|tokens|user_consent)/\{|/doorward/(access_requests|proxy_sessions)/\{|/events/notifications/\{|/authenticators/|/sources/user_connections/\w+/\{"
)
METHODS = ("get", "post", "put", "patch", "delete")


class Person:
    """Somebody with an API token; or nobody."""

    def __init__(self, stage: Stage, token: str = "") -> None:
        self.stage, self.token = stage, token

    def call(self, method: str, path: str, values: Any = None, *headers: tuple[str, str], raw: bytes = b"") -> Answer:
        fields = [("Accept", "application/json"), *headers]
        if self.token:
            fields.append(("Authorization", f"Bearer {self.token}"))
        body = raw or (b"" if values is None else json.dumps(values).encode())
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            fields.append(("Content-Type", "application/json"))
        return ask(f"{self.stage.program.plain}/api/v3{path}", method=method.upper(), headers=fields, body=body)


@pytest.fixture
def bob(stage: Stage) -> Iterator[Person]:
    """bob with an API token of his own."""
    identifier = f"bobs-{time.monotonic_ns()}"
    stage.api.post("/core/tokens/", identifier=identifier, intent="api", user=stage.people["bob"])
    key = stage.api.get(f"/core/tokens/{identifier}/view_key/")["key"]
    stage.secrets.add(key)
    yield Person(stage, key)
    stage.api.delete(f"/core/tokens/{identifier}/")


@pytest.fixture
def root(stage: Stage) -> Person:
    return Person(stage, stage.program.secrets[1])


def filled(path: str) -> str:
    path = re.sub(r"\{\w*(uuid|pk)\}", "00000000-0000-4000-8000-000000000000", path)
    return re.sub(r"\{\w+\}", "x", re.sub(r"\{id\}", "1", path))


def test_every_endpoint_is_closed_unless_it_is_listed(stage: Stage, bob: Person) -> None:
    """The description of the API names them all: strangers and bob get 401, 403 or 404, but for what is listed here."""
    # S-601, CVE-2024-42490
    paths = json.loads(Person(stage).call("get", "/schema/?format=json").body)["paths"]
    assert len(paths) > 80
    for path, operations in paths.items():
        path = path.removeprefix("/api/v3")
        for method in METHODS:
            if method not in operations or (method, path) in EVERYBODY:
                continue
            values: dict[str, Any] | None = {} if method in ("post", "put", "patch") else None
            nobody = Person(stage).call(method, filled(path), values)
            assert nobody.status in (401, 403), (method, path, nobody.status)
            assert set(json.loads(nobody.body)) == {"detail"}, nobody.body
            if (method, path) in SIGNED_IN:
                continue
            known = bob.call(method, filled(path), values)
            if method == "get" and path.startswith("/authenticators/") and known.status == 200:
                assert known.body == b"[]" or json.loads(known.body)["results"] == [], path  # bob's own: none
                continue
            allowed = (404, 403, 405) if OWN_OBJECTS.match(path) else (403, 405)
            assert known.status in allowed, (method, path, known.status, known.body[:200])


def test_an_endpoint_that_is_not_described_is_not_there(stage: Stage, bob: Person) -> None:
    """Debugging aids, other versions, the inside: 404 for everybody."""
    # S-601, S-622, S-232
    for path in ("/debug/", "/rpc/find-session", "/core/users/1/hashes/", "/admin/system/shell/", "/x"):
        for person in (Person(stage), bob):
            assert person.call("get", path).status in (400, 403, 404), path
    for path in (
        "/rpc/find-session",
        "/rpc/state",
        "/admin/",
        "/debug/pprof/",
        "/__debug__/",
        "/static/../settings.py",
        "/console",
    ):
        assert stage.ask("auth", target=path.encode()).status == 404, path


def test_other_peoples_objects_are_not_there(stage: Stage, bob: Person) -> None:
    """Tokens, sessions and applications of others: 404 to read, to write, to delete and to every action."""
    # S-602, CVE-2025-64431
    stage.session("app2", "mallory")
    sessions = [
        row for row in stage.api.get("/core/authenticated_sessions/")["results"] if row["user"] != stage.people["bob"]
    ]
    assert sessions
    identifier = f"mallorys-{time.monotonic_ns()}"
    stage.api.post("/core/tokens/", identifier=identifier, intent="api", user=stage.people["mallory"])
    for path in (f"/core/tokens/{identifier}/", f"/core/authenticated_sessions/{sessions[0]['uuid']}/"):
        for method in ("get", "put", "patch", "delete"):
            assert bob.call(method, path, {} if method in ("put", "patch") else None).status in (404, 405), (
                method,
                path,
            )
        assert bob.call("get", path + "used_by/").status == 404
    assert bob.call("get", f"/core/tokens/{identifier}/view_key/").status == 404
    assert bob.call("post", f"/core/tokens/{identifier}/set_key/", {"key": "x" * 40}).status in (403, 404)
    listed = json.loads(bob.call("get", "/core/tokens/?page_size=100").body)["results"]
    assert {row["user"] for row in listed} == {stage.people["bob"]}
    stage.api.delete(f"/core/tokens/{identifier}/")


def test_nobody_gives_more_than_they_have(stage: Stage, bob: Person) -> None:
    """Whose a token is cannot be chosen or changed, and fields that nobody may write are refused or ignored."""
    # S-603, S-604, CVE-2026-49448
    akadmin = stage.api.first("/core/users/", username="akadmin")["pk"]
    assert bob.call("post", "/core/tokens/", {"identifier": "forged-1", "intent": "api", "user": akadmin}).status == 400
    answer = bob.call(
        "post",
        "/core/tokens/",
        {
            "identifier": "bobs-own",
            "intent": "api",
            "managed": "forged",
            "key": "f" * 60,
            "is_superuser": True,
            "pk": 1,
        },
    )
    assert answer.status == 201
    try:
        own = json.loads(answer.body)
        assert own["user"] == stage.people["bob"]
        assert own["managed"] is None
        assert bob.call("patch", "/core/tokens/bobs-own/", {"user": akadmin}).status == 400
        assert bob.call("patch", "/core/tokens/bobs-own/", {"user": stage.people["mallory"]}).status == 400
        assert Person(stage, "f" * 60).call("get", "/core/users/me/").status == 403
        for intent in ("verification", "recovery", "forged"):
            assert bob.call("patch", "/core/tokens/bobs-own/", {"intent": intent}).status == 400
    finally:
        bob.call("delete", "/core/tokens/bobs-own/")
    me = json.loads(bob.call("get", "/core/users/me/").body)["user"]
    assert me["is_superuser"] is False
    for method, path in (("patch", f"/core/users/{me['pk']}/"), ("put", f"/core/users/{me['pk']}/")):
        assert bob.call(method, path, {"is_superuser": True, "groups": [], "attributes": {"a": 1}}).status == 403


def test_fields_that_are_computed_cannot_be_written(stage: Stage, root: Person) -> None:
    """Even an administrator changes them only by what they are computed from."""
    # S-604, S-449
    pk = stage.people["mallory"]
    before = json.loads(root.call("get", f"/core/users/{pk}/").body)
    for values in (
        {"pk": 1},
        {"uid": "forged"},
        {"is_superuser": True},
        {"last_login": "2020-01-01T00:00:00Z"},
        {"password": "forged-password"},
        {"uuid": "00000000-0000-4000-8000-000000000000"},
        {"password_change_date": "2020-01-01T00:00:00Z"},
    ):
        assert root.call("patch", f"/core/users/{pk}/", values).status in (200, 400)
    after = json.loads(root.call("get", f"/core/users/{pk}/").body)
    for name in ("pk", "uid", "is_superuser", "uuid", "password_change_date"):
        assert after[name] == before[name], name


def test_no_answer_holds_a_secret(stage: Stage, root: Person) -> None:
    """Lists and details of everything, as a superuser: no hash, no client secret, no private key, no cookie secret."""
    # S-605, GHSA-m9h4-7j9c-55x9
    texts = []
    for prefix in (
        "/core/users/",
        "/core/tokens/",
        "/core/authenticated_sessions/",
        "/providers/all/",
        "/providers/proxy/",
        "/providers/oauth2/",
        "/outposts/instances/",
        "/outposts/proxy/",
        "/crypto/certificatekeypairs/",
        "/events/events/",
        "/core/applications/",
        "/stages/all/",
        "/flows/instances/",
        "/core/groups/",
        "/core/brands/",
        "/sources/all/",
        "/sources/user_connections/all/",
        "/root/config/",
        "/admin/system/",
    ):
        answer = root.call(
            "get", prefix + "?page_size=100" if prefix not in ("/root/config/", "/admin/system/") else prefix
        )
        assert answer.status == 200, (prefix, answer.body)
        texts.append(answer.text)
        for row in json.loads(answer.body).get("results", [])[:3] if "results" in answer.text else []:
            key = row.get("uuid") if "sessions" in prefix else row.get("slug") or row.get("identifier") or row.get("pk")
            texts.append(root.call("get", f"{prefix}{key}/").text)
    for text in texts:
        for sign in ("argon2", "PRIVATE KEY", '"key_hash"', '"sealed'):
            assert sign not in text, sign
        for name in ("client_secret", "cookie_secret", "key_data", "password"):
            for value in re.findall(rf'"{name}": ?("[^"]*"|null)', text):
                assert value in ("null", '""') or set(value) == {'"', "*"}, (name, value)
        for secret in stage.secrets:
            assert secret not in text


def test_secret_columns_cannot_be_bisected(stage: Stage, root: Person) -> None:
    """Filters, orders and searches are an allow-list; anything else is 400, and a search does not reach hashes."""
    # S-606
    for query in (
        "password__startswith=argon2",
        "ordering=password",
        "ordering=-password",
        "user__password__startswith=a",
        "tokens__key_hash__gt=a",
        "username__regex=.*",
        "attributes__x__gt=1",
        "ordering=login_sessions__session_key",
        "search_fields=password",
        "key_hash=x",
    ):
        assert root.call("get", f"/core/users/?{query}").status == 400, query
    assert json.loads(root.call("get", "/core/users/?search=argon2").body)["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        "search=%27%20OR%201=1--",
        "username=%27%3B--",
        "search=%25",
        "search=_",
        "search=%00",
        "search=%ed%a0%80",
        "username=%ff",
        "page=-1",
        "page=x",
        "page=99999999999999999999",
        "page_size=-1",
        "page_size=x",
        "groups_by_pk=x",
        "is_active=%27",
        "uuid=%27",
        "attributes=%7B",
        "attributes=%7B%22a%22%3A%20NaN%7D",
        "attributes=%7B%22isnull%22%3A1%7D",
        "attributes=%7B%22contains%22%3A%7B%7D%7D",
        "attributes=%7B%22has_key%22%3A%22a%22%7D",
        "attributes=%7B%22a__b%22%3A1%7D",
        "attributes=%7B%22%22%3A1%7D",
        "attributes=%7B%22a%5C%22)%20OR%201%3D1--%22%3A1%7D",
        "attributes=[1]",
        "date_joined__gt=x",
    ],
)
def test_strange_queries_are_data(stage: Stage, root: Person, query: str) -> None:
    """Never a server error, and never more than was asked for."""
    # S-607
    answer = root.call("get", f"/core/users/?{query}")
    assert answer.status in (200, 400, 404), (query, answer.status, answer.body[:200])
    if answer.status == 200 and query.startswith("search=%27"):
        assert json.loads(answer.body)["results"] == []


def test_pages_are_no_larger_than_they_may_be(stage: Stage, root: Person) -> None:
    """A hundred at most."""
    # section 3: API page
    assert len(json.loads(root.call("get", "/events/events/?page_size=100000").body)["results"]) <= 100


def test_a_token_is_one_thing_in_one_place(stage: Stage, bob: Person) -> None:
    """Shown once, not taken from the query, worthless when expired, deleted, of another kind, or its user disabled."""
    # S-608
    user = stage.api.person(f"machine-{time.monotonic_ns()}", BOB)
    identifier = f"machine-{time.monotonic_ns()}"

    def fresh(**values: Any) -> str:
        stage.api.post("/core/tokens/", identifier=identifier, user=user["pk"], **{"intent": "api", **values})
        key: str = stage.api.get(f"/core/tokens/{identifier}/view_key/")["key"]
        stage.secrets.add(key)
        return key

    key = fresh()
    me = "/core/users/me/"
    assert Person(stage, key).call("get", me).status == 200
    assert Person(stage).call("get", f"{me}?token={key}&access_token={key}").status == 403
    assert Person(stage).call("get", me, None, ("Authorization", f"Token {key}")).status == 403
    assert Person(stage).call("get", me, None, ("Authorization", f"Basic {key}")).status == 403
    for wrong in (key[:-1], key + "a", key.swapcase(), key[:30], "%", "'", "x" * 5000):
        assert Person(stage, wrong).call("get", me).status in (403, 431), wrong[:20]
    assert Person(stage, stage.program.secrets[1]).call("get", f"/core/tokens/{identifier}/view_key/").status == 400
    stage.api.patch(f"/core/tokens/{identifier}/", expires="2020-01-01T00:00:00Z", expiring=True)
    assert Person(stage, key).call("get", me).status == 403
    stage.api.delete(f"/core/tokens/{identifier}/")
    assert Person(stage, key).call("get", me).status == 403

    key = fresh(intent="app_password")
    assert Person(stage, key).call("get", me).status == 403, "an app password is no API token"
    stage.api.delete(f"/core/tokens/{identifier}/")

    key = fresh()
    stage.api.patch(f"/core/users/{user['pk']}/", is_active=False)
    assert Person(stage, key).call("get", me).status == 403
    stage.api.delete(f"/core/users/{user['pk']}/")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 1000 + b"1" + b"}" * 1000,
        b"[" * 100_000,
        b'{"name": NaN}',
        b'{"name": 1e400}',
        b'{"name": "a", "name": "b"}',
        b'{"name": ' + b"9" * 5000 + b"}",
        '{"name": "x"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}',
        b"{'name': 1}",
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"name": Infinity}',
        b'{"name": -Infinity}',
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(stage: Stage, root: Person, body: bytes) -> None:
    """400, quickly."""
    # S-610, S-607, S-808
    begun = time.perf_counter()
    answer = root.call("post", "/core/groups/", None, ("Content-Type", "application/json"), raw=body or b" ")

    assert answer.status == 400, (body[:40], answer.status)
    assert time.perf_counter() - begun < 1


def test_bodies_of_other_kinds_are_not_read(stage: Stage, root: Person) -> None:
    """Forms, texts and compressed bodies are not JSON."""
    # S-913, S-528
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "x",
    ):
        assert root.call("post", "/core/groups/", None, ("Content-Type", kind), raw=b'{"name": "forged"}').status == 415
    import gzip

    for coding in ("gzip", "deflate", "br", "x"):
        answer = root.call(
            "post", "/core/groups/", None, ("Content-Encoding", coding), raw=gzip.compress(b'{"name": "forged"}')
        )
        assert answer.status == 415, coding


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2fsettings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%5csettings.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/....//settings.py",
        "/static/..;/settings.py",
        "/static/doorward.css/../../settings.py",
        "/static/",
        "/static/%00",
    ],
)
def test_static_files_are_what_was_put_there(stage: Stage, path: str) -> None:
    """No way up, in any spelling."""
    # S-615, CVE-2024-23334
    for port in (None, stage.program.identity_port, stage.web_port):
        answer = stage.ask("auth", target=path.encode(), port=port)
        assert answer.status in (400, 404), (path, answer.status)
        assert b"SECRET" not in answer.body
        assert b"root:" not in answer.body


def test_what_is_logged_cannot_steer_a_terminal_or_forge_a_line(stage: Stage) -> None:
    """Line ends, escapes and long names of a failed login are one escaped JSON line."""
    # S-620, CVE-2020-7694
    seen = stage.program.errors.stat().st_size
    browser = stage.visitor()
    url = stage.url("auth") + "/if/flow/default-authentication-flow/"
    name = 'x\r\n{"forged": 1}\x1b[31m\u202e' + "y" * 100
    place, page = browser.submit(url, browser.get(url, ("User-Agent", "a\x9b31m" + "z" * 5000)), uid_field=name)
    browser.submit(place, page, password="wrong")
    written = stage.program.errors.read_bytes()[seen:]

    assert b"\x1b" not in written
    assert "\u202e".encode() not in written
    for line in written.splitlines():
        assert isinstance(json.loads(line), dict)
        assert len(line) < 20_000


def test_nobody_locks_everybody_out(stage: Stage, root: Person) -> None:
    """The last superuser, oneself, the last who may enter: 409 with a text, and nothing has changed."""
    # S-621
    akadmin = stage.api.first("/core/users/", username="akadmin")
    admins = next(group for group in stage.api.get("/core/groups/")["results"] if group["is_superuser"])
    staff = stage.api.first("/core/groups/", name="staff")
    for method, path, values in (
        ("patch", f"/core/users/{akadmin['pk']}/", {"is_active": False}),
        ("patch", f"/core/users/{akadmin['pk']}/", {"groups": []}),
        ("delete", f"/core/users/{akadmin['pk']}/", None),
        ("delete", f"/core/groups/{admins['pk']}/", None),
        ("patch", f"/core/groups/{admins['pk']}/", {"is_superuser": False}),
        ("patch", f"/core/groups/{admins['pk']}/", {"users": []}),
        ("delete", f"/core/groups/{staff['pk']}/", None),
    ):
        answer = root.call(method, path, values)
        assert answer.status == 409, (method, path, answer.status, answer.body)
    assert stage.api.first("/core/users/", username="akadmin")["is_superuser"]


def test_what_happened_is_on_record(stage: Stage, root: Person) -> None:
    """Who, from where, what, with which request: and the record cannot be changed through the API."""
    # S-619
    identifier = f"recorded-{time.monotonic_ns()}"
    root.call("post", "/core/tokens/", {"identifier": identifier, "intent": "api"})
    root.call("get", f"/core/tokens/{identifier}/view_key/")
    root.call("delete", f"/core/tokens/{identifier}/")
    events = json.loads(root.call("get", "/events/events/?ordering=-created&page_size=10").body)["results"]
    by_action = {event["action"]: event for event in events if identifier in json.dumps(event)}
    assert {"model_created", "secret_view", "model_deleted"} <= set(by_action), [event["action"] for event in events]
    for event in by_action.values():
        assert event["user"]["username"] == "akadmin"
        assert event["client_ip"] == "127.0.0.1"
        assert event["context"]["http_request"]["request_id"]
    for method in ("put", "patch", "delete"):
        answer = root.call(method, f"/events/events/{events[0]['pk']}/", {} if method != "delete" else None)
        assert answer.status == 405


def test_an_error_tells_nothing_of_the_inside(stage: Stage, root: Person) -> None:
    """No stack trace, no path, no version of anything, whatever was asked."""
    # S-622, S-652, S-818
    for method, path in (
        ("get", "/core/users/99999999999999999999/"),
        ("get", "/core/users/x/"),
        ("post", "/core/users/1/x/"),
        ("get", "/%00"),
    ):
        answer = root.call(method, path)
        assert answer.status < 500
        for sign in ("Traceback", "/src/", "django", "Django", "sqlite", "site-packages"):
            assert sign not in answer.text, (path, sign)
