"""Real gRPC servers, restarted one after the other under load."""

from __future__ import annotations

import asyncio
import threading

import grpc
import pytest

from doorward.messages.routing import Server
from peers.grpc_service import NAME, GrpcService, channel
from proxy.engine.stage import eventually
from proxy.services.fleet import Fleet, balancer

pytestmark = pytest.mark.interop
CALLERS = 6


class Callers:
    """Threads that call again and again, each waiting for its answer."""

    def __init__(self, port: int) -> None:
        self.failures: list[str] = []
        self.done = 0
        self._enough = threading.Event()
        self._channel = channel(port, "app.test")
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        say = self._channel.unary_unary(f"/{NAME}/Say")
        while not self._enough.is_set():
            try:
                assert say(b"x" * 1000, timeout=30) == b"x" * 1000
                self.done += 1
            except grpc.RpcError as error:
                # A server of grpcio that stops answers so to what it has taken and not begun, whoever asked.
                if error.code() is not grpc.StatusCode.CANCELLED:
                    self.failures.append(str(error))

    def stop(self) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()
        self._channel.close()


async def test_a_rolling_restart_loses_no_call(fleet: Fleet) -> None:
    """Two servers, each stopped with grace and started again, three times: every call is answered."""
    services = [GrpcService().start() for _ in range(2)]
    servers = [Server(f"h2c://127.0.0.1:{service.port}") for service in services]
    await fleet.serve(balancer("s@file", *servers))
    callers = await asyncio.to_thread(Callers, fleet.port)
    try:
        for turn in range(6):
            before = callers.done
            await eventually(lambda before=before: callers.done > before + 50, 30)
            service = services[turn % 2]
            await asyncio.to_thread(service.stop, 10)
            services[turn % 2] = await asyncio.to_thread(GrpcService(port=service.port).start)
            await eventually(lambda turn=turn: len(services[turn % 2].seen) > 10, 30)
    finally:
        await asyncio.to_thread(callers.stop)
        for service in services:
            await asyncio.to_thread(service.stop)

    assert callers.failures == []
    assert callers.done > 300
