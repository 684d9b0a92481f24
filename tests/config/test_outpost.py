"""The configuration of an outpost on its own: what it becomes, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.config.linear_pattern import LinearPattern
from doorward.config.outpost_plan import load
from doorward.config.problems import ConfigurationError
from doorward.messages.routing import LoadBalancer
from doorward.messages.standalone import ConnectedApplications, ForeignApplications, OutpostPlan

SECRET = "0123456789abcdef0123456789abcdef"
MINIMAL = f"""
issuer:
  url: https://id.example.com
  clientId: wiki
  clientSecret: very-secret
applications:
  wiki:
    externalUrl: https://wiki.example.com
    allow: {{groups: [staff]}}
cookie: {{secret: {SECRET}}}
"""


def plan(tmp_path: Path, text: str, **environment: str) -> OutpostPlan:
    file = tmp_path / "outpost.yml"
    file.write_text(text)
    return load(file, LinearPattern, environment)


def wrong(tmp_path: Path, text: str, **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        plan(tmp_path, text, **environment)
    return str(caught.value).replace(f"{tmp_path}/", "")


def foreign(made: OutpostPlan) -> ForeignApplications:
    assert isinstance(made.applications, ForeignApplications)
    return made.applications


def test_a_few_lines_are_enough(tmp_path: Path) -> None:
    """An issuer, a client, an application and who may enter."""
    made = plan(tmp_path, MINIMAL)

    [provider] = foreign(made).providers
    assert provider.external_host == "https://wiki.example.com"
    assert provider.foreign is not None
    assert provider.foreign.admission.groups == ("staff",)
    assert [point.port for point in made.entry_points] == [9000]
    assert made.table.routers[-1].service == "health@internal"


def test_everything_in_the_environment(tmp_path: Path) -> None:
    """A container needs no file."""
    made = load(
        None,
        LinearPattern,
        {
            "DOORWARD_OUTPOST_LISTEN": ":4180",
            "DOORWARD_OUTPOST_ISSUER_URL": "https://id.example.com",
            "DOORWARD_OUTPOST_ISSUER_CLIENT_ID": "wiki",
            "DOORWARD_OUTPOST_ISSUER_CLIENT_SECRET": "very-secret",
            "DOORWARD_OUTPOST_ISSUER_SCOPES": "openid,email",
            "DOORWARD_OUTPOST_APPLICATIONS_WIKI_EXTERNAL_URL": "https://wiki.example.com",
            "DOORWARD_OUTPOST_APPLICATIONS_WIKI_ALLOW_EMAIL_DOMAINS": "example.com, .example.org",
            "DOORWARD_OUTPOST_APPLICATIONS_WIKI_UPSTREAMS_0_URL": "http://127.0.0.1:8080",
            "DOORWARD_OUTPOST_APPLICATIONS_WIKI_SKIP_PATHS": "^/health$\n^/static/",
            "DOORWARD_OUTPOST_COOKIE_SECRET": SECRET,
            "DOORWARD_DATA": "another program's",
        },
    )

    [provider] = foreign(made).providers
    assert provider.foreign is not None
    assert provider.scopes == ("openid", "email")
    assert provider.skip_path_regex == "^/health$\n^/static/"
    assert provider.foreign.admission.email_domains == ("example.com", ".example.org")
    service = made.table.services["wiki-0@outpost"]
    assert isinstance(service, LoadBalancer)
    assert service.servers[0].url == "http://127.0.0.1:8080"
    assert made.entry_points[0].port == 4180


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """Also for an application that the file names in another spelling."""
    text = MINIMAL.replace("wiki:\n", "Our_Wiki:\n")

    made = plan(tmp_path, text, DOORWARD_OUTPOST_APPLICATIONS_OUR_WIKI_EXTERNALURL="https://w.example.com")

    assert [each.external_host for each in foreign(made).providers] == ["https://w.example.com"]


def test_authentiks_names(tmp_path: Path) -> None:
    """What people have in their container files connects the outpost to its identity provider."""
    names = {"AUTHENTIK_HOST": "https://auth.example.com/", "AUTHENTIK_TOKEN": "t", "AUTHENTIK_INSECURE": "true"}

    made = load(None, LinearPattern, names)

    assert isinstance(made.applications, ConnectedApplications)
    assert made.applications.identity.url == "https://auth.example.com"
    assert made.applications.identity.insecure_skip_verify
    assert "insecureSkipVerify" in made.warnings[0]


def test_every_problem_with_its_place(tmp_path: Path) -> None:
    """File, line, value and the nearest valid name, all at once; no secret among them."""
    text = MINIMAL.replace("clientSecret:", "clientSecrt:").replace("groups:", "grops:").replace(SECRET, "too-short")

    said = wrong(tmp_path, text)

    assert "outpost.yml:5: issuer.clientSecrt: is not known; did you mean 'clientSecret'?" in said
    assert "outpost.yml:9: applications.wiki.allow.grops: is not known; did you mean 'groups'?" in said
    assert "outpost.yml:10: cookie.secret: must have at least 32 characters" in said
    assert "too-short" not in said
    assert "very-secret" not in said


def test_problems_of_the_environment_name_the_variable(tmp_path: Path) -> None:
    """There is no line to go to."""
    assert "environment: DOORWARD_OUTPOST_LISTEN: listen: must be an address" in wrong(
        tmp_path, MINIMAL, DOORWARD_OUTPOST_LISTEN="4180"
    )
    assert "environment: DOORWARD_OUTPOST_ISSUR_URL: is no option; did you mean 'ISSUER_URL'?" in wrong(
        tmp_path, MINIMAL, DOORWARD_OUTPOST_ISSUR_URL="x"
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("{groups: [staff]}", "{}", "lets nobody in"),
        ("{groups: [staff]}", "{everybody: true, groups: [staff]}", "lets everybody in and names some"),
        ("    allow: {groups: [staff]}\n", "", "applications.wiki.allow: is missing"),
        ("https://id.example.com", "http://id.example.com", "is reached without TLS"),
        ("https://wiki.example.com", "wiki.example.com", "must be a URL such as"),
        ("clientSecret: very-secret", "scopes: [openid]", "needs clientSecret or clientSecretFile"),
        ("clientSecret: very-secret", "clientSecretFile: /nowhere/at/all", "/nowhere/at/all cannot be read"),
        (f"cookie: {{secret: {SECRET}}}", "", "needs a secret (make one with: openssl rand -hex 32)"),
        ("{groups: [staff]}", "{groups: [staff]}\n    skipPaths: ['(']", "is no expression that may run"),
        (
            "{groups: [staff]}",
            "{groups: [staff]}\n    headers: {claims: {X-Authentik-Username: sub}}",
            "cannot be the name of a field for a claim",
        ),
        ("{groups: [staff]}", "{groups: [staff]}\n    headers: {claims: {Host: sub}}", "cannot be the name of a field"),
        ("{groups: [staff]}", "{groups: [staff]}\n    upstreams: [{url: 'http://a/b'}]", "a server without a path"),
        ("{groups: [staff]}", "{groups: [staff]}\n    upstreams: [{path: /x}]", "needs url, or urls"),
        ("{groups: [staff]}", "{groups: [staff]}\n    domain: example.org", "is not under the domain 'example.org'"),
        (
            "{groups: [staff]}",
            "{groups: [staff]}\n    cookiePrefix: host\n    domain: example.com",
            "only secure can be",
        ),
        ("cookie:", "session: {store: file}\ncookie:", "needs a folder: state:"),
        ("issuer:", "identityProvider: {url: 'https://a', token: t}\nissuer:", "cannot be beside identityProvider"),
        ("cookie:", "session: {store: files}\ncookie:", "did you mean 'file'?"),
    ],
)
def test_what_is_refused(before: str, after: str, says: str, tmp_path: Path) -> None:
    """Nothing is open because a line is missing or wrong."""
    assert before in MINIMAL
    assert says in wrong(tmp_path, MINIMAL.replace(before, after, 1))


def test_a_secret_is_made_where_there_is_a_folder(tmp_path: Path) -> None:
    """Once: the next start has the same."""
    text = MINIMAL.replace(f"cookie: {{secret: {SECRET}}}", f"state: {tmp_path}/state")

    first, second = plan(tmp_path, text), plan(tmp_path, text)

    assert foreign(first).secrets == foreign(second).secrets
    assert (tmp_path / "state" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_clients_cannot_set_what_the_outpost_sets(tmp_path: Path) -> None:
    """Every field of every switch is taken away from clients and answered by the outpost alone."""  # S-108, S-110
    more = "    headers: {authRequest: true, forwardedUser: true, accessToken: true, claims: {X-Role: role}}\n"
    text = MINIMAL.replace("    allow:", f"    upstreams: [{{url: 'http://127.0.0.1:1'}}]\n{more}    allow:")

    made = plan(tmp_path, text)

    router = next(router for router in made.table.routers if router.service == "wiki-0@outpost")
    listed = set(router.middlewares[0].auth_response_headers)  # type: ignore[union-attr]
    [provider] = foreign(made).providers
    assert provider.foreign is not None
    assert {rule.header for rule in provider.foreign.headers} <= listed
    assert {"X-authentik-username", "X-Auth-Request-User", "X-Forwarded-Email", "X-Role"} <= listed


TRUSTED = MINIMAL.replace(
    "allow: {groups: [staff]}",
    """allow: {groups: [staff]}
    bearerTokens: true
    trustedIssuers:
      - {url: https://ci.example.com, audiences: wiki, allow: {claims: {repository: [acme/wiki]}}}""",
)


