"""An administrator tries a source: is it there, does it know us, and does it do what its settings ask for?

Nobody logs in. The client's name and secret are tried with a code that does not exist: whoever refuses the code has
taken the client, and whoever does not know the client says so (RFC 6749 section 5.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from doorward.identity.crypto import vault
from doorward.identity.egress import client, documents
from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth import endpoints as places
from doorward.identity.sources.oauth.endpoints import Endpoints
from doorward.identity.sources.oauth.errors import SourceFailed
from doorward.identity.sources.oauth.login import callback_url, scopes_of, token_request
from doorward.identity.sources.oauth.presets import BY_NAME
from doorward.identity.sources.trial import Finding

_NO_CODE = "no-code-of-any-login"
_UNKNOWN_CLIENT = frozenset({"invalid_client", "unauthorized_client", "incorrect_client_credentials", "bad_client_id"})
_UNKNOWN_CODE = frozenset({"invalid_grant", "bad_verification_code", "invalid_code", "invalid_request"})
_USUAL_METHODS = {
    OAuthSource.AuthMethod.BASIC: "client_secret_basic",
    OAuthSource.AuthMethod.POST: "client_secret_post",
}


def tried(source: OAuthSource) -> tuple[Finding, ...]:
    """What is right and what is wrong, in the order in which a login needs it. Asks the provider anew."""
    well_known = source.oidc_well_known_url or BY_NAME[source.provider_type].well_known_url
    documents.forget(*filter(None, (well_known, source.oidc_jwks_url)))
    try:
        endpoints = places.of(source)
        metadata = places.discovered(well_known) if well_known else {}
    except SourceFailed as error:
        return (Finding("bad", str(error)),)
    return tuple(_found(source, endpoints, metadata))


def _found(source: OAuthSource, endpoints: Endpoints, metadata: dict[str, object]) -> Iterator[Finding]:
    if endpoints.issuer:
        yield Finding("good", _("It is %(issuer)s, and says where everything is.") % {"issuer": endpoints.issuer})
        yield _keys(source, endpoints)
    yield from _abilities(source, metadata)
    yield _client(source, endpoints)
    if source.authentication_flow_id is None:
        yield Finding("warn", _("Without a flow for whoever is known, nobody logs in through it."))
    if source.enrollment_flow_id is None:
        yield Finding("warn", _("Without a flow for whoever is new, only those who are connected already come in."))
    if not source.enabled:
        yield Finding("warn", _("It is switched off."))


def _keys(source: OAuthSource, endpoints: Endpoints) -> Finding:
    documents.forget(endpoints.jwks)
    try:
        places.keys(source, endpoints.jwks)
        keys = places.published(source, endpoints.jwks)
    except SourceFailed as error:
        return Finding("bad", str(error))
    if not keys:
        return Finding("bad", _("It publishes no key for signatures: no ID token of it could be checked."))
    algorithms = ", ".join(sorted({key.alg for key in keys}))
    text = ngettext(
        "It has %(n)s key for signatures (%(which)s).", "It has %(n)s keys for signatures (%(which)s).", len(keys)
    )
    return Finding("good", text % {"n": len(keys), "which": algorithms})


def _abilities(source: OAuthSource, metadata: dict[str, object]) -> Iterator[Finding]:
    """What the discovery document says against the settings; a list that is not there says nothing."""
    missing = [scope for scope in scopes_of(source) if scope not in _listed(metadata, "scopes_supported", scope)]
    if missing:
        text = _("It does not list these scopes, and may refuse them: %(scopes)s.")
        yield Finding("warn", text % {"scopes": " ".join(missing)})
    if source.pkce != OAuthSource.Pkce.NONE:
        methods = _listed(metadata, "code_challenge_methods_supported", source.pkce)
        if source.pkce not in methods:
            yield Finding("bad", _("It does not know PKCE with %(method)s.") % {"method": source.pkce})
    elif "S256" in _listed(metadata, "code_challenge_methods_supported"):
        yield Finding("warn", _("It knows PKCE with S256, and this source does not use it."))
    wanted = _USUAL_METHODS[OAuthSource.AuthMethod(source.authorization_code_auth_method)]
    if wanted not in _listed(metadata, "token_endpoint_auth_methods_supported", wanted):
        yield Finding("bad", _("It does not take the secret in this way (%(method)s).") % {"method": wanted})
    if "code" not in _listed(metadata, "response_types_supported", "code"):
        yield Finding("bad", _("It does not give codes (response type “code”)."))


def _listed(metadata: dict[str, object], name: str, *otherwise: str) -> tuple[str, ...]:
    found = metadata.get(name)
    return tuple(str(each) for each in found) if isinstance(found, list) else otherwise


def _client(source: OAuthSource, endpoints: Endpoints) -> Finding:
    form = {"grant_type": "authorization_code", "code": _NO_CODE, "redirect_uri": callback_url(source)}
    if source.pkce != OAuthSource.Pkce.NONE:
        form["code_verifier"] = "x" * 43
    try:
        headers, body = token_request(source, form)
        answer = client.ask("POST", endpoints.token, headers=headers, body=body, private=True)
    except client.NotAsked as error:
        return Finding("bad", str(error))
    except vault.Unreadable:
        return Finding("bad", _("The secret cannot be read any more. Enter it again."))
    word = _error_of(answer)
    if word in _UNKNOWN_CLIENT or (answer.status == 401 and word not in _UNKNOWN_CODE):
        return Finding(
            "bad", _("It does not know this client ID with this secret (%(error)s).") % {"error": word or 401}
        )
    if word in _UNKNOWN_CODE:
        return Finding("good", _("It knows the client."))
    text = _("Whether it knows the client cannot be told: %(url)s answers %(status)s %(error)s.")
    return Finding("warn", text % {"url": endpoints.token.partition("?")[0], "status": answer.status, "error": word})


def _error_of(answer: client.Answer) -> str:
    try:
        found = answer.json()
    except ValueError:
        found = dict(parse_qsl(answer.body.decode("utf-8", "replace")))
    word = found.get("error", "") if isinstance(found, dict) else ""
    return word[:100] if isinstance(word, str) else ""
