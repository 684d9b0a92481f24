"""gRPC end to end: grpcio's client and server, which know nothing of the program between them."""

from __future__ import annotations

import base64
import queue
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from net.certificates import self_signed
from peers.api import Api
from peers.grpc_service import NAME, GrpcService, channel
from peers.processes import eventually, free_port
from peers.program import Program
from peers.questions import ask

pytestmark = pytest.mark.interop

STATIC = """\
entryPoints:
  web: {{address: "127.0.0.1:{web}"}}
  websecure: {{address: "127.0.0.1:{websecure}"}}
  traefik: {{address: "127.0.0.1:{metrics}"}}
  identity: {{address: "127.0.0.1:{identity}"}}
providers: {{file: {{filename: {routes}}}}}
metrics: {{prometheus: {{}}}}
workers: 1
identity: {{externalUrl: "http://127.0.0.1:{identity}", data: {data}, entryPoint: identity}}
"""
ROUTES = """\
http:
  routers:
    clear-clear: {{rule: "Host(`clear.test`)", entryPoints: [web], service: clear}}
    clear-tls: {{rule: "Host(`tls.test`)", entryPoints: [web], service: tls}}
    tls-clear: {{rule: "Host(`clear.test`)", entryPoints: [websecure], service: clear, tls: {{}}}}
    guarded: {{rule: "Host(`guarded.test`)", entryPoints: [web], service: clear, middlewares: [login]}}
    tls-tls: {{rule: "Host(`tls.test`)", entryPoints: [websecure], service: tls, tls: {{}}}}
  services:
    clear:
      loadBalancer:
        servers: [{{url: "h2c://127.0.0.1:{clear}"}}]
        healthCheck: {{mode: grpc, interval: 200ms, timeout: 5s}}
    tls:
      loadBalancer:
        servers: [{{url: "https://127.0.0.1:{tls}"}}]
        serversTransport: inside
        healthCheck: {{mode: grpc, interval: 200ms, timeout: 5s}}
  middlewares:
    login:
      forwardAuth:
        address: http://127.0.0.1:{identity}/outpost.goauthentik.io/auth/traefik
        authResponseHeaders: [X-authentik-username, X-authentik-uid, X-authentik-groups]
  serversTransports:
    inside: {{serverName: tls.test, rootCAs: ["{pem}"]}}
tls:
  certificates: [{{certFile: {pem}, keyFile: {key}}}]
"""