def test_an_issuer_of_programs_has_rules_of_its_own(tmp_path: Path) -> None:
    """It is followed for its keys only; its programs are called what it alone decides."""
    made = foreign(plan(tmp_path, TRUSTED))

    [provider] = made.providers
    [trusted] = provider.trusted
    assert (trusted.issuer, trusted.audiences) == ("https://ci.example.com", ("wiki",))
    assert trusted.says.username_claims == ("sub",)
    assert [claim.name for claim in trusted.says.admission.claims] == ["repository"]
    assert trusted.says.admission.groups == ()
    assert [(reach.url, reach.keys_only) for reach in made.issuers] == [
        ("https://id.example.com", False),
        ("https://ci.example.com", True),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", allow: {claims: {repository: [acme/wiki]}}", "", "allow"),
        ("audiences: wiki, ", "", "audiences"),
        ("bearerTokens: true", "bearerTokens: false", "has no effect without bearerTokens"),
        ("https://ci.example.com", "https://id.example.com", "or the application's own"),
        ("https://ci.example.com", "http://ci.example.com", "without TLS"),
    ],
)
def test_an_issuer_of_programs_that_is_not_whole(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Whom it means, for what, and that anybody looks at its tokens must be said."""
    assert said in wrong(tmp_path, TRUSTED.replace(old, new))
