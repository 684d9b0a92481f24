"""Sets of TLS options as written: what they become, which hosts use which, and what is refused."""

from __future__ import annotations

import ssl

import pytest

from doorward.config.problems import ConfigurationError
from doorward.messages.routing import EncodedCharacters, TlsName, TlsOptions
from net.certificates import Authority
from sources.compiling import STATIC, compiled, router
from sources.test_compile import http

CA = Authority("Company").pem.replace("\n", "\\n")
MUTUAL = f'{{clientAuth: {{caFiles: ["{CA}"]}}}}'


def tls(options: str, routers: str = "{}") -> str:
    return f"{http(routers)}tls: {{options: {options}}}\n"


def options(text: str) -> TlsOptions:
    return compiled(tls(f"{{s: {text}}}")).table.tls_options["s@file"]


def problem(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        options(text)
    return str(caught.value)


def app(rule: str, set_name: str = "", entry_points: str = "websecure") -> str:
    chosen = f"options: {set_name}" if set_name else ""
    return f"{{rule: '{rule}', service: app, entryPoints: [{entry_points}], tls: {{{chosen}}}}}"


def test_every_option() -> None:
    """Traefik's names become OpenSSL's."""
    made = options(
        "{minVersion: VersionTLS12, maxVersion: VersionTLS12, sniStrict: true, disableSessionTickets: true, "
        "cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305], "
        "curvePreferences: [CurveP521, CurveP256], alpnProtocols: [http/1.1]}"
    )

    assert made == TlsOptions(
        max_version="TLSv1_2",
        ciphers="ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305",
        groups=("secp521r1", "prime256v1"),
        sni_strict=True,
        protocols=("http/1.1",),
        session_tickets=False,
    )


def test_suites_of_tls_1_3_alone_leave_tls_1_3() -> None:
    """They cannot be chosen among; that nothing else is named leaves nothing else."""
    assert options("{cipherSuites: [TLS_AES_128_GCM_SHA256]}").min_version == "TLSv1_3"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{minVersion: VersionTLS11}", "must be VersionTLS12 or VersionTLS13: what is older is not safe"),
        ("{minVersion: VersionTLS31}", "did you mean 'VersionTLS13'?"),
        ("{minVersion: VersionTLS13, maxVersion: VersionTLS12}", "leaves no TLS version"),
        ("{cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA512]}", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'?"),
        ("{cipherSuites: [TLS_RSA_WITH_RC4_128_SHA]}", "names the unknown or unsafe cipher suite"),
        ("{maxVersion: VersionTLS12, cipherSuites: [TLS_AES_128_GCM_SHA256]}", "leaves nothing"),
        ("{curvePreferences: [CurveP255]}", "names the unknown curve 'CurveP255'; did you mean 'CurveP256'?"),
        ("{alpnProtocols: [http/2]}", "names the unknown protocol 'http/2'"),
        ("{alpnProtocols: []}", "alpnProtocols"),
        ("{clientAuth: {clientAuthType: RequireAndVerifyClientCert}}", "names no caFiles to verify them with"),
        ("{clientAuth: {clientAuthType: RequestClientCert}}", "a certificate that nobody verifies says nothing"),
        ("{clientAuth: {}}", "names no caFiles, so nobody would be asked"),
        ("{clientAuth: {caFiles: []}}", "names no caFiles, so nobody would be asked"),
        ("{clientAuth: {caFiles: [x], clientAuthType: Verify}}", "must be one of NoClientCert"),
        ("{preferServerCipherSuites: true}", "has no effect in Traefik v3"),
        ("{sniStrikt: true}", "did you mean 'sniStrict'?"),
    ],
)
def test_what_cannot_be_is_told(written: str, told: str) -> None:
    """The whole configuration is refused with the place and the nearest name that exists."""
    assert told in problem(written)


