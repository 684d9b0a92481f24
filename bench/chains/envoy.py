"""Real Envoy with ``ext_authz`` over HTTP to the auth server that says yes. Measured when it is asked for."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chains.chain import Chain, Site
from chains.yes_man import yes_man
from peers.processes import free_port, running

_TYPE = "type.googleapis.com/envoy.extensions.filters"


@contextlib.contextmanager
def envoy(site: Site) -> Iterator[Chain]:
    port = free_port()
    with yes_man(site.folder / "auth", site.prefix) as auth:
        (site.folder / "envoy.json").write_text(json.dumps(_bootstrap(port, auth.port, site.application)))
        argv = [*site.prefix, Path(sys.executable).with_name("envoy"), "-c", site.folder / "envoy.json"]
        argv += ["--concurrency", "1", "-l", "error", "--disable-hot-restart"]
        with running(argv, log=site.folder / "envoy.log", port=port) as process:
            yield Chain("envoy", {"web": port}, (process.pid, auth.pid))


def _bootstrap(port: int, auth: int, application: int) -> dict[str, Any]:
    check = {
        "@type": f"{_TYPE}.http.ext_authz.v3.ExtAuthz",
        "http_service": {
            "server_uri": {"uri": f"http://127.0.0.1:{auth}", "cluster": "auth", "timeout": "5s"},
            "authorization_request": {"allowed_headers": {"patterns": [{"exact": "cookie", "ignore_case": True}]}},
            "authorization_response": {
                "allowed_upstream_headers": {"patterns": [{"prefix": "x-authentik-", "ignore_case": True}]}
            },
        },
    }
    # Of a client on loopback Envoy says another address of the machine, so that one is written here as well.
    told = [
        {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for name, value in (
            ("X-Forwarded-Host", "%REQ(:AUTHORITY)%"),
            ("X-Forwarded-For", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
        )
    ]
    manager = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "use_remote_address": True,
        "http_filters": [
            {"name": "ext_authz", "typed_config": check},
            {"name": "router", "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"}},
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "app",
                    "domains": ["*"],
                    "request_headers_to_add": told,
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}],
                }
            ]
        },
    }
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": _address(port),
                    "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
                }
            ],
            "clusters": [_cluster("app", application), _cluster("auth", auth)],
        }
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": [endpoint]}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
