"""What a client can read about its issuer: the discovery document and the public keys."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from doorward.identity.oauth2 import (
    acr,
    client_assertions,
    clients,
    device_codes,
    encryption,
    keys,
    registration_tokens,
    response_types,
    scopes,
)
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.endpoints.answers import allow_origin, json_answer, preflight
from doorward.identity.oauth2.issuer import endpoints_of
from doorward.identity.oauth2.models import DEVICE_CODE, OAuth2Provider


@require_http_methods(["GET", "HEAD"])
def issuer_root(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("oauth2-discovery", kwargs={"slug": _client(slug).application.slug}))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS"])
def discovery(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request, "GET")
    client = _client(slug)
    return allow_origin(request, json_answer(document_of(client), indent=2), client.provider)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS"])
def jwks(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "OPTIONS":
        return preflight(request, "GET")
    client = _client(slug)
    return allow_origin(request, json_answer(keys.jwks(client.provider)), client.provider)


def document_of(client: Client) -> dict[str, object]:
    """``contracts/identity.md`` section 2.7: what is true of us, nothing else."""
    provider = client.provider
    where = endpoints_of(provider)
    pairs = keys.published_pairs(provider)
    registering = {"registration_endpoint": where.registration} if registration_tokens.working() else {}
    devices = {"device_authorization_endpoint": where.device_authorization} if device_codes.offered(client) else {}
    return {
        "issuer": where.issuer,
        "authorization_endpoint": where.authorization,
        "token_endpoint": where.token,
        "userinfo_endpoint": where.userinfo,
        "end_session_endpoint": where.end_session,
        "introspection_endpoint": where.introspection,
        "revocation_endpoint": where.revocation,
        "jwks_uri": where.jwks,
        **devices,
        **registering,
        "pushed_authorization_request_endpoint": where.pushed_authorization,
        "require_pushed_authorization_requests": provider.require_pushed_requests,
        "response_types_supported": response_types.offered(provider),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": _grant_types(client),
        "id_token_signing_alg_values_supported": sorted({pair.algorithm for pair in pairs} or {"HS256"}),
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": _authentication_methods(client),
        **_signatures(client),
        "introspection_endpoint_auth_methods_supported": _authentication_methods(client),
        "revocation_endpoint_auth_methods_supported": _authentication_methods(client),
        **_encryption(client),
        "acr_values_supported": list(acr.SUPPORTED),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": [code for code, _ in settings.LANGUAGES],
        "scopes_supported": sorted(scopes.mappings_of(provider)),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_supported": list(scopes.CLAIM_NAMES),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }


def _grant_types(client: Client) -> list[str]:
    grants = [grant for grant in client.provider.grant_types if grant != DEVICE_CODE or device_codes.offered(client)]
    # The password grant is answered as the other, for an app password (``contracts/identity.md`` section 2.3).
    return [*grants, "password"] if "client_credentials" in grants else grants


def _encryption(client: Client) -> dict[str, object]:
    if client.provider.encryption_key is None:
        return {}
    return {
        "id_token_encryption_alg_values_supported": [encryption.ALG],
        "id_token_encryption_enc_values_supported": [encryption.ENC],
    }


def _authentication_methods(client: Client) -> list[str]:
    way = client.provider.client_authentication
    if client.is_public:
        return ["none"]
    both = ["client_secret_post", "client_secret_basic"]
    return both if way == OAuth2Provider.Authentication.CLIENT_SECRET else [way]


def _signatures(client: Client) -> dict[str, object]:
    if client.provider.client_authentication != OAuth2Provider.Authentication.PRIVATE_KEY_JWT:
        return {}
    return {"token_endpoint_auth_signing_alg_values_supported": list(client_assertions.ALGORITHMS)}


def _client(slug: str) -> Client:
    client = clients.find_by_slug(slug)
    if client is None:
        raise Http404("No application with an OAuth2 provider has this slug.")
    return client
