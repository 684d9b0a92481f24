"""The static configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.config import listening
from doorward.config.problems import ConfigurationError
from doorward.config.section import parse_duration
from doorward.config.static import StaticConfiguration, load_static


def load(tmp_path: Path, text: str) -> StaticConfiguration:
    path = tmp_path / "doorward.yml"
    path.write_text(text)
    return load_static(path)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_traefik_file_is_read(tmp_path: Path) -> None:
    """A file that works with Traefik works here, keys in any case."""
    static = load(
        tmp_path,
        """
entryPoints:
  web: {address: ":80", http: {redirections: {entryPoint: {to: websecure, scheme: https}}}}
  other:
    ADDRESS: "127.0.0.1:443"
  websecure:
    address: "[::1]:8443/tcp"
    asdefault: true
    forwardedHeaders: {trustedIPs: "10.0.0.0/8, 192.0.2.1"}
    http: {tls: {}}
    transport: {respondingTimeouts: {readTimeout: 60s, idleTimeout: 1m30s}, lifeCycle: {graceTimeOut: 3}}
providers: {providersThrottleDuration: 500ms, file: {directory: /etc/doorward/routes}}
accessLog: {}
metrics: {prometheus: {addRoutersLabels: true, buckets: [0.5, 1]}}
ping: {}
""",
    )
    points = {point.name: point for point in listening.entry_points(static)}

    assert (points["websecure"].host, points["websecure"].port, points["websecure"].tls) == ("::1", 8443, True)
    assert points["websecure"].trusted_ips == ("10.0.0.0/8", "192.0.2.1")
    assert points["websecure"].read_header_timeout == 10.0
    assert points["websecure"].idle_timeout == 90.0
    assert points["traefik"].port == 8080
    assert listening.default_entry_points(static) == ("websecure",)
    assert listening.metrics(static).buckets == (0.5, 1.0)
    assert listening.grace(static) == 10.0
    assert static.providers.providers_throttle_duration == 0.5


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Every mistake of a file is told in one go, with line, path, value and the nearest valid name."""  # S-716
    found = problems(
        tmp_path,
        """
entryPoints:
  web:
    adress: ":80"
    address: "80"
    forwardedHeaders:
      insecure: yes
      trustedIPs: [10.0.0.0/8, 300.0.0.1]
accesLog: {}
log: {level: debug, format: jsn}
""",
    )

    assert found == [
        "doorward.yml:4: entryPoints.web.adress: is not known; did you mean 'address'?",
        "doorward.yml:5: entryPoints.web.address: must be an address such as :8080 or 127.0.0.1:8080, not '80'",
        "doorward.yml:7: entryPoints.web.forwardedHeaders.insecure: must be true or false, not 'yes'",
        "doorward.yml:8: entryPoints.web.forwardedHeaders.trustedIPs[1]: must be an IP address or a network such as "
        "10.0.0.0/8, not '300.0.0.1'",
        "doorward.yml:9: accesLog: is not known; did you mean 'accessLog'?",
        "doorward.yml:10: log.format: must be one of common, json, not 'jsn'; did you mean 'json'?",
    ]


def test_known_option_of_traefik_says_so(tmp_path: Path) -> None:
    """An option that Traefik has and we do not is an error that says exactly that, and is never ignored."""
    found = problems(
        tmp_path, "certificatesResolvers: {}\nproviders: {docker: {}}\nentryPoints: {a: {address: ':1', http3: {}}}\n"
    )

    assert len(found) == 3
    assert all("Traefik has this option, Doorward does not support it yet" in problem for problem in found)


def test_routes_in_the_static_file_are_explained(tmp_path: Path) -> None:
    """Whoever writes routes into the static file is told where they belong."""
    assert problems(tmp_path, "http: {routers: {}}\n") == [
        "doorward.yml:1: http: belongs into a file of the file provider (providers.file), not into this one"
    ]


def test_key_in_two_spellings_is_refused(tmp_path: Path) -> None:
    """Keys have no case, so two spellings are a duplicate."""
    assert problems(tmp_path, "ping: {}\nPing: {}\n") == ["doorward.yml:2: Ping: is given twice, in two spellings"]


def test_empty_value_is_explained(tmp_path: Path) -> None:
    """A key without a value is neither on nor off."""
    assert problems(tmp_path, "ping:\n")[0].startswith("doorward.yml:1: ping: is empty")


