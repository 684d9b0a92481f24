"""Every option of oauth2-proxy, and what it means to us."""

from __future__ import annotations

LISTS = frozenset({
    "allowed_groups", "allowed_roles", "api_routes", "cookie_domains", "email_domains", "exclude_logging_paths",
    "extra_jwt_issuers", "github_users", "gitlab_groups", "gitlab_projects", "google_groups", "htpasswd_user_groups",
    "keycloak_groups", "oidc_audience_claims", "oidc_enabled_signing_algs", "oidc_extra_audiences",
    "oidc_public_key_files", "provider_ca_files", "redis_cluster_connection_urls", "redis_sentinel_connection_urls",
    "skip_auth_routes", "tls_cipher_suites", "trusted_ips", "trusted_proxy_ips", "upstreams", "whitelist_domains",
})  # fmt: skip
"""By their plural; a flag and a variable have the singular."""

TAKEN = frozenset({
    "acr_values", "allowed_groups", "allowed_roles", "api_routes", "authenticated_emails_file", "azure_tenant",
    "client_id", "client_secret", "client_secret_file", "cookie_domains", "cookie_expire", "cookie_refresh",
    "cookie_secret", "email_domains", "entra_id_allowed_tenants", "extra_jwt_issuers", "force_json_errors",
    "gitlab_groups", "http_address",
    "https_address", "insecure_oidc_allow_unverified_email", "keycloak_groups", "login_url", "metrics_address",
    "oidc_email_claim", "oidc_groups_claim", "oidc_issuer_url", "pass_access_token", "pass_authorization_header",
    "pass_basic_auth", "pass_host_header", "pass_user_headers", "prefer_email_to_user", "prompt", "provider",
    "provider_ca_files", "proxy_prefix", "redirect_url", "request_logging", "reverse_proxy",
    "scope", "session_store_type", "set_authorization_header", "set_xauthrequest", "skip_auth_preflight",
    "skip_auth_regex", "skip_auth_routes", "skip_claims_from_profile_url", "skip_jwt_bearer_tokens",
    "ssl_insecure_skip_verify", "ssl_upstream_insecure_skip_verify", "tls_cert_file", "tls_key_file",
    "trusted_proxy_ips", "upstream_timeout", "upstreams", "user_id_claim", "whitelist_domains",
})  # fmt: skip

_ALWAYS = "it is always so"
_NO_PAGE = "no page is shown before the identity provider's own"
_LOG = "the log has one form: a JSON object a line"
_REDIS = "there is no Redis: sessions are in cookies or in a file"
IGNORED = {
    "allow_query_semicolons": "a query is passed on as it stands",
    "approval_prompt": "an older name of prompt",
    "auth_logging": "refusals are always logged, with the id that the person was shown",
    "auth_logging_format": _LOG,
    "bearer_token_login_fallback": "a token that is not accepted is answered 401, with the reason",
    "code_challenge_method": "S256 is always used",
    "cookie_csrf_expire": "a login must be completed within 15 minutes",
    "cookie_csrf_per_request": "any number of logins may be under way in one browser",
    "cookie_csrf_per_request_limit": "any number of logins may be under way in one browser",
    "cookie_csrf_samesite": "SameSite=Lax, always",
    "cookie_httponly": _ALWAYS,
    "cookie_name": "the cookie is called authentik_proxy_ and eight characters; old cookies are not read",
    "cookie_samesite": "SameSite=Lax, always",
    "cookie_secure": "the cookie is Secure exactly when the external URL is https",
    "custom_sign_in_logo": _NO_PAGE,
    "disable_keep_alives": "connections to servers are kept as long as the servers do",
    "encode_state": "the state is made of characters that need no encoding",
    "errors_to_info_log": _LOG,
    "exclude_logging_paths": "the access log says everything or is off",
    "flush_interval": "what a server sends is passed on at once",
    "insecure_oidc_skip_nonce": "the nonce is always checked",
    "logging_compress": "the log goes to standard error",
    "logging_filename": "the log goes to standard error",
    "logging_local_time": "times are in UTC",
    "logging_max_age": "the log goes to standard error",
    "logging_max_backups": "the log goes to standard error",
    "logging_max_size": "the log goes to standard error",
    "oidc_enabled_signing_algs": "each key is used with its own algorithm, and only public-key ones are",
    "ping_user_agent": "health is asked by path",
    "provider_display_name": _NO_PAGE,
    "proxy_websockets": _ALWAYS,
    "redis_ca_path": _REDIS,
    "redis_cluster_connection_urls": _REDIS,
    "redis_connection_idle_timeout": _REDIS,
    "redis_connection_url": _REDIS,
    "redis_insecure_skip_tls_verify": _REDIS,
    "redis_password": _REDIS,
    "redis_sentinel_connection_urls": _REDIS,
    "redis_sentinel_master_name": _REDIS,
    "redis_sentinel_password": _REDIS,
    "redis_use_cluster": _REDIS,
    "redis_use_sentinel": _REDIS,
    "redis_username": _REDIS,
    "request_id_header": "every request has an id of its own, X-authentik-id",
    "request_logging_format": "the access log is in Traefik's forms: common or json",
    "session_cookie_minimal": "only what is needed is kept in cookies, always",
    "show_debug_on_error": "error pages hold a reference and never inner details",
    "silence_ping_logging": "health checks are not in the access log",
    "skip_auth_strip_headers": _ALWAYS,
    "skip_provider_button": _ALWAYS,
    "standard_logging": _LOG,
    "standard_logging_format": _LOG,
    "use_system_trust_store": "a CA file that is named is believed instead of the system's",
}