def test_curves_that_this_python_cannot_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one of the list is chosen, and a warning says so; where nothing is left, nothing is served by it."""

    def choose(context: ssl.SSLContext, name: str) -> None:
        if name.startswith("X25519"):
            raise ssl.SSLError(1, "[EC: UNKNOWN_GROUP] unknown group")

    monkeypatch.setattr(ssl.SSLContext, "set_ecdh_curve", choose)
    made = compiled(tls("{s: {curvePreferences: [X25519MLKEM768, X25519, CurveP384]}}"))
    assert made.table.tls_options["s@file"].groups == ("secp384r1",)
    assert [text for text in made.warnings if "cannot choose X25519, X25519MLKEM768" in text]
    assert "cannot choose X25519, and nothing else is listed" in problem("{curvePreferences: [X25519]}")


@pytest.mark.parametrize(
    ("kind", "demand"),
    [
        ("", "required"),
        ("NoClientCert", "none"),
        ("RequestClientCert", "optional"),
        ("VerifyClientCertIfGiven", "optional"),
        ("RequireAnyClientCert", "required"),
        ("RequireAndVerifyClientCert", "required"),
    ],
)
def test_client_auth_types(kind: str, demand: str) -> None:
    """Authorities without a type demand a certificate; one that is given is verified whatever the type says."""
    chosen = f", clientAuthType: {kind}" if kind else ""

    made = options(f'{{clientAuth: {{caFiles: ["{CA}"]{chosen}}}}}')

    assert made.client_certificate == demand
    assert bool(made.client_ca_pem) == (demand != "none")


@pytest.mark.parametrize("kind", ["", ", clientAuthType: VerifyClientCertIfGiven"])
def test_authorities_that_cannot_be_read_close_their_hosts(kind: str) -> None:
    """Client certificates are never switched off by a file that is not there."""  # S-705
    made = compiled(
        tls(f"{{s: {{clientAuth: {{caFiles: [/gone.pem]{kind}}}}}}}", f"{{a: {app('Host(`a.test`)', 's')}}}")
    )

    assert "gone.pem cannot be read" in made.table.tls_options["s@file"].broken
    assert "gone.pem cannot be read" in router(made, "a@file").broken
    assert made.table.tls_names == (TlsName("websecure", "a.test", "s@file"),)


def test_hosts_use_the_set_of_their_router() -> None:
    """Each host of the rule; a router without ``options`` uses ``default``."""
    made = compiled(
        tls(
            f"{{s: {MUTUAL}}}",
            f"{{a: {app('Host(`a.test`) || Host(`*.b.test`)', 's')}, c: {app('Host(`c.test`)')}, "
            f"d: {app('Host(`x.b.test`)', 'default')}, any: {app('PathPrefix(`/`)')}}}",
        )
    )

    assert made.table.tls_names == (
        TlsName("websecure", "*.b.test", "s@file"),
        TlsName("websecure", "a.test", "s@file"),
        TlsName("websecure", "x.b.test", "default"),
    )
    assert [router(made, f"{name}@file").tls_options for name in ("a", "c", "any")] == ["s@file", "default", ""]
    assert any("can match x.b.test as well" in warning for warning in made.warnings)


def test_two_sets_for_one_host_close_both_routers() -> None:
    """Whichever was taken, one of the two would be open to somebody whom it means to keep out."""
    made = compiled(
        tls(
            f"{{s: {MUTUAL}}}",
            f"{{a: {app('Host(`a.test`) && PathPrefix(`/x`)', 's')}, b: {app('Host(`a.test`)')}, "
            f"c: {app('Host(`c.test`)', 's')}}}",
        )
    )

    for name in ("a@file", "b@file"):
        broken = router(made, name)
        assert (
            broken.broken == "b@file (default) and a@file (s@file) want different TLS options for a.test at websecure"
        )
        assert (broken.middlewares, broken.service) == ((), "")
    assert router(made, "c@file").broken == ""


def test_sets_of_one_host_at_two_entry_points() -> None:
    """Each entry point has its own handshakes: there is no conflict between them."""
    static = STATIC.replace("identity:", '  other: {address: ":444"}\nidentity:', 1)
    made = compiled(
        tls(
            f"{{s: {MUTUAL}}}",
            f"{{a: {app('Host(`a.test`)', 's')}, b: {app('Host(`a.test`)', '', 'other')}}}",
        ),
        static,
    )

    assert made.broken == ()
    assert made.table.tls_names == (TlsName("websecure", "a.test", "s@file"),)


def test_unknown_options_close_their_hosts() -> None:
    """The router answers 503 and its hosts' handshakes are refused, with the nearest name in the log."""
    made = compiled(tls(f"{{strict: {MUTUAL}}}", f"{{a: {app('Host(`a.test`)', 'strikt')}}}"))

    why = "the TLS options 'strikt@file' do not exist; did you mean 'strict@file'?"
    assert router(made, "a@file").broken == why
    assert made.table.tls_options["strikt@file"].broken == why
    assert made.table.tls_names == (TlsName("websecure", "a.test", "strikt@file"),)


def test_an_entry_points_own_set() -> None:
    """It holds for its routers without ``tls`` of their own, for the ones that we add, and for names nobody knows."""
    static = STATIC.replace("tls: {}", "tls: {options: s@file}") + "ping: {entryPoint: websecure}\n"
    made = compiled(
        tls(
            f"{{s: {MUTUAL}}}",
            "{a: {rule: 'Host(`a.test`)', service: app, entryPoints: [websecure]}, "
            f"b: {app('Host(`b.test`)')}, any: {{rule: 'PathPrefix(`/`)', service: app, entryPoints: [websecure]}}}}",
        ),
        static,
    )

    assert made.table.tls_names == (TlsName("websecure", "", "s@file"), TlsName("websecure", "b.test", "default"))
    assert [router(made, name).tls_options for name in ("a@file", "b@file", "any@file", "ping@internal")] == [
        "s@file", "default", "", "",
    ]  # fmt: skip


def test_options_for_no_host_are_told() -> None:
    """A router that names no host never has a handshake with its own options: it says so."""
    made = compiled(tls(f"{{s: {MUTUAL}}}", f"{{a: {app('PathPrefix(`/`)', 's')}}}"))

    assert router(made, "a@file").tls_options == "s@file"
    assert any("names no host, so no handshake is made with its TLS options" in warning for warning in made.warnings)


def test_weak_wishes_are_told() -> None:
    """What is stricter here than the words say, and what is weaker than it should be."""
    made = compiled(
        tls(
            f'{{s: {{cipherSuites: [TLS_RSA_WITH_AES_128_GCM_SHA256], clientAuth: {{caFiles: ["{CA}"], '
            "clientAuthType: RequestClientCert}}}"
        )
    )

    assert any("whoever gets the key can read" in warning for warning in made.warnings)
    assert any("certificates that are given are verified all the same" in warning for warning in made.warnings)


def test_escapes_that_an_entry_point_does_not_allow() -> None:
    """They are refused in front of every router of the entry point, our own ones included."""
    static = STATIC.replace('":80"', '":80", http: {encodedCharacters: {allowEncodedSlash: false}}')
    made = compiled(
        http("{a: {rule: 'Host(`a.test`)', service: app, middlewares: [m]}}", "{m: {headers: {frameDeny: true}}}"),
        static + "ping: {entryPoint: web}\n",
    )
    guard = EncodedCharacters("web@internal", ("%2F",))

    assert router(made, "web-a@file").middlewares[0] == guard
    assert router(made, "ping@internal").middlewares == (guard,)
    assert guard not in router(made, "websecure-a@file").middlewares
