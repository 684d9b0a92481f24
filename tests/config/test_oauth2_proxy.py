"""oauth2-proxy's configurations as people have them, turned into ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from doorward.cli.importing import import_
from doorward.config.linear_pattern import LinearPattern
from doorward.config.oauth2_proxy.known import IGNORED, LISTS, NOTHING_LIKE_IT, TAKEN
from doorward.config.outpost_plan import load
from doorward.messages.standalone import ForeignApplications

FLAGS = """
acr-values allowed-group approval-prompt backend-logout-url client-id client-secret-file client-secret
code-challenge-method insecure-oidc-allow-unverified-email insecure-oidc-skip-issuer-verification
insecure-oidc-skip-nonce jwt-key-file jwt-key login-url auth-request-response-mode oidc-audience-claim
oidc-email-claim oidc-extra-audience oidc-groups-claim oidc-issuer-url oidc-jwks-url oidc-public-key-file
oidc-enabled-signing-alg profile-url prompt provider-ca-file provider-display-name provider pubjwk-url redeem-url
scope skip-claims-from-profile-url skip-oidc-discovery use-system-trust-store validate-url cookie-csrf-expire
cookie-csrf-per-request cookie-csrf-per-request-limit cookie-csrf-samesite cookie-domain cookie-expire
cookie-httponly cookie-name cookie-path cookie-refresh cookie-samesite cookie-secret cookie-secret-file
cookie-secure basic-auth-password set-xauthrequest set-authorization-header set-basic-auth skip-auth-strip-headers
pass-access-token pass-authorization-header pass-basic-auth prefer-email-to-user pass-user-headers
auth-logging-format auth-logging errors-to-info-log exclude-logging-path logging-compress logging-filename
logging-local-time logging-max-age logging-max-backups logging-max-size request-id-header request-logging-format
request-logging silence-ping-logging standard-logging-format standard-logging banner custom-sign-in-logo
custom-templates-dir display-htpasswd-form footer show-debug-on-error ping-path ping-user-agent ready-path
gcp-healthchecks allow-query-semicolons api-route authenticated-emails-file bearer-token-login-fallback email-domain
encode-state extra-jwt-issuers force-https force-json-errors htpasswd-file htpasswd-user-group proxy-prefix
real-client-ip-header redirect-url relative-redirect-url reverse-proxy trusted-proxy-ip signature-key
skip-auth-preflight skip-auth-regex skip-auth-route skip-jwt-bearer-tokens skip-provider-button
ssl-insecure-skip-verify trusted-ip whitelist-domain http-address https-address metrics-address
metrics-secure-address metrics-tls-cert-file metrics-tls-key-file tls-cert-file tls-key-file tls-cipher-suite
tls-min-version session-cookie-minimal session-store-type redis-cluster-connection-urls redis-connection-url
redis-ca-path redis-insecure-skip-tls-verify redis-password redis-sentinel-password redis-sentinel-master-name
redis-sentinel-connection-urls redis-use-cluster redis-use-sentinel redis-connection-idle-timeout flush-interval
pass-host-header proxy-websockets ssl-upstream-insecure-skip-verify disable-keep-alives upstream-timeout upstream
"""
"""Every flag of its manual."""

KEYCLOAK = """
http_address = "0.0.0.0:4180"
reverse_proxy = true
trusted_proxy_ips = ["10.0.0.0/8"]
provider = "keycloak-oidc"
oidc_issuer_url = "https://sso.example.com/realms/main"
client_id = "wiki"
client_secret = "7b412da4-548a-44af-a2c1"
redirect_url = "https://wiki.example.com/oauth2/callback"
cookie_secret = "x-1vrrMhC886ITuz8ySNwxAx7tPQWYb0TqFq2gmqfXE="
cookie_refresh = "4m"
cookie_expire = "12h"
email_domains = ["example.com", "*.example.org"]
allowed_roles = ["staff"]
upstreams = ["http://127.0.0.1:8080/", "http://127.0.0.1:9090/api/"]
skip_auth_routes = ["^/health$", "GET=^/public/", "!=^/private", "(?=x)"]
api_routes = ["^/api/"]
pass_access_token = true
set_xauthrequest = true
metrics_address = "127.0.0.1:9300"
"""

GOOGLE = [
    "oauth2-proxy",
    "--provider=google",
    "--client-id=123.apps.googleusercontent.com",
    "--client-secret",
    "a-secret",
    "--email-domain=example.com",
    "--email-domain=example.org",
    "--upstream=static://202",
    "--reverse-proxy",
    "--redirect-url=https://auth.example.com/oauth2/callback",
    "--cookie-domain=.example.com",
    "--whitelist-domain=.example.com",
    "--cookie-secret=short",
    "--skip-provider-button",
]

ALPHA = """
server:
  bindAddress: 0.0.0.0:4180
upstreamConfig:
  upstreams:
    - id: app
      path: /
      uri: http://127.0.0.1:8080
      timeout: 45s
    - id: api
      path: /api/
      uri: https://127.0.0.1:9443
      insecureSkipTLSVerify: true
      passHostHeader: false
    - id: old
      path: ^/old/(.*)$
      rewriteTarget: /$1
      uri: http://127.0.0.1:7070
