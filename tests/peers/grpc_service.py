"""A real gRPC server (grpcio) with a method of every kind, and its client. Messages are bytes: what is in them is
nobody's business on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field

import grpc

from doorward.messages.routing import Certificate
from peers.processes import free_port

NAME = "doorward.test.Talk"
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"


@dataclass
class GrpcService:
    """See the module. Raises RuntimeError when the port is taken."""

    certificate: Certificate | None = None
    port: int = field(default_factory=free_port)
    healthy: bool = True
    seen: list[dict[str, str]] = field(default_factory=list)
    """Metadata of every call."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """A call of ``Hang`` was given up by its client."""

    def start(self) -> GrpcService:
        self._server = grpc.server(futures.ThreadPoolExecutor(16))
        talk = {
            "Say": grpc.unary_unary_rpc_method_handler(self._say),
            "Refuse": grpc.unary_unary_rpc_method_handler(self._refuse),
            "Count": grpc.unary_stream_rpc_method_handler(self._count),
            "Sum": grpc.stream_unary_rpc_method_handler(self._sum),
            "Chat": grpc.stream_stream_rpc_method_handler(self._chat),
            "Hang": grpc.unary_unary_rpc_method_handler(self._hang),
        }
        health = {"Check": grpc.unary_unary_rpc_method_handler(self._check)}
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(NAME, talk),
                grpc.method_handlers_generic_handler("grpc.health.v1.Health", health),
            )
        )
        address = f"127.0.0.1:{self.port}"
        if self.certificate is None:
            self._server.add_insecure_port(address)
        else:
            pair = (self.certificate.key_pem.encode(), self.certificate.chain_pem.encode())
            self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        self._server.start()
        return self

    def stop(self, grace: float | None = None) -> None:
        """``grace``: seconds for calls that are under way, while new ones are refused."""
        self._server.stop(grace).wait()

    def _note(self, context: grpc.ServicerContext) -> None:
        self.seen.append({key: str(value) for key, value in context.invocation_metadata()})

    def _say(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._note(context)
        context.send_initial_metadata((("x-head", "1"),))
        context.set_trailing_metadata((("x-tail", "2"), ("x-tail-bin", b"\x00\xff")))
        return request

    def _refuse(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("x-why", "because"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not “today”")
        raise AssertionError("abort raises")

    def _count(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for number in range(int(request)):
            yield b"%d" % number
        if request == b"3":
            context.abort(grpc.StatusCode.OUT_OF_RANGE, "three is enough")

    def _sum(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return b"%d" % sum(map(len, requests))

    def _chat(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield request[::-1]

    def _hang(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(self.cancelled.set)
        while context.is_active():
            time.sleep(0.01)
        return b""

    def _check(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return _SERVING if self.healthy else _NOT_SERVING


def channel(port: int, name: str, authority_pem: str = "") -> grpc.Channel:
    """To ``port`` of loopback, asking for ``name``; over TLS if an authority is given."""
    address, options = f"127.0.0.1:{port}", [("grpc.default_authority", name), ("grpc.enable_http_proxy", 0)]
    if not authority_pem:
        return grpc.insecure_channel(address, options)
    credentials = grpc.ssl_channel_credentials(authority_pem.encode())
    return grpc.secure_channel(address, credentials, [*options, ("grpc.ssl_target_name_override", name)])
