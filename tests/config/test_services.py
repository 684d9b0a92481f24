"""Services and transports as an operator writes them: every option of Traefik's is taken or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doorward.config.decode import decode, parse
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import ConfigurationError
from doorward.config.services import status_ranges


def decoded(text: str) -> DynamicConfiguration:
    return decode(parse(text, Path("routes.yml")), DynamicConfiguration)


def balancer(options: str) -> DynamicConfiguration:
    return decoded(f"http: {{services: {{app: {{loadBalancer: {{{options}}}}}}}}}")


def refused(text: str) -> str:
    with pytest.raises(ConfigurationError) as raised:
        decoded(text)
    return str(raised.value)


def test_a_load_balancer_with_every_option() -> None:
    """Traefik's documentation, pasted."""
    service = (
        decoded("""
http:
  services:
    app:
      loadBalancer:
        strategy: p2c
        sticky: {cookie: {name: lb, secure: true, httpOnly: true, sameSite: Lax, maxAge: 60, path: /p, domain: a.test}}
        servers: [{url: "https://10.0.0.1:8443/base", weight: 2, preservePath: true}, {url: "unix:/run/app.sock"}]
        healthCheck:
          path: health?full=1
          mode: http
          scheme: http
          method: HEAD
          status: 204
          port: 8080
          interval: 10s
          unhealthyInterval: 1s
          timeout: 3s
          hostname: app.test
          headers: {X-Probe: "yes"}
          followRedirects: false
        passiveHealthCheck: {failureWindow: 3s, maxFailedAttempts: 3}
        passHostHeader: false
        responseForwarding: {flushInterval: -1ms}
        serversTransport: mine
  serversTransports:
    mine:
      serverName: app.test
      insecureSkipVerify: true
      disableHTTP2: true
      minVersion: VersionTLS12
      maxVersion: VersionTLS13
      cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
      peerCertURI: spiffe://a.test/app
      forwardingTimeouts: {dialTimeout: 1s, responseHeaderTimeout: 2s, idleConnTimeout: 3s}
""")
        .http.services["app"]
        .load_balancer
    )

    assert service is not None
    assert service.health_check is not None
    assert service.health_check.path == "/health?full=1"
    assert service.sticky is not None and service.sticky.cookie is not None
    assert service.sticky.cookie.same_site == "lax"


@pytest.mark.parametrize(
    "path",
    [
        "http://169.254.169.254/latest",
        "//other.test/health",
        "https:/x",
        "file:///etc/passwd",
        "/a b",
        "/a#b",
        "/\r\nX: y",
        "",
    ],
)  # S-651
def test_a_health_check_stays_on_the_server(path: str) -> None:
    """Its path is a path: a URL, whatever it looks like, is refused."""
    assert "healthCheck.path: must be a path" in refused(
        f"http: {{services: {{app: {{loadBalancer: {{healthCheck: {{path: {json.dumps(path)}}}}}}}}}}}"
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("healthCheck: {}", "healthCheck: needs a path such as /health (or mode: grpc)"),
        ("healthCheck: {path: /, mode: smtp}", "healthCheck.mode: must be one of http, grpc"),
        ("healthCheck: {path: /, scheme: h2c}", "cannot be asked over h2c unless its mode is grpc"),
        ("healthCheck: {path: /, interval: 0s}", "healthCheck.interval"),
        ("healthCheck: {path: /, method: 'GET /'}", "healthCheck.method: must be a method"),
        ("healthCheck: {path: /, hostname: 'a/b'}", "healthCheck.hostname: must be a host name"),
        ("healthCheck: {path: /, headers: {'X Y': z}}", "must be the name of a header field"),
        ('healthCheck: {path: /, headers: {X: "a\\r\\nb"}}', "must not have line breaks"),
        ("passiveHealthCheck: {maxFailedAttempts: 0}", "passiveHealthCheck.maxFailedAttempts"),
        ("strategy: random", "strategy: must be one of wrr, p2c, hrw, leasttime"),
        ("sticky: {cookie: {name: 'a;b'}}", "sticky.cookie.name: must be the name of a cookie"),
        ("sticky: {cookie: {path: a}}", "sticky.cookie.path: must start with /"),
        ("sticky: {cookie: {domain: 'a; Secure'}}", "sticky.cookie.domain: must not have semicolons"),
        ("sticky: {cookie: {sameSite: loose}}", "sticky.cookie.sameSite: must be one of"),
        ("responseForwarding: {flushInterval: soon}", "flushInterval: must be a duration"),
        (
            "servers: [{url: 'h2://a:1'}]",
            "servers[0].url: must be http://host:port, https://host:port, h2c://host:port",
        ),
        ("servers: [{url: 'http://ü:1'}]", "servers[0].url: must be a URL without spaces"),
        ("servers: [{url: 'http://u:p@a:1'}]", "servers[0].url: must be http://host:port"),
    ],
)
def test_what_a_load_balancer_cannot_be(options: str, reason: str) -> None:
    """The place and the reason, for each."""
    assert reason in refused(f"http: {{services: {{app: {{loadBalancer: {{{options}}}}}}}}}")


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("weighted: {services: []}", "weighted.services"),
        ("mirroring: {service: a, mirrors: [{name: b, percent: 101}]}", "mirrors[0].percent"),
        ("mirroring: {service: a, maxBodySize: -1}", "mirroring.maxBodySize"),
        ("failover: {service: a}", "failover.fallback: is missing"),
        ("failover: {service: a, fallback: b, errors: {}}", "errors.status: is missing"),
        ("failover: {service: a, fallback: b, errors: {status: ['600']}}", "errors.status: must be statuses"),
        ("failover: {service: a, fallback: b, errors: {status: ['504-500']}}", "errors.status: must be statuses"),
        ("middlewares: {a: b}", "middlewares"),
    ],
)
def test_what_a_combined_service_cannot_be(service: str, reason: str) -> None:
    """The same for services of services."""
    assert reason in refused(f"http: {{services: {{app: {{{service}}}}}}}")


@pytest.mark.parametrize(
    ("transport", "reason"),
    [
        ("minVersion: VersionTLS10", "minVersion: must be VersionTLS12 or VersionTLS13: older"),
        ("maxVersion: '1.2'", "maxVersion: must be VersionTLS12 or VersionTLS13"),
        ("minVersion: VersionTLS13, maxVersion: VersionTLS12", "leaves no TLS version"),
        ("cipherSuites: [TLS_RSA_WITH_RC4_128_SHA]", "TLS_RSA_WITH_RC4_128_SHA is unknown or unsafe"),
        ("certificates: [{certFile: a, keyFile: b}, {certFile: c, keyFile: d}]", "must be one certificate at most"),
        ("peerCertSANs: []", "peerCertSANs: Traefik has this option"),
        ("spiffe: {}", "spiffe: Traefik has this option"),
    ],
)
def test_what_a_transport_cannot_be(transport: str, reason: str) -> None:
    """Old TLS is refused and nothing is ignored."""  # S-719
    assert reason in refused(f"http: {{serversTransports: {{t: {{{transport}}}}}}}")


def test_statuses_are_numbers_and_ranges() -> None:
    """As in Traefik's ``errors``."""
    assert status_ranges(("502", "500-504")) == ((502, 502), (500, 504))
