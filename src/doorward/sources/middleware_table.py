"""Middlewares as written → middlewares as run: names resolved, chains flattened, values checked.

A middleware that cannot work is no error of the whole configuration: it breaks the routers that use it, which then
answer 503 and let nothing through (S-220, S-704). Only a file that cannot be read refuses everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from doorward.config import middlewares as written
from doorward.config.client_certificates import PassTlsClientCert
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.patterns import BadPattern, compile_pattern
from doorward.config.problems import nearest
from doorward.messages import routing as messages
from doorward.sources.own_addresses import OUTPOST_PROVIDER, OwnAddresses
from doorward.sources.pem import read_authorities, read_pem
from doorward.sources.references import Broken, qualified


class MiddlewareTable:
    """All middlewares of all providers."""

    def __init__(self, providers: Mapping[str, DynamicConfiguration], own: OwnAddresses) -> None:
        self._written = {
            f"{name}@{provider}": (middleware, provider)
            for provider, configuration in providers.items()
            for name, middleware in configuration.http.middlewares.items()
        }
        self._own = own
        self._made: dict[str, messages.Middleware] = {}

    def resolve(self, names: Iterable[str], provider: str) -> tuple[messages.Middleware, ...]:
        """The middlewares that ``names`` mean to ``provider``, chains taken apart.

        Raises Broken when one is missing or cannot work, BadPem when a file of one cannot be read.
        """
        resolved: list[messages.Middleware] = []
        for name in names:
            resolved += self._flat(qualified(name, provider), ())
        return tuple(resolved)

    def _flat(self, name: str, above: tuple[str, ...]) -> list[messages.Middleware]:
        if name in above:
            raise Broken(f"the chain {' → '.join((*above, name))} goes in a circle")
        if name not in self._written:
            hint = nearest(name, self._written)
            raise Broken(f"the middleware {name!r} does not exist" + (f"; {hint}" if hint else ""))
        middleware, provider = self._written[name]
        types = middleware.types()
        if len(types) != 1:
            found = "no type" if not types else "more than one type: " + ", ".join(types)
            raise Broken(f"the middleware {name!r} has {found}")
        if middleware.chain is not None:
            flat: list[messages.Middleware] = []
            for inner in middleware.chain.middlewares:
                flat += self._flat(qualified(inner, provider), (*above, name))
            return flat
        if name not in self._made:
            self._made[name] = self._make(name, middleware)
        return [self._made[name]]

    def _make(self, name: str, middleware: written.Middleware) -> messages.Middleware:
        try:
            if middleware.forward_auth is not None:
                return self._forward_auth(name, middleware.forward_auth)
            if middleware.headers is not None:
                return _headers(name, middleware.headers)
            if middleware.redirect_scheme is not None:
                redirect = middleware.redirect_scheme
                return messages.RedirectScheme(name, redirect.scheme, redirect.port, redirect.permanent)
            if middleware.pass_tls_client_cert is not None:
                return _pass_tls_client_cert(name, middleware.pass_tls_client_cert)
            if middleware.encoded_characters is not None:
                return messages.EncodedCharacters(name, middleware.encoded_characters.denied())
            assert middleware.strip_prefix is not None
            return _strip_prefix(name, middleware.strip_prefix)
        except BadPattern as error:
            raise Broken(f"the middleware {name!r} has an expression that {error}") from error

    def _forward_auth(self, name: str, auth: written.ForwardAuth) -> messages.ForwardAuth:
        try:
            parts = urlsplit(auth.address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
            _ = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise Broken(f"the middleware {name!r} has an address that is no http or https URL: {auth.address!r}")
        if auth.auth_response_headers_regex:
            compile_pattern(auth.auth_response_headers_regex)
        return messages.ForwardAuth(
            name=name,
            address=auth.address,
            trust_forward_header=auth.trust_forward_header,
            auth_response_headers=auth.auth_response_headers,
            auth_response_headers_regex=auth.auth_response_headers_regex,
            auth_request_headers=auth.auth_request_headers,
            add_auth_cookies_to_response=auth.add_auth_cookies_to_response,
            tls=_client_tls(auth.tls),
            header_field=auth.header_field,
            forward_body=auth.forward_body,
            max_body_size=auth.max_body_size,
            preserve_location_header=auth.preserve_location_header,
            preserve_request_method=auth.preserve_request_method,
            max_response_body_size=auth.max_response_body_size,
            auth_signin_url=auth.auth_signin_url,
            recheck_interval=auth.recheck_interval,
            fused=name.endswith(f"@{OUTPOST_PROVIDER}") or self._own.are_fused(auth.address),
        )


def _client_tls(tls: written.ClientTls | None) -> messages.ClientTls | None:
    if tls is None:
        return None
    return messages.ClientTls(
        ca_pem=read_authorities((tls.ca,)) if tls.ca else "",
        cert_pem=read_pem(tls.cert) if tls.cert else "",
        key_pem=read_pem(tls.key) if tls.key else "",
        insecure_skip_verify=tls.insecure_skip_verify,
    )


def _strip_prefix(name: str, strip: written.StripPrefix) -> messages.StripPrefix:
    wrong = [prefix for prefix in strip.prefixes if not prefix.startswith("/")]
    if wrong:
        raise Broken(f"the middleware {name!r} has a prefix that does not start with /: {wrong[0]!r}")
    return messages.StripPrefix(name, strip.prefixes)


def _headers(name: str, headers: written.Headers) -> messages.Headers:
    for expression in headers.access_control_allow_origin_list_regex:
        compile_pattern(expression)
    values = {field: getattr(headers, field) for field in type(headers).model_fields}
    for field, value in values.items():
        if isinstance(value, dict):
            values[field] = tuple(value.items())
    made = messages.Headers(name=name, **values)
    if made == messages.Headers(name=name):
        raise Broken(f"the middleware {name!r} sets nothing")
    return made


def _pass_tls_client_cert(name: str, passing: PassTlsClientCert) -> messages.PassTlsClientCert:
    info = passing.info
    if not passing.pem and info is None:
        raise Broken(f"the middleware {name!r} passes nothing: it has neither pem nor info")
    if info is None:
        return messages.PassTlsClientCert(name, passing.pem)
    subject, issuer = (
        messages.CertificateFields(**part.model_dump()) if part is not None else None
        for part in (info.subject, info.issuer)
    )
    flags = {flag: getattr(info, flag) for flag in ("not_after", "not_before", "sans", "serial_number")}
    return messages.PassTlsClientCert(
        name, passing.pem, messages.CertificateInfo(subject=subject, issuer=issuer, **flags)
    )
