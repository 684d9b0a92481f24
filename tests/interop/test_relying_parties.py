"""Programs that log people in with somebody else's OpenID Connect library, unmodified, at a real Doorward."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin

import pytest
from authlib.integrations.httpx_client import OAuth2Client

from peers.api import Api
from peers.processes import environment, eventually
from peers.program import Program
from peers.walking import Walker

pytestmark = pytest.mark.interop

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CALLBACK, AFTER = "https://rp.localhost/cb", "https://rp.localhost/bye"
HERE = Path(__file__).parent / "openid_client"


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as its program has to know it."""

    slug: str
    issuer: str
    client_id: str
    client_secret: str
    pk: int


class Heard:
    """A back-channel address: the logout tokens that were posted to it."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                heard.tokens += parse_qs(body)["logout_token"]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    thread = threading.Thread(target=heard.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield heard
    heard.server.shutdown()
    thread.join()
    heard.server.server_close()


@pytest.fixture
def localhost_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name under localhost is this machine (RFC 6761), also where the resolver does not know it."""
    resolve = socket.getaddrinfo

    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        local = isinstance(host, str) and host.endswith(".localhost")
        return resolve("127.0.0.1" if local else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def register(program: Program, slug: str, **fields: Any) -> Registered:
    """A client whose logout ends the login, and that may let devices in."""
    api = Api(program)
    scopes = ("openid", "profile", "email", "offline_access")
    provider = api.post(
        "/providers/oauth2/",
        name=slug,
        authorization_flow=api.first("/flows/instances/", slug="default-provider-authorization-implicit-consent")["pk"],
        invalidation_flow=api.first("/flows/instances/", slug="default-invalidation-flow")["pk"],
        property_mappings=[api.first("/propertymappings/provider/scope/", scope_name=name)["pk"] for name in scopes],
        redirect_uris=[
            {"matching_mode": "strict", "url": CALLBACK},
            {"matching_mode": "strict", "url": AFTER, "redirect_uri_type": "logout"},
        ],
        grant_types=["authorization_code", "refresh_token", DEVICE_CODE],
        signing_key=api.get("/crypto/certificatekeypairs/", has_key="true")["results"][0]["pk"],
        **fields,
    )
    api.post("/core/applications/", name=slug.title(), slug=slug, provider=provider["pk"])
    issuer = f"{program.identity}/application/o/{slug}/"
    return Registered(slug, issuer, provider["client_id"], provider["client_secret"], provider["pk"])


def let_in(walker: Walker, link: str) -> None:
    """Open the link that a device shows, and agree."""
    page = walker.get(link)
    assert page.status == 200, page
    answer = walker.press(link, page, answer="allow")
    url = link
    while answer.status in (302, 303):
        url = urljoin(url, answer.one("Location"))
        answer = walker.get(url)
    assert "The device is in" in answer.text


def test_authlib(program: Program, heard: Heard, localhost_names: None) -> None:
    """Authlib: code with PKCE, refresh, userinfo, a device, and a logout that comes back and is told by both ways."""
    rp = register(program, "by-authlib", logout_uri=heard.uri)
    trust = ssl.create_default_context(cafile=str(program.ca))
    walker = Walker(program.ca)
    with OAuth2Client(
        rp.client_id,
        rp.client_secret,
        token_endpoint_auth_method="client_secret_basic",
        scope="openid profile offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        verify=trust,
    ) as client:
        found = f"{rp.issuer}.well-known/openid-configuration"
        at: dict[str, Any] = client.request("GET", found, withhold_token=True).json()
        assert at["backchannel_logout_supported"] and at["frontchannel_logout_supported"]
        url, state = client.create_authorization_url(at["authorization_endpoint"], code_verifier="v" * 64)
        landed = walker.go(url, CALLBACK)
        tokens = client.fetch_token(
            at["token_endpoint"], authorization_response=landed, state=state, code_verifier="v" * 64
        )
        renewed = client.refresh_token(at["token_endpoint"])
        assert renewed["access_token"] != tokens["access_token"]
        assert client.get(at["userinfo_endpoint"]).json()["preferred_username"] == "akadmin"

        asked = client.request(
            "POST",
            at["device_authorization_endpoint"],
            data={"scope": "openid profile"},
            auth=(rp.client_id, rp.client_secret),
            withhold_token=True,
        ).json()
        let_in(walker, asked["verification_uri_complete"])
        device = client.fetch_token(at["token_endpoint"], grant_type=DEVICE_CODE, device_code=asked["device_code"])
        assert client.get(at["userinfo_endpoint"]).json()["preferred_username"] == "akadmin"

        leave = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER, "state": "bye"}
        assert walker.go(f"{at['end_session_endpoint']}?{urlencode(leave)}", AFTER) == f"{AFTER}?state=bye"
        assert client.get(at["userinfo_endpoint"]).status_code == 401, device
    eventually(lambda: heard.tokens, what="the logout token is delivered")


def test_openid_client(program: Program, tmp_path: Path) -> None:
    """openid-client on Node.js: discovery, code with PKCE, refresh, userinfo, introspection, a device, logout."""
    rp = register(program, "by-openid-client")
    for name in ("package.json", "package-lock.json", "relying_party.mjs", "names.cjs"):
        (tmp_path / name).write_bytes((HERE / name).read_bytes())
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    subprocess.run(npm, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    walker = Walker(program.ca)
    node = subprocess.Popen(
        ["node", "--require", "./names.cjs", "relying_party.mjs"],
        cwd=tmp_path,
        env=environment(NODE_EXTRA_CA_CERTS=str(program.ca)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert node.stdin and node.stdout
    said, told = node.stdout, node.stdin

    def tell(line: str) -> None:
        told.write(line + "\n")
        told.flush()

    try:
        client = {"issuer": rp.issuer, "id": rp.client_id, "secret": rp.client_secret}
        tell(json.dumps(client | {"callback": CALLBACK, "after": AFTER}))
        tell(walker.go(json.loads(said.readline()), CALLBACK))
        known = json.loads(said.readline())
        assert (known["username"], known["renewed"], known["active"]) == ("akadmin", True, True)
        let_in(walker, json.loads(said.readline()))
        assert json.loads(said.readline()) == "akadmin"
        assert walker.go(json.loads(said.readline()), AFTER) == f"{AFTER}?state=bye"
        assert json.loads(said.readline()) is False
        assert node.wait(20) == 0
    finally:
        node.kill()
        node.wait()
        said.close()
        told.close()
