"""Configuration text in, compiled table out: what the tests of this room share."""

from __future__ import annotations

from pathlib import Path

from doorward.config.decode import decode, parse
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.static import StaticConfiguration, decode_static
from doorward.messages.routing import Router
from doorward.sources.compile import Compiled, compile_table

STATIC = """
entryPoints:
  web: {address: ":80"}
  websecure: {address: ":443", http: {tls: {}}}
identity: {externalUrl: "https://auth.example.test", data: /var/lib/doorward}
"""


def static_of(text: str) -> StaticConfiguration:
    return decode_static(parse(text, Path("doorward.yml")))


def dynamic_of(text: str) -> DynamicConfiguration:
    return decode(parse(text, Path("routes.yml")), DynamicConfiguration)


def compiled(dynamic: str, static: str = STATIC) -> Compiled:
    return compile_table(static_of(static), {"file": dynamic_of(dynamic)})


def router(result: Compiled, name: str) -> Router:
    (found,) = (router for router in result.table.routers if router.name == name)
    return found
