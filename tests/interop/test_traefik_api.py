"""The API beside real Traefik's: the same configuration, path by path, with every difference named:

- Texts of errors say more (``did you mean``), so they are compared by their number.
- ``observability.tracing`` is false: there is no tracing.
- ``maxBodySize`` is never unlimited: 1 MiB where the original has -1.
- ``maxHeaderBytes`` is 64 KiB, ``maxConcurrentStreams`` 100; there is no ``udp``; ``writeTimeout`` is 60 s where the
  original has none, ``readTimeout`` is not set.
- The dashboard, its router, its middlewares, ``api.debug`` and ``support-dump`` do not exist.
- The redirection of an entry point is for hosts that its target knows, and says so in place of a rule; middlewares of
  the entry point do not run before it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorward.assembly import local_ca
from doorward.assembly.api.answers import Api
from doorward.assembly.api.objects import api_objects
from doorward.config.decode import decode, read_document
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.static import load_static
from doorward.messages.control import ApiAnswer, ServersHealth
from doorward.sources.compile import compile_table
from peers.processes import eventually, free_port, running
from peers.program import Program
from peers.questions import Answer, ask

pytestmark = pytest.mark.interop

DYNAMIC = """
http:
  routers:
    app: {rule: "Host(`app.example.test`)", entryPoints: [web], middlewares: [auth, strip, some], service: app}
    open: {rule: "Host(`open.example.test`) && PathPrefix(`/x`)", priority: 50, entryPoints: [web], service: open}
    secure: {rule: "Host(`secure.example.test`)", entryPoints: [websecure], tls: {options: modern}, service: weighted}
    broken: {rule: "Host(`broken.example.test`)", service: app, middlewares: [nosuch]}
    failing: {rule: "Host(`f.example.test`)", service: fail}
    mirrored: {rule: "Host(`m.example.test`)", service: mir}
    hashed: {rule: "Host(`h.example.test`)", service: hrw}
    plain: {rule: "Host(`p.example.test`)", entryPoints: [websecure], service: app, tls: {}}
  middlewares:
    auth: {forwardAuth: {address: "http://127.0.0.1:1/auth", authResponseHeaders: [X-User], trustForwardHeader: true}}
    strip: {stripPrefix: {prefixes: [/api]}}
    redir: {redirectScheme: {scheme: https, permanent: true}}
    hdr: {headers: {customRequestHeaders: {X-A: b}, stsSeconds: 10, frameDeny: true}}
    some: {chain: {middlewares: [hdr]}}
    cert: {passTLSClientCert: {pem: true, info: {notAfter: true, subject: {commonName: true}}}}
  services:
    app:
      loadBalancer:
        servers: [{url: "http://127.0.0.1:2"}]
        healthCheck: {path: /health, interval: 90s, timeout: 500ms}
    open:
      loadBalancer:
        passHostHeader: false
        sticky: {cookie: {name: st, secure: true}}
        serversTransport: tr
        servers: [{url: "http://127.0.0.1:2", weight: 2}, {url: "http://127.0.0.1:3"}]
    weighted: {weighted: {services: [{name: app, weight: 3}, {name: open}]}}
    fail: {failover: {service: app, fallback: open}}
    mir: {mirroring: {service: app, mirrors: [{name: open, percent: 10}]}}
    hrw: {highestRandomWeight: {services: [{name: app}, {name: open, weight: 2}]}}
    unused:
      loadBalancer:
        servers: [{url: "http://127.0.0.1:4"}]
        passiveHealthCheck: {failureWindow: 3s, maxFailedAttempts: 2}
  serversTransports:
    tr: {serverName: x}
tls:
  options: {modern: {minVersion: VersionTLS13}}
"""


class Both:
    """Real Traefik at a port, and our own answers to the same questions."""

    def __init__(self, ports: dict[str, int], api: Api, folder: Path) -> None:
        self.ports = ports
        self.folder = folder
        self._port = ports["traefik"]
        self._api = api

    def theirs(self, path: str) -> Answer:
        return ask(f"http://127.0.0.1:{self._port}/api/{path}")

    def ours(self, path: str) -> ApiAnswer:
        question, _, query = path.partition("?")
        return self._api.answer(1, f"/api/{question}", query)

    def json(self, path: str) -> tuple[Any, Any]:
        return json.loads(self.theirs(path).body), json.loads(self.ours(path).body)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("api")
    leaf = local_ca.ensure(folder / "ca").leaf()
    for name, text in (("chain.pem", leaf[0]), ("key.pem", leaf[1])):
        (folder / name).write_text(text)
    certificates = f"  certificates: [{{certFile: {folder}/chain.pem, keyFile: {folder}/key.pem}}]\n"
    (folder / "dynamic.yml").write_text(DYNAMIC + certificates)
    ports = {name: free_port() for name in ("web", "websecure", "named", "traefik")}
    text = f"""
