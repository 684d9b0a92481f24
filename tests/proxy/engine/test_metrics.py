"""What is counted beside the requests themselves."""

from __future__ import annotations

from msgspec.structs import replace

from doorward.messages.entry_points import Metrics
from doorward.proxy.account import Account
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.request import ConnectionFacts

ACCOUNT = Account(
    entry_point="web",
    method=b"GET",
    target=b"/",
    version=b"HTTP/1.1",
    started=0.0,
    started_at=0.0,
    status=200,
    router="app@file",
    service="app@file",
    seconds=0.2,
)
USUAL = Metrics("web")
TLS = ConnectionFacts("192.0.2.7", 443, tls=True, tls_version="1.3", tls_cipher="TLS_AES_128_GCM_SHA256")


def counted(*accounts: Account, guarded: str = "", settings: Metrics = USUAL) -> dict[str, float]:
    book = MetricsBook(settings)
    book.guarded = frozenset((guarded,)) if guarded else frozenset()
    for account in accounts:
        book.record(account)
    return book.collect()


def test_tls_is_counted_by_version_and_cipher() -> None:
    """Under the standard's names, for the entry point, the router and the service."""
    found = counted(
        replace(ACCOUNT, connection=TLS),
        replace(ACCOUNT, connection=TLS),
        ACCOUNT,
        settings=Metrics("web", add_routers_labels=True),
    )

    tls = 'tls_cipher="TLS_AES_128_GCM_SHA256",tls_version="1.3"'
    assert found[f'traefik_entrypoint_requests_tls_total{{entrypoint="web",{tls}}}'] == 2
    assert found[f'traefik_router_requests_tls_total{{router="app@file",service="app@file",{tls}}}'] == 2
    assert found[f'traefik_service_requests_tls_total{{service="app@file",{tls}}}'] == 2


def test_decisions_are_counted() -> None:
    """Of routers that ask: what passed, and how the others ended."""
    found = counted(
        ACCOUNT,
        ACCOUNT,
        replace(ACCOUNT, denial="login", status=302),
        replace(ACCOUNT, denial="forbidden", status=403),
        replace(ACCOUNT, router="open@file"),
        guarded="app@file",
    )

    assert {name: count for name, count in found.items() if name.startswith("doorward_")} == {
        'doorward_decisions_total{outcome="pass",router="app@file"}': 2,
        'doorward_decisions_total{outcome="login",router="app@file"}': 1,
        'doorward_decisions_total{outcome="forbidden",router="app@file"}': 1,
    }


def test_retries_are_counted() -> None:
    """Every further attempt of a service."""
    found = counted(replace(ACCOUNT, retries=2), replace(ACCOUNT, retries=1), ACCOUNT)

    assert found['traefik_service_retries_total{service="app@file"}'] == 3


def test_what_is_spoken_is_a_label() -> None:
    """``http``, ``sse``, ``grpc``, ``websocket`` (whose code is 0)."""
    found = counted(replace(ACCOUNT, protocol="sse"), replace(ACCOUNT, websocket=True, status=101))

    totals = {name for name in found if name.startswith("traefik_entrypoint_requests_total")}
    assert totals == {
        'traefik_entrypoint_requests_total{code="200",method="GET",protocol="sse",entrypoint="web"}',
        'traefik_entrypoint_requests_total{code="0",method="GET",protocol="websocket",entrypoint="web"}',
    }


def test_internal_services_are_counted_when_wanted() -> None:
    """``addInternals``; and labels can be switched off."""
    ping = replace(ACCOUNT, service="ping@internal")

    assert counted(ping) == {}
    assert counted(ping, settings=Metrics("web", add_internals=True))
    assert counted(ACCOUNT, settings=Metrics("web", add_entry_points_labels=False, add_services_labels=False)) == {}


def test_the_protocol_is_what_the_client_asks_for() -> None:
    """Seen once per header block, at the entry point."""
    from proxy.made import admitted

    assert admitted((b"Accept", b"text/event-stream")).protocol == "sse"
    assert admitted((b"Content-Type", b"application/grpc+proto")).protocol == "grpc"
    assert admitted((b"Content-Type", b"application/grpc-web")).protocol == "grpc-web"
    assert admitted((b"Accept", b"text/html")).protocol == "http"


# S-616
def test_what_a_client_makes_up_is_in_no_label() -> None:
    """Methods, targets and addresses of their invention grow no memory: the series are as many as for one request."""
    made_up = [
        replace(
            ACCOUNT,
            method=b"INVENTED%d" % number,
            target=b"/invented/%d?invented" % number,
            connection=ConnectionFacts(f"192.0.2.{number}", 443, tls=False),
        )
        for number in range(50)
    ]
    found = counted(*made_up)
    assert found.keys() == counted(made_up[0]).keys()
    assert not [series for series in found if "invented" in series.lower() or "192.0.2" in series]
    assert [series for series in found if 'method="EXTENSION_METHOD"' in series]