def test_contradictions_are_told(tmp_path: Path) -> None:
    """Parts that do not fit together are errors before anything starts."""
    found = problems(
        tmp_path,
        """
entryPoints:
  web: {address: ":80", http: {redirections: {entryPoint: {to: websecur}}}}
  websecure: {address: ":80"}
ping: {entryPoint: nowhere}
""",
    )

    assert found == [
        "doorward.yml:5: ping.entryPoint: there is no entry point 'nowhere'; possible here: traefik, web, websecure",
        "doorward.yml:3: entryPoints.web.http.redirections.entryPoint.to: there is no entry point 'websecur'; did you "
        "mean 'websecure'?",
        "doorward.yml:4: entryPoints.websecure.address: is the address of the entry point 'web' as well",
    ]


def test_identity_entry_point_is_made(tmp_path: Path) -> None:
    """The identity provider is on :9000 unless told otherwise, and there the proxies beside us may speak."""  # S-129
    static = load(tmp_path, "entryPoints: {web: {address: ':80'}}\nidentity: {externalUrl: 'https://Auth.test:443/'}\n")
    points = {point.name: point for point in listening.entry_points(static)}

    assert static.identity is not None
    assert static.identity.external_url == "https://auth.test"
    assert points["identity"].port == 9000
    assert "127.0.0.0/8" in points["identity"].trusted_ips
    assert points["web"].trusted_ips == ()
    assert listening.default_entry_points(static) == ("web",)


def test_identity_entry_point_can_trust_nobody(tmp_path: Path) -> None:
    """An explicit empty list is taken at its word."""
    text = "entryPoints: {identity: {address: ':9', forwardedHeaders: {trustedIPs: []}}}\nidentity: {externalUrl: 'https://a.test'}\n"
    (point,) = listening.entry_points(load(tmp_path, text))

    assert point.trusted_ips == ()


@pytest.mark.parametrize(
    "url", ["auth.test", "ftp://a.test", "https://a.test/x", "https://u@a.test", "https://a.test:x", ""]
)
def test_external_url_is_checked(tmp_path: Path, url: str) -> None:
    """The one URL that everything is built from must be one."""
    assert "identity.externalUrl" in problems(tmp_path, f"identity: {{externalUrl: '{url}'}}\n")[0]


def test_no_entry_point_means_port_80(tmp_path: Path) -> None:
    """As in Traefik, a configuration without entry points has one."""
    (point,) = listening.entry_points(load(tmp_path, "log: {}\n"))

    assert (point.name, point.port) == ("http", 80)


def test_secrets_are_not_repeated(tmp_path: Path) -> None:
    """A wrong value that holds a password is not shown."""
    found = problems(tmp_path, "identity: {externalUrl: 'https://a.test', database: 'mysql://u:secret@h/d'}\n")

    assert "secret" not in found[0]


def test_missing_file_is_told(tmp_path: Path) -> None:
    """A file that is not there is an error that names it."""
    with pytest.raises(ConfigurationError, match=r"nothing\.yml: cannot be read: No such file"):
        load_static(tmp_path / "nothing.yml")


def test_large_file_is_refused(tmp_path: Path) -> None:
    """Fifty megabytes are not even parsed."""  # S-715
    path = tmp_path / "large.yml"
    path.write_bytes(b"#" * (50 << 20))

    with pytest.raises(ConfigurationError, match="is larger than 1048576 bytes"):
        load_static(path)


def test_toml_works_as_well(tmp_path: Path) -> None:
    """The same configuration in TOML."""
    path = tmp_path / "doorward.toml"
    path.write_text('[entryPoints.web]\naddress = ":81"\n')

    assert listening.entry_points(load_static(path))[0].port == 81


@pytest.mark.parametrize(
    ("written", "seconds"), [(10, 10), ("10", 10), ("1h30m", 5400), ("100ms", 0.1), ("1.5s", 1.5), ("2m0.5s", 120.5)]
)
def test_durations(written: object, seconds: float) -> None:
    """Durations are written as in Traefik; a bare number is seconds."""
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["", "10 s", "-1s", "1d", "s", "1h 2m", True, None, [], "٣s", "1" * 400 + "s"])
def test_other_durations_are_refused(written: object) -> None:
    """Anything else is an error, not a guess."""
    with pytest.raises(ValueError, match="duration"):
        parse_duration(written)