entryPoints:
  web: {{address: "127.0.0.1:{ports["web"]}"}}
  websecure: {{address: "127.0.0.1:{ports["websecure"]}", http: {{tls: {{}}}}}}
  named:
    address: "127.0.0.1:{ports["named"]}"
    http: {{middlewares: ["hdr@file"], redirections: {{entryPoint: {{to: websecure}}}}}}
    forwardedHeaders: {{trustedIPs: [10.0.0.0/8]}}
  traefik: {{address: "127.0.0.1:{ports["traefik"]}"}}
providers: {{file: {{filename: {folder}/dynamic.yml}}}}
api: {{insecure: true}}
ping: {{}}
metrics: {{prometheus: {{}}}}
accessLog: {{}}
"""
    (folder / "static.yml").write_text(text)
    (folder / "traefik.yml").write_text(text + "global: {checkNewVersion: false, sendAnonymousUsage: false}\n")
    static = load_static(folder / "static.yml")
    dynamic = decode(read_document(folder / "dynamic.yml"), DynamicConfiguration)
    api = Api(ServersHealth)
    api.use(api_objects(static, {"file": dynamic}, compile_table(static, {"file": dynamic}).table))
    command = [Path(sys.executable).with_name("traefik"), f"--configFile={folder}/traefik.yml"]
    with running(command, log=folder / "traefik.log", port=ports["traefik"]):
        found = Both(ports, api, folder)
        eventually(lambda: b"app@file" in found.theirs("http/routers").body, within=20, what="Traefik has its routers")
        yield found


def by_name(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in objects}


def test_routers(both: Both) -> None:
    """Every router that somebody wrote, split as the original splits them, and those that both make themselves."""
    theirs, ours = map(by_name, both.json("http/routers?per_page=1000"))

    assert set(theirs) - set(ours) == {"dashboard@internal"}
    assert set(ours) - set(theirs) == set()
    for name, router in ours.items():
        assert router["observability"].pop("tracing") is False
        assert theirs[name]["observability"].pop("tracing") is True
        if name == "named-to-websecure@internal":
            for each in (router, theirs[name]):
                del each["rule"], each["middlewares"]
        assert len(router.pop("error", ())) == len(theirs[name].pop("error", ()))
        assert router == theirs[name]


def test_services(both: Both) -> None:
    """Types, defaults, users and the status of servers."""
    theirs, ours = map(by_name, both.json("http/services"))

    assert set(theirs) - set(ours) == {"dashboard@internal"}
    assert set(ours) - set(theirs) == set()
    assert ours["mir@file"]["mirroring"].pop("maxBodySize") == 1 << 20
    assert theirs["mir@file"]["mirroring"].pop("maxBodySize") == -1
    for name, service in ours.items():
        assert service == theirs[name]


def test_middlewares(both: Both) -> None:
    """Options as they were written, and who uses them."""
    theirs, ours = map(by_name, both.json("http/middlewares"))

    assert set(theirs) - set(ours) == {"dashboard_redirect@internal", "dashboard_stripprefix@internal"}
    assert set(ours) - set(theirs) == set()
    assert ours["auth@file"]["forwardAuth"].pop("maxBodySize") == 1 << 20
    assert theirs["auth@file"]["forwardAuth"].pop("maxBodySize") == -1
    theirs["hdr@file"]["usedBy"].remove("named-to-websecure@internal")
    for name, middleware in ours.items():
        assert middleware == theirs[name]


def test_entry_points(both: Both) -> None:
    """Addresses, trust, TLS, redirections."""
    theirs, ours = map(by_name, both.json("entrypoints"))

    assert ours.keys() == theirs.keys()
    for name, point in ours.items():
        other = theirs[name]
        assert (point["http"].pop("maxHeaderBytes"), other["http"].pop("maxHeaderBytes")) == (65536, 1 << 20)
        assert (point["http2"]["maxConcurrentStreams"], other["http2"].pop("maxConcurrentStreams")) == (100, 250)
        del point["http2"]["maxConcurrentStreams"]
        del other["udp"]
        del point["transport"]["respondingTimeouts"]["writeTimeout"]
        del other["transport"]["respondingTimeouts"]["readTimeout"]
        assert point == other


def test_certificates(both: Both) -> None:
    """Whose they are and until when; never a key."""
    (theirs,), (ours,) = both.json("certificates")

    assert ours == theirs
    assert both.json(f"certificates/{ours['name']}")[1] == ours
    assert b"PRIVATE" not in both.ours("rawdata").body


def test_overview_version_and_raw_data(both: Both) -> None:
    """The numbers of the overview agree with the lists; the other two have the original's keys."""
    theirs, ours = both.json("overview")

    assert ours["http"]["routers"] == {**theirs["http"]["routers"], "total": theirs["http"]["routers"]["total"] - 1}
    assert ours["http"]["services"]["total"] == theirs["http"]["services"]["total"] - 1
    assert ours["http"]["middlewares"]["total"] == theirs["http"]["middlewares"]["total"] - 2
    assert {key: value for key, value in ours.items() if key != "http"} == {
        key: value for key, value in theirs.items() if key != "http"
    }
    assert [set(each) for each in both.json("version")] == [{"Version", "Codename", "startDate"}] * 2
    theirs, ours = both.json("rawdata")
    assert theirs.keys() == ours.keys()
    assert ours["routers"]["open@file"].keys() == theirs["routers"]["open@file"].keys()
    assert ours["services"]["app@file"] == theirs["services"]["app@file"]