@dataclass
class World:
    program: Program
    services: dict[str, GrpcService]
    pem: str
    metrics_port: int

    def channel(self, front: str, upstream: str) -> grpc.Channel:
        secure = front == "TLS front"
        port = self.program.https_port if secure else self.program.http_port
        return channel(port, self.host(upstream), self.pem if secure else "")

    @staticmethod
    def host(upstream: str) -> str:
        return "tls.test" if upstream == "TLS server" else "clear.test"

    def up(self, name: str) -> bool:
        text = ask(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        scheme = "https" if name == "tls" else "h2c"
        url = f"{scheme}://127.0.0.1:{self.services[name].port}"
        return f'traefik_service_server_up{{service="{name}@file",url="{url}"}} 1' in text


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("grpc")
    certificate = self_signed("tls.test", "clear.test")
    pem, key = folder / "cert.pem", folder / "key.pem"
    pem.write_text(certificate.chain_pem)
    key.write_text(certificate.key_pem)
    program = Program(folder / "program", config=folder / "doorward.yml")
    services = {"clear": GrpcService().start(), "tls": GrpcService(certificate).start()}
    made = World(program, services, certificate.chain_pem, free_port())
    routes = folder / "routes.yml"
    ports = {name: service.port for name, service in services.items()}
    routes.write_text(ROUTES.format(**ports, pem=pem, key=key, identity=program.identity_port))
    program.config = _static(folder, made, routes)
    try:
        program.start()
        yield made
        program.stop()
    finally:
        program.end()
        for service in services.values():
            service.stop()


def _static(folder: Path, world: World, routes: Path) -> Path:
    program, path = world.program, folder / "doorward.yml"
    path.write_text(
        STATIC.format(
            web=program.http_port,
            websecure=program.https_port,
            metrics=world.metrics_port,
            identity=program.identity_port,
            routes=routes,
            data=program.data,
        )
    )
    return path


@pytest.fixture(params=["clear front", "TLS front"])
def front(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["h2c server", "TLS server"])
def upstream(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def talk(world: World, front: str, upstream: str) -> Iterator[grpc.Channel]:
    with world.channel(front, upstream) as made:
        yield made


def test_one_message_each_way(talk: grpc.Channel, world: World, upstream: str) -> None:
    """With metadata before and after the answer, binary ones too, and the identity of nobody but the client."""
    reply, call = talk.unary_unary(f"/{NAME}/Say").with_call(
        b"hello", metadata=(("x-mine", "yes"), ("x-authentik-username", "root")), timeout=10
    )

    assert reply == b"hello"
    assert ("x-head", "1") in call.initial_metadata()
    assert {("x-tail", "2"), ("x-tail-bin", b"\x00\xff")} <= set(call.trailing_metadata())
    service = world.services["tls" if upstream == "TLS server" else "clear"]
    assert service.seen[-1]["x-mine"] == "yes"
    assert service.seen[-1]["x-forwarded-host"] == world.host(upstream)
    assert "x-authentik-username" not in service.seen[-1]


def test_a_large_message_each_way(talk: grpc.Channel) -> None:
    """Far more than the windows: both sides wait for one another."""
    message = bytes(range(256)) * 12000

    assert talk.unary_unary(f"/{NAME}/Say")(message, timeout=20) == message


def test_an_error_in_the_trailers(talk: grpc.Channel) -> None:
    """Status, text and metadata; the answer consists of trailers only."""
    with pytest.raises(grpc.RpcError) as caught:
        talk.unary_unary(f"/{NAME}/Refuse")(b"", timeout=10)

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "not “today”"
    assert ("x-why", "because") in caught.value.trailing_metadata()


def test_a_stream_of_answers(talk: grpc.Channel) -> None:
    """All of them in their order; and an error after some is an error after some."""
    count = talk.unary_stream(f"/{NAME}/Count")
    assert list(count(b"500", timeout=20)) == [b"%d" % number for number in range(500)]

    seen = []
    with pytest.raises(grpc.RpcError) as caught:
        for number in count(b"3", timeout=10):
            seen.append(number)

    assert seen == [b"0", b"1", b"2"]
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.OUT_OF_RANGE, "three is enough")


def test_a_stream_of_questions(talk: grpc.Channel) -> None:
    """The server takes them all."""
    assert talk.stream_unary(f"/{NAME}/Sum")((b"x" * size for size in range(200)), timeout=20) == b"19900"


def test_a_conversation(talk: grpc.Channel) -> None:
    """Each question waits for the answer to the one before."""
    questions: queue.Queue[bytes | None] = queue.Queue()
    answers = talk.stream_stream(f"/{NAME}/Chat")(iter(questions.get, None), timeout=20)
    for word in (b"live", b"was", b"drawer"):
        questions.put(word)
        assert next(answers) == word[::-1]
    questions.put(None)

    assert list(answers) == []
    assert answers.code() is grpc.StatusCode.OK


def test_a_client_that_loses_patience(talk: grpc.Channel, world: World, upstream: str) -> None:
    """Its deadline reaches the server, and so does that it has hung up."""
    service = world.services["tls" if upstream == "TLS server" else "clear"]
    service.cancelled.clear()
    call = talk.unary_unary(f"/{NAME}/Hang").future(b"")
    with pytest.raises(grpc.RpcError) as caught:
        talk.unary_unary(f"/{NAME}/Hang")(b"", timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    service.cancelled.wait(10)
    service.cancelled.clear()

    call.cancel()

    assert service.cancelled.wait(10)


def test_behind_a_login(world: World) -> None:
    """A stranger is UNAUTHENTICATED; a program with an app password is who it says, and only then."""
    api = Api(world.program)
    api.protect("guarded", "http://guarded.test")
    user = api.post("/core/users/", username="robot", name="Robot")
    made = api.post("/core/tokens/", identifier="robot", intent="app_password", user=user["pk"], expiring=False)
    key = api.get(f"/core/tokens/{made['identifier']}/view_key/")["key"]
    basic = base64.b64encode(f"robot:{key}".encode()).decode()
    with channel(world.program.http_port, "guarded.test") as made_channel:
        say = made_channel.unary_unary(f"/{NAME}/Say")
        with pytest.raises(grpc.RpcError) as caught:
            say(b"hi", timeout=10, metadata=(("x-authentik-username", "akadmin"),))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED

        reply = say(b"hi", timeout=10, metadata=(("authorization", f"Basic {basic}"),))

    assert reply == b"hi"
    assert world.services["clear"].seen[-1]["x-authentik-username"] == "robot"


def test_nobody_there(world: World) -> None:
    """What the program answers by itself means to a gRPC client what it should: 404 is UNIMPLEMENTED."""
    with channel(world.program.http_port, "nowhere.test") as made, pytest.raises(grpc.RpcError) as caught:
        made.unary_unary("/no.such/Thing")(b"", timeout=10)

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_metrics_count_by_grpc_status(world: World) -> None:
    """HTTP's status would be 200 for all of them; one that stands in the head counts as one behind the body does."""
    with world.channel("clear front", "h2c server") as made:
        made.unary_unary(f"/{NAME}/Say")(b"", timeout=10)
        for name in ("Refuse", "NoSuchMethod"):
            with pytest.raises(grpc.RpcError):
                made.unary_unary(f"/{NAME}/{name}")(b"", timeout=10)

    def counted(code: int) -> bool:
        labels = f'{{code="{code}",method="POST",protocol="grpc",service="clear@file"}}'
        return f"traefik_service_requests_total{labels} " in ask(f"http://127.0.0.1:{world.metrics_port}/metrics").text

    for code in (0, grpc.StatusCode.FAILED_PRECONDITION.value[0], grpc.StatusCode.UNIMPLEMENTED.value[0]):
        eventually(lambda code=code: counted(code), what=f"code {code} is counted")  # type: ignore[misc]


@pytest.mark.parametrize("name", ["clear", "tls"])
def test_health_is_asked_in_its_own_protocol(world: World, name: str) -> None:
    """A server that says NOT_SERVING gets no requests until it says otherwise."""
    service = world.services[name]
    eventually(lambda: world.up(name), what="it is up")

    service.healthy = False
    eventually(lambda: not world.up(name), what="it is down")
    made = world.channel("clear front", "TLS server" if name == "tls" else "h2c server")
    with made, pytest.raises(grpc.RpcError) as caught:
        made.unary_unary(f"/{NAME}/Say")(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    service.healthy = True
    eventually(lambda: world.up(name), what="it is up again")