"""Options that can go without anybody noticing, and why."""

_DISCOVERY = "endpoints and keys are what the issuer publishes", "the issuer must publish its discovery document"
NOTHING_LIKE_IT: dict[str, tuple[str, str]] = {
    "auth_request_response_mode": ("the answer comes in the query", "leave it out at the issuer, too"),
    "backend_logout_url": (
        "signing out leads the browser through the issuer's end-session endpoint",
        "/outpost.goauthentik.io/sign_out, and back-channel logout in the other direction",
    ),
    "banner": (_NO_PAGE, "a text on the identity provider's own login page"),
    "basic_auth_password": (
        "one password for everybody says nothing about who it is",
        "headers: {authorization: true} hands the signed ID token on",
    ),
    "cookie_csrf_secure": ("it goes with the external URL", "an https externalUrl"),
    "cookie_path": ("the cookie is for the whole host", "an externalUrl with a path, for a part of a host"),
    "cookie_secret_file": ("that file is binary", "cookie: {secretFile} with the output of openssl rand -hex 32"),
    "custom_templates_dir": (_NO_PAGE, "error pages are plain and cannot be changed"),
    "display_htpasswd_form": ("passwords are the identity provider's business", "an account there"),
    "footer": (_NO_PAGE, "error pages are plain and cannot be changed"),
    "force_https": ("redirections are the business of what serves TLS", "a redirection in the proxy in front"),
    "gcp_healthchecks": ("health is asked by path", "/-/health/ready/ and /outpost.goauthentik.io/ping"),
    "htpasswd_file": ("passwords are the identity provider's business", "an account there; bearerTokens for programs"),
    "htpasswd_user_groups": ("passwords are the identity provider's business", "an account there"),
    "insecure_oidc_skip_issuer_verification": (
        "tokens of another tenant would pass for those of this one",
        "the tenant's own issuer URL",
    ),
    "jwt_key": ("the client proves itself by its secret", "a client with a secret"),
    "jwt_key_file": ("the client proves itself by its secret", "a client with a secret"),
    "metrics_secure_address": ("metrics are plain HTTP", "metrics: an address that only the collector reaches"),
    "metrics_tls_cert_file": ("metrics are plain HTTP", "metrics: an address that only the collector reaches"),
    "metrics_tls_key_file": ("metrics are plain HTTP", "metrics: an address that only the collector reaches"),
    "oidc_audience_claims": ("aud says whom a token is for", "a client of its own at the issuer"),
    "oidc_extra_audiences": ("a token for somebody else is not for this client", "a client of its own at the issuer"),
    "oidc_jwks_url": _DISCOVERY,
    "oidc_public_key_files": _DISCOVERY,
    "ping_path": ("its path is fixed", "/outpost.goauthentik.io/ping"),
    "profile_url": _DISCOVERY,
    "pubjwk_url": _DISCOVERY,
    "ready_path": ("its path is fixed", "/-/health/ready/"),
    "real_client_ip_header": ("the client's address is the last one in X-Forwarded-For that no trusted proxy has",
                              "trustedProxies"),
    "redeem_url": _DISCOVERY,
    "relative_redirect_url": ("the redirect URI is that of the external URL", "externalUrl"),
    "resource": ("it belongs to Azure AD's first version", "the tenant's v2.0 issuer and a scope"),
    "set_basic_auth": ("one password for everybody says nothing about who it is", "headers: {authorization: true}"),
    "signature_key": ("requests are not signed", "headers: {authorization: true}: a signed token that can be verified"),
    "skip_oidc_discovery": _DISCOVERY,
    "tls_cipher_suites": ("the library's own choice for TLS 1.2 and 1.3", "TLS in the proxy in front"),
    "tls_min_version": ("TLS 1.2 and newer, always", "TLS in the proxy in front, for TLS 1.3 alone"),
    "trusted_ips": ("an address is no identity", "skipPaths, or a route without authentication in the proxy in front"),
    "validate_url": _DISCOVERY,
    # Rules about who may enter that only one provider has:
    "bitbucket_repository": ("that is asked of Bitbucket", "groups of an identity provider between"),
    "bitbucket_team": ("that is asked of Bitbucket", "groups of an identity provider between"),
    "azure_graph_group_field": ("groups come from the token", "the groups claim of the application's registration"),
    "entra_id_federated_token_auth": ("the client proves itself by its secret", "a client secret"),
    "github_org": ("that is asked of GitHub", "groups of an identity provider between"),
    "github_repo": ("that is asked of GitHub", "groups of an identity provider between"),
    "github_team": ("that is asked of GitHub", "groups of an identity provider between"),
    "github_token": ("that is asked of GitHub", "groups of an identity provider between"),
    "github_users": ("that is asked of GitHub", "allow: {claims: …} behind an identity provider"),
    "gitlab_projects": ("that is asked of GitLab", "gitlab groups: allow: {groups: […]}"),
    "google_admin_email": ("groups are not asked of Google's directory", "an identity provider that knows the groups"),
    "google_groups": ("groups are not asked of Google's directory", "allow: {emailsFile}, or an identity provider "
                      "that knows the groups"),
    "google_service_account_json": ("groups are not asked of Google's directory", "allow: {emailsFile}"),
    "google_target_principal": ("groups are not asked of Google's directory", "allow: {emailsFile}"),
    "google_use_application_default_credentials": ("groups are not asked of Google's directory", "allow: {emailsFile}"),
    "google_use_organization_id": ("the user name is a claim of the token", "issuer: {claims: {username: …}}"),
    "google_admin_api_user_scope": ("groups are not asked of Google's directory", "allow: {emailsFile}"),
}  # fmt: skip
"""Options without an equivalent: the reason, and what is nearest."""

SHUTTING = frozenset({
    "bitbucket_repository", "bitbucket_team", "github_org", "github_repo", "github_team", "github_users",
    "gitlab_projects", "google_groups",
})  # fmt: skip
"""Those of them that keep people out."""

ISSUERS = {"google": "https://accounts.google.com", "gitlab": "https://gitlab.com"}
BY_ISSUER_URL = frozenset({"oidc", "keycloak-oidc", "adfs", "entra-id", "azure", "cidaas"})
NOT_OPENID = {
    "github": "GitHub has no OpenID Connect for logins",
    "bitbucket": "Bitbucket has no OpenID Connect",
    "digitalocean": "DigitalOcean has no OpenID Connect",
    "facebook": "Facebook's logins are not OpenID Connect",
    "linkedin": "take LinkedIn's OpenID Connect product: provider oidc with https://www.linkedin.com/oauth",
    "login.gov": "login.gov wants a client that signs with a key of its own",
    "nextcloud": "Nextcloud is no OpenID Connect provider by itself; its app oidc makes it one (provider oidc)",
    "gitea": "take Gitea's OpenID Connect: provider oidc with its URL",
    "sourcehut": "SourceHut has no OpenID Connect",
}