injectRequestHeaders:
  - name: X-Forwarded-User
    values: [{claimSource: {claim: user}}]
  - name: X-Groups
    values: [{claim: groups}]
  - name: X-Department
    values: [{claim: department}]
  - name: Authorization
    values: [{claim: id_token, prefix: "Bearer "}]
  - name: X-Shared
    values: [{value: c2VjcmV0}]
providers:
  - id: main
    provider: oidc
    clientID: wiki
    clientSecretFile: /run/secrets/client
    scope: openid email
    allowedGroups: [staff]
    oidcConfig:
      issuerURL: https://id.example.com
      groupsClaim: roles
      insecureAllowUnverifiedEmail: true
    loginURLParameters:
      - {name: prompt, default: [select_account]}
      - {name: login_hint, allow: [{pattern: ".*"}]}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(import_, ["oauth2-proxy", *arguments])


def imported(tmp_path: Path, *arguments: str) -> tuple[dict[str, Any], Result]:
    """What came out, after our own decoder has taken it where the command said that it can be used."""
    output = tmp_path / "outpost.yml"
    result = run("--output", str(output), *arguments)
    text = output.read_text()
    if result.exit_code == 0:
        (tmp_path / "client").write_text("secret")
        output.write_text(
            text.replace("/var/lib/doorward-outpost", f"{tmp_path}/state").replace(
                "/run/secrets/client", f"{tmp_path}/client"
            )
        )
        assert isinstance(load(output, LinearPattern, {}).applications, ForeignApplications)
    made: dict[str, Any] = yaml.safe_load(text)
    return made, result


def file(tmp_path: Path, text: str, name: str = "oauth2-proxy.cfg") -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_a_file_for_keycloak(tmp_path: Path) -> None:
    """As a reverse proxy of its own, with roles, domains, paths and headers."""
    made, result = imported(tmp_path, file(tmp_path, KEYCLOAK))

    assert result.exit_code == 0, result.stderr
    application = made["applications"]["app"]
    assert made["listen"] == "0.0.0.0:4180"
    assert made["trustedProxies"] == ["10.0.0.0/8"]
    assert made["issuer"]["url"] == "https://sso.example.com/realms/main"
    assert "offline_access" in made["issuer"]["scopes"]
    assert application["externalUrl"] == "https://wiki.example.com"
    assert application["callbackPath"] == "/oauth2/callback"
    assert application["upstreams"] == [
        {"url": "http://127.0.0.1:8080"},
        {"path": "/api", "url": "http://127.0.0.1:9090"},
    ]
    assert application["allow"] == {
        "emailDomains": ["example.com", ".example.org"],
        "claims": {"realm_access.roles": ["staff"]},
    }
    assert application["headers"] == {
        "authentik": False, "authRequest": True, "forwardedUser": True, "accessToken": True
    }  # fmt: skip
    assert application["skipPaths"] == ["^/health$"]
    assert application["apiPaths"] == ["^/api/"]
    assert made["session"] == {"lifetime": "12h"}
    assert "oauth2-proxy.cfg:16: GET=^/public/: a path is open for every method or for none" in result.stderr
    assert "oauth2-proxy.cfg:16: !=^/private" in result.stderr
    assert "oauth2-proxy.cfg:16: (?=x): this expression cannot run in linear time" in result.stderr
    assert "email_verified" in result.stderr


def test_a_command_line_for_google_behind_another_proxy(tmp_path: Path) -> None:
    """Forward auth for a whole domain: no upstream, and what the other proxy's configuration must say now."""
    made, result = imported(tmp_path, "--", *GOOGLE)

    assert result.exit_code == 0, result.stderr
    application = made["applications"]["app"]
    assert made["issuer"]["url"] == "https://accounts.google.com"
    assert made["issuer"]["clientSecret"] == "a-secret"
    assert made["issuer"]["parameters"] == {"access_type": "offline"}
    assert application["domain"] == "example.com"
    assert "upstreams" not in application
    assert application["allow"] == {"emailDomains": ["example.com", "example.org"]}
    assert made["session"]["lifetime"] == "168h"
    assert made["session"]["outlivesTokens"] is True
    assert "cookie" not in made
    assert "/oauth2/auth becomes /outpost.goauthentik.io/auth/nginx" in result.stderr
    assert "cookie_secret: it is shorter than 32 characters" in result.stderr


def test_other_issuers_of_tokens(tmp_path: Path) -> None:
    """Each with its audiences, under the application's rules, and a word about what is different."""
    more = ("--skip-jwt-bearer-tokens", "--extra-jwt-issuers=https://ci.example.com=wiki,https://ci.example.com=blog")
    made, result = imported(tmp_path, "--", *GOOGLE, *more)

    assert result.exit_code == 0, result.stderr
    assert "extra_jwt_issuers" in result.stderr
    assert made["applications"]["app"]["trustedIssuers"] == [
        {
            "url": "https://ci.example.com",
            "audiences": ["wiki", "blog"],
            "allow": {"emailDomains": ["example.com", "example.org"]},
        }
    ]