ORDERS = (
    "http/routers?search=APP",
    "http/routers?status=disabled",
    "http/routers?serviceName=app",
    "http/routers?middlewareName=hdr@file",
    "http/services?sortBy=servers",
    "http/services?sortBy=type&direction=desc",
    "http/middlewares?sortBy=type",
    "http/routers?sortBy=entryPoints",
    "http/routers?sortBy=service&direction=desc",
    "http/routers?sortBy=rule",
)


@pytest.mark.parametrize("path", ORDERS)
def test_searching_and_sorting(both: Both, path: str) -> None:
    """The same objects in the same order, apart from those that only one has."""
    known = {"dashboard@internal", "dashboard_redirect@internal", "dashboard_stripprefix@internal"}
    known.add("named-to-websecure@internal")
    theirs, ours = ([each["name"] for each in objects if each["name"] not in known] for objects in both.json(path))

    assert ours == theirs


QUESTIONS = (
    "http/routers/app@file",
    "http/routers/app%40file",
    "http/routers/nosuch@file",
    "http/services/nosuch@file",
    "http/middlewares/nosuch@file",
    "entrypoints/nosuch",
    "tcp/routers",
    "udp/services",
    "tcp/routers/x@file",
    "http/routers?page=x",
    "http/routers?page=-1",
    "http/routers?page=0",
    "http/routers?page=99",
    "http/routers?per_page=0",
    "http/routers?page=2&per_page=3",
    "http/services?per_page=4",
    "http",
    "nosuch",
    "http/routers/",
)


@pytest.mark.parametrize("path", QUESTIONS)
def test_answers_to_odd_questions(both: Both, path: str) -> None:
    """Status, type, the next page and the message."""
    theirs, ours = both.theirs(path), both.ours(path)

    assert (ours.status, ours.content_type) == (theirs.status, " ".join(theirs.all("content-type")))
    assert str(ours.next_page or "") == "".join(theirs.all("x-next-page"))
    if ours.status != 200:
        assert ours.body == theirs.body


@pytest.fixture(scope="module")
def program(both: Both, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The whole program with Traefik's configuration, and an identity provider besides."""
    folder = tmp_path_factory.mktemp("program")
    made = Program(folder, config=folder / "doorward.yml")
    text = both.folder.joinpath("static.yml").read_text()
    for name, port in both.ports.items():
        text = text.replace(f":{port}", f":{free_port()}") if name != "traefik" else text
    text = text.replace(f":{both.ports['traefik']}", f":{made.http_port}")
    text = text.replace("entryPoints:\n", f'entryPoints:\n  identity: {{address: "127.0.0.1:{made.identity_port}"}}\n')
    text += f"identity: {{externalUrl: {made.plain}, data: {made.data}}}\n"
    (folder / "doorward.yml").write_text(text)
    try:
        yield made.start()
        made.stop()
    finally:
        made.end()


def test_the_whole_program_says_the_same(both: Both, program: Program) -> None:
    """Over its own entry point, through worker and control process: the original's objects, and its own beside them."""

    def asked(path: str) -> Answer:
        return ask(f"http://127.0.0.1:{program.http_port}/api/{path}")

    for kind in ("http/routers", "http/services", "http/middlewares"):
        answer = asked(f"{kind}?per_page=1000")
        assert (answer.status, answer.all("content-type")) == (200, ["application/json"])
        assert answer.all("cache-control") == ["no-store"]
        found, alone = by_name(json.loads(answer.body)), by_name(both.json(f"{kind}?per_page=1000")[1])
        theirs = by_name(both.json(f"{kind}?per_page=1000")[0])
        files = {name for name in theirs if name.endswith("@file")}
        assert files == {name for name in found if name.endswith("@file")} != set()
        for name in files:
            assert lasting(found[name]) == lasting(alone[name])
    for path in ("http/routers/app@file", "http/services/weighted@file", "http/middlewares/strip@file"):
        assert json.loads(asked(path).body)["name"] == path.rpartition("/")[2]
    for path in ("http/routers/nosuch@file", "http/routers?page=x", "tcp/routers", "nosuch"):
        answer, other = asked(path), both.theirs(path)
        assert (answer.status, answer.body) == (other.status, other.body)
    page = asked("http/routers?per_page=2")
    assert len(json.loads(page.body)) == 2
    assert page.all("x-next-page") == ["2"]
    assert {point["name"] for point in json.loads(asked("entrypoints").body)} == {*both.ports, "identity"}
    assert ask(f"http://127.0.0.1:{program.http_port}/api/http/routers", method="POST").status == 405


def lasting(found: dict[str, Any]) -> dict[str, Any]:
    """What both say that does not depend on when and where they were asked."""
    return {key: value for key, value in found.items() if key != "serverStatus"}
