"""What OAuth2 answers when it says no: a value, never an exception, so that a burned code stays burned.

Every description comes from this list; nothing of the request is ever repeated in one (S-453, RFC 6749 section 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Denial:
    """One refusal. ``status`` is the HTTP status where it is answered directly (not by a redirect)."""

    error: str
    description: str
    status: int = 400


INVALID_CLIENT = Denial("invalid_client", "Client authentication failed.", 401)
THROTTLED = Denial("invalid_client", "Too many failed client authentications; try again in a few minutes.", 429)
TWO_CLIENT_AUTHENTICATIONS = Denial("invalid_request", "The client authenticates in more than one way.")
MALFORMED_CLIENT = Denial("invalid_request", "The Authorization header is malformed.")

REPEATED = Denial("invalid_request", "A parameter is repeated.")
IN_QUERY = Denial("invalid_request", "Parameters belong into the body, not into the URL.")
NOT_A_FORM = Denial("invalid_request", "The body must be application/x-www-form-urlencoded.", 415)
NO_GRANT_TYPE = Denial("invalid_request", "The parameter grant_type is missing.")
NO_TOKEN = Denial("invalid_request", "The parameter token is missing.")
NO_CODE = Denial("invalid_request", "The parameter code is missing.")
NO_REFRESH_TOKEN = Denial("invalid_request", "The parameter refresh_token is missing.")
UNSUPPORTED_GRANT = Denial("unsupported_grant_type", "This grant type is not supported.")
UNAUTHORIZED_CLIENT = Denial("unauthorized_client", "This client may not use this grant type.")

INVALID_GRANT = Denial(
    "invalid_grant",
    "The grant or refresh token is invalid, expired, revoked, already used, or was issued to another client.",
)
SCOPE_NOT_GRANTED = Denial("invalid_scope", "The requested scope exceeds what was granted.")
ACCESS_DENIED = Denial("access_denied", "Access to this application is denied.", 403)

NO_DEVICE_CODE = Denial("invalid_request", "The parameter device_code is missing.")
AUTHORIZATION_PENDING = Denial("authorization_pending", "Nobody has entered the code yet.")
SLOW_DOWN = Denial("slow_down", "Wait five seconds longer between two requests.")
EXPIRED_TOKEN = Denial("expired_token", "The device code has expired.")
TOO_MANY_DEVICES = Denial("slow_down", "Too many devices of this client asked from here within an hour.", 429)

NO_SUBJECT_TOKEN = Denial("invalid_request", "The parameters subject_token and subject_token_type are needed.")
SUBJECT_TOKEN_TYPE = Denial("invalid_request", "Only access tokens can be exchanged.")
SUBJECT_TOKEN_REFUSED = Denial(
    "invalid_request", "The subject token is not live, or belongs to a client that this one does not trust."
)
NO_ACTOR_TOKENS = Denial("invalid_request", "The actor is the client itself; actor tokens are not taken.")
REQUESTED_TOKEN_TYPE = Denial("invalid_request", "Only access tokens are given in exchange.")
INVALID_TARGET = Denial("invalid_target", "A client gets tokens for itself only.")

UNSUPPORTED_RESPONSE_TYPE = Denial("unsupported_response_type", "This client has no such response type.")
TOKENS_IN_QUERY = Denial("invalid_request", "Tokens are never sent in the query; use fragment or form_post.")
NO_RESPONSE_TYPE = Denial("invalid_request", "The parameter response_type is missing.")
NO_SCOPE_LEFT = Denial("invalid_scope", "None of the requested scopes is known to this client.")
REQUEST_NOT_SUPPORTED = Denial("request_not_supported", "The parameter request is not supported.")
REQUEST_URI_NOT_SUPPORTED = Denial("request_uri_not_supported", "The parameter request_uri is not supported.")
NOT_PUSHED = Denial("invalid_request", "This client must push its authorization requests (RFC 9126).")
TOO_LARGE = Denial("invalid_request", "The request is too large.", 413)
TOO_MANY_PUSHED = Denial("temporarily_unavailable", "Too many pushed requests of this client are waiting.", 429)
REDIRECT_URI_NOT_REGISTERED = Denial("invalid_request", "The redirect_uri is not registered for this client.")
NO_OPENID = Denial("invalid_scope", "An ID token needs the scope openid.")
NO_NONCE = Denial("invalid_request", "The parameter nonce is missing.")
BAD_CLAIMS = Denial("invalid_request", "The parameter claims is malformed.")
UNMET_AUTHENTICATION = Denial(
    "unmet_authentication_requirements", "The user has not logged in in the way that the client needs."
)
NONCE_TOO_LONG = Denial("invalid_request", "The nonce is longer than 512 characters.")
NO_CHALLENGE = Denial("invalid_request", "This client must use PKCE: code_challenge is missing.")
METHOD_NOT_S256 = Denial("invalid_request", "The only supported code_challenge_method is S256.")
BAD_CHALLENGE = Denial("invalid_request", "The code_challenge is not a base64url SHA-256.")
BAD_PROMPT = Denial("invalid_request", "The parameter prompt is invalid.")
BAD_MAX_AGE = Denial("invalid_request", "The parameter max_age is not a number of seconds.")
LOGIN_REQUIRED = Denial("login_required", "The user must log in.")
CONSENT_REQUIRED = Denial("consent_required", "The user must consent.")
REFUSED_BY_USER_OR_POLICY = Denial("access_denied", "Access to this application is denied.")
