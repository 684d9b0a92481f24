"""``http.middlewares.<name>`` as an operator writes it (``contracts/proxy.md`` sections 5.1 and 7)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from doorward.config.client_certificates import PassTlsClientCert
from doorward.config.encoded_characters import EncodedCharacters
from doorward.config.section import Duration, Flag, Names, Section, Text, not_yet

_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def _field_name(text: str) -> str:
    if not _FIELD_NAME.fullmatch(text):
        raise ValueError("must be the name of a header field")
    return text


def _field_value(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not have line breaks or control characters")
    return text


def _printable_ascii(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a URL without spaces and with other characters escaped")
    return text


FieldName = Annotated[Text, AfterValidator(_field_name)]
FieldNames = Annotated[Names, AfterValidator(lambda names: tuple(map(_field_name, names)))]
FieldValue = Annotated[Text, AfterValidator(_field_value)]
FieldValues = Annotated[Names, AfterValidator(lambda values: tuple(map(_field_value, values)))]
Url = Annotated[Text, AfterValidator(_printable_ascii)]


class ClientTls(Section):
    """TLS towards an auth server."""

    refused = {"caOptional": "has no effect in Traefik v3 and does not exist here: remove it"}

    ca: Text = ""
    """Authorities to trust: a PEM file, or PEM text. Empty: those of the system."""
    cert: Text = ""
    key: Text = ""
    insecure_skip_verify: Flag = False
    """Accept every certificate: whoever sits on the network then decides who may pass."""


class ForwardAuth(Section):
    """Ask an auth server whether a request may pass."""

    address: Url
    """Full URL of the auth server's endpoint."""
    trust_forward_header: Flag | None = None
    """Pass the ``X-Forwarded-*`` of the hop before us on to the auth server. Unset is the same as false."""
    auth_response_headers: FieldNames = ()
    """Fields of the auth server's answer that the application gets; the client's own ones are dropped."""
    auth_response_headers_regex: Text = ""
    auth_request_headers: FieldNames = ()
    """The only fields of the client that the auth server gets; empty for all."""
    add_auth_cookies_to_response: Names = ()
    """Names of cookies of the auth server's 2xx answer that the client gets."""
    tls: ClientTls | None = None
    header_field: Annotated[Text, AfterValidator(lambda text: _field_name(text) if text else text)] = ""
    """Field of the answer that names the user in the access log."""
    forward_body: Flag = False
    max_body_size: int = Field(default=1 << 20, ge=0)
    """Bytes of a request body that are read for the auth server; more is answered 401. There is no "unlimited"."""
    preserve_location_header: Flag = False
    """Pass a relative ``Location`` on as it is, instead of resolving it against ``address``."""
    preserve_request_method: Flag = False
    """Ask with the client's method instead of GET."""
    max_response_body_size: int = Field(default=1 << 20, ge=0)
    """Bytes of the auth server's answer; more is answered 401. There is no "unlimited"."""
    auth_signin_url: Url = Field(default="", alias="authSigninURL")
    """Send the browser there instead of passing a 401 on."""
    recheck_interval: Duration = 30.0
    """Ask again so often while a WebSocket, an event stream or a long download is open, and cut it when the answer is
    no. 0: never. Our own outpost, asked within this program, says by itself when a session ends. (Not Traefik's.)"""


class RedirectScheme(Section):
    """Send the browser to the same page under another scheme."""

    scheme: Literal["http", "https"]
    port: Annotated[Text, Field(pattern=r"^(?:[0-9]{1,5})?$")] = ""
    permanent: Flag = False


class StripPrefix(Section):
    """Take a prefix off the path."""

    refused = {"forceSlash": "is deprecated in Traefik and does not exist here: remove it"}

    prefixes: Names = Field(min_length=1)


class Chain(Section):
    """Several middlewares under one name."""

    middlewares: Names = Field(min_length=1)


class Headers(Section):
    """Set fields, answer CORS preflights, add protections."""

    refused = dict.fromkeys(
        ("sslRedirect", "sslTemporaryRedirect", "sslHost", "sslForceHost", "featurePolicy"),
        "was removed in Traefik v3 and has no effect: remove it",
    )

    custom_request_headers: dict[FieldName, FieldValue] = {}
    """An empty value deletes the field; ``Host`` changes the host that the application sees."""
    custom_response_headers: dict[FieldName, FieldValue] = {}
    access_control_allow_origin_list: FieldValues = ()
    access_control_allow_origin_list_regex: Names = ()
    access_control_allow_methods: FieldValues = ()
    access_control_allow_headers: FieldValues = ()
    access_control_expose_headers: FieldValues = ()
    access_control_allow_credentials: Flag = False
    access_control_max_age: int = Field(default=0, ge=0)
    """Seconds."""
    add_vary_header: Flag = False
    allowed_hosts: Names = ()
    hosts_proxy_headers: FieldNames = ()
    ssl_proxy_headers: dict[FieldName, FieldValue] = {}
    sts_seconds: int = Field(default=0, ge=0)
    sts_include_subdomains: Flag = False
    sts_preload: Flag = False
    force_sts_header: Flag = Field(default=False, alias="forceSTSHeader")
    frame_deny: Flag = False
    custom_frame_options_value: FieldValue = ""
    content_type_nosniff: Flag = False
    browser_xss_filter: Flag = False
    custom_browser_xss_value: FieldValue = Field(default="", alias="customBrowserXSSValue")
    content_security_policy: FieldValue = ""
    content_security_policy_report_only: FieldValue = ""
    referrer_policy: FieldValue = ""
    permissions_policy: FieldValue = ""
    public_key: FieldValue = ""
    is_development: Flag = False


class Middleware(Section):
    """Exactly one of the types. Two in one object break every router that uses it."""

    refused = not_yet(
        "addPrefix", "basicAuth", "buffering", "circuitBreaker", "compress", "contentType", "digestAuth",
        "errors", "grpcWeb", "inFlightReq", "ipAllowList", "ipWhiteList", "plugin", "rateLimit", "redirectRegex",
        "replacePath", "replacePathRegex", "retry", "stripPrefixRegex",
    )  # fmt: skip

    forward_auth: ForwardAuth | None = None
    headers: Headers | None = None
    redirect_scheme: RedirectScheme | None = None
    strip_prefix: StripPrefix | None = None
    chain: Chain | None = None
    pass_tls_client_cert: PassTlsClientCert | None = Field(default=None, alias="passTLSClientCert")
    encoded_characters: EncodedCharacters | None = None

    def types(self) -> tuple[str, ...]:
        """The types that this object gives, in Traefik's spelling."""
        return tuple(
            field.alias or name for name, field in type(self).model_fields.items() if getattr(self, name) is not None
        )