def test_the_structured_format(tmp_path: Path) -> None:
    """Upstreams with options of their own, fields out of claims; static values and rewritten paths are reported."""
    more = file(tmp_path, 'redirect_url = "https://wiki.example.com/oauth2/callback"\nemail_domains = ["*"]\n')
    made, result = imported(tmp_path, more, "--alpha-config", file(tmp_path, ALPHA, "alpha.yaml"))

    assert result.exit_code == 0, result.stderr
    application = made["applications"]["app"]
    assert made["issuer"]["clientSecretFile"] == "/run/secrets/client"
    assert made["issuer"]["claims"] == {"groups": "roles"}
    assert made["issuer"]["parameters"] == {"prompt": "select_account"}
    assert application["upstreams"] == [
        {"url": "http://127.0.0.1:8080", "timeout": "45s"},
        {"path": "/api", "url": "https://127.0.0.1:9443", "passHost": False, "insecureSkipVerify": True},
    ]
    assert application["allow"] == {"groups": ["staff"]}
    assert application["headers"] == {
        "authentik": False,
        "authorization": True,
        "claims": {"X-Forwarded-User": "sub", "X-Groups": "roles", "X-Department": "department"},
    }
    assert "alpha.yaml:15: upstreamConfig.upstreams[2]: paths are not rewritten" in result.stderr
    assert "only what is known of a person is handed on" in result.stderr
    assert "what a link says must not steer the login" in result.stderr


def test_variables_of_a_container(tmp_path: Path) -> None:
    """A file of variables; what is said later on the command line wins."""
    variables = "\n".join(
        [
            "OAUTH2_PROXY_PROVIDER=oidc",
            "OAUTH2_PROXY_OIDC_ISSUER_URL=https://id.example.com",
            'OAUTH2_PROXY_CLIENT_ID="wiki"',
            "OAUTH2_PROXY_CLIENT_SECRET=s",
            "OAUTH2_PROXY_EMAIL_DOMAINS=example.com,example.org",
            "OAUTH2_PROXY_UPSTREAMS=http://127.0.0.1:8080",
            "OTHER=1",
        ]
    )
    env = file(tmp_path, variables, "oauth2.env")

    made, result = imported(
        tmp_path, "--env-file", env, "--external-url", "https://wiki.example.com", "--", "--client-id=blog"
    )

    assert result.exit_code == 0, result.stderr
    assert made["issuer"]["clientId"] == "blog"
    assert made["applications"]["app"]["allow"] == {"emailDomains": ["example.com", "example.org"]}
    assert made["trustedProxies"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--provider=github", "--github-org=acme"], "github_org cannot be taken over"),
        (["--provider=github", "--github-org=acme"], "GitHub has no OpenID Connect"),
        (["--provider=google", "--google-group=staff@example.com"], "google_groups cannot be taken over"),
        (["--provider=gitlab", "--gitlab-project=acme/wiki"], "gitlab_projects cannot be taken over"),
    ],
)
def test_what_kept_people_out_is_not_forgotten(arguments: list[str], says: str, tmp_path: Path) -> None:
    """A rule that has no equivalent lets nobody in, whatever else is said, until somebody decides."""
    common = ["--email-domain=*", "--client-id=x", "--client-secret=y", "--redirect-url=https://a.test/oauth2/callback"]

    made, result = imported(tmp_path, "--", *arguments, *common)

    assert result.exit_code == 1
    assert says in result.stderr
    assert made["applications"]["app"]["allow"] == {}


def test_who_may_enter_must_have_been_said(tmp_path: Path) -> None:
    """Without a word about it nobody may."""
    made, result = imported(tmp_path, "--", "--client-id=x", "--client-secret=y", "--redirect-url=https://a.test/cb")

    assert result.exit_code == 1
    assert "who may enter is not said" in result.stderr
    assert made["applications"]["app"]["allow"] == {}


def test_every_option_of_its_manual_is_known(tmp_path: Path) -> None:
    """Each is taken, has a reason why it can go, or a reason why there is nothing like it; an invented one is named."""
    singular = {plural.removesuffix("s"): plural for plural in LISTS}
    names = [flag.replace("-", "_") for flag in FLAGS.split()]
    known = TAKEN | IGNORED.keys() | NOTHING_LIKE_IT.keys()

    assert [name for name in names if singular.get(name, name) not in known] == []
    assert not TAKEN & (IGNORED.keys() | NOTHING_LIKE_IT.keys())
    assert all(reason for reason in IGNORED.values())
    assert all(reason and nearest for reason, nearest in NOTHING_LIKE_IT.values())
    text = KEYCLOAK + "skip_provider_buton = true\n"
    assert "did you mean 'skip_provider_button'?" in run(file(tmp_path, text)).stderr


def test_nothing_to_read() -> None:
    """It says what it wants."""
    assert "nothing to read" in run().stderr
    assert "cannot be read" in run("/nowhere/oauth2-proxy.cfg").stderr
