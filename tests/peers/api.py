"""The REST API as a script uses it, for tests that need objects and are not about the API itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from peers.processes import eventually
from peers.program import TOKEN, Program
from peers.questions import ask


@dataclass(frozen=True, slots=True)
class Api:
    """``/api/v3`` of a running program, as its first administrator."""

    program: Program

    def get(self, path: str, **query: str) -> Any:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, **values: Any) -> Any:
        return self.call("POST", path, values)

    def patch(self, path: str, **values: Any) -> Any:
        return self.call("PATCH", path, values)

    def delete(self, path: str) -> None:
        self.call("DELETE", path)

    def call(self, method: str, path: str, values: dict[str, Any] | None = None) -> Any:
        headers = [("Authorization", f"Bearer {TOKEN}"), ("Accept", "application/json")]
        if values is not None:
            headers.append(("Content-Type", "application/json"))
        body = b"" if values is None else json.dumps(values).encode()
        answer = ask(f"{self.program.plain}/api/v3{path}", method=method, headers=headers, body=body)
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.body[:1000]!r}"
        return json.loads(answer.body) if answer.body else None

    def first(self, path: str, **query: str) -> Any:
        """The one result of a list."""
        results = self.get(path, **query)["results"]
        assert len(results) == 1, f"{path} {query}: {results}"
        return results[0]

    def protect(self, slug: str, external_host: str, consent: str = "implicit") -> Any:
        """Provider, application and outpost assignment, in force when this returns. Answers the application.

        In the place of one of that name: a module whose tests do not run in one go prepares twice."""
        for former in self.get("/providers/proxy/", name__iexact=slug)["results"]:
            if former["assigned_application_slug"]:
                self.delete(f"/core/applications/{former['assigned_application_slug']}/")
            self.delete(f"/providers/proxy/{former['pk']}/")
        flow = self.first("/flows/instances/", slug=f"default-provider-authorization-{consent}-consent")["pk"]
        provider = self.post(
            "/providers/proxy/",
            name=slug,
            mode="forward_single",
            external_host=external_host,
            authorization_flow=flow,
            invalidation_flow=self.first("/flows/instances/", slug="default-provider-invalidation-flow")["pk"],
        )
        application = self.post("/core/applications/", name=slug.title(), slug=slug, provider=provider["pk"])
        outpost = self.first("/outposts/instances/", managed__iexact="goauthentik.io/outposts/embedded")
        self.patch(f"/outposts/instances/{outpost['pk']}/", providers=[*outpost["providers"], provider["pk"]])
        scheme, _, host = external_host.partition("://")
        eventually(lambda: self.is_protected(scheme, host), within=1, what=f"{external_host} is protected")
        return application

    def is_protected(self, scheme: str, host: str) -> bool:
        """The outpost knows the host: it sends a stranger to log in."""
        forwarded = [
            ("X-Forwarded-Proto", scheme),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Uri", "/"),
            ("X-Forwarded-Method", "GET"),
            ("Accept", "text/html"),
        ]
        return self.program.ask("/outpost.goauthentik.io/auth/traefik", headers=forwarded).status == 302

    def person(self, username: str, password: str, *groups: str) -> Any:
        """A user with a password, in groups given by pk."""
        user = self.post("/core/users/", username=username, name=username.title(), groups=list(groups))
        self.post(f"/core/users/{user['pk']}/set_password/", password=password)
        return user

    def group(self, name: str) -> Any:
        return self.post("/core/groups/", name=name)

    def bind(self, application: Any, **to: Any) -> Any:
        """Let only ``group=`` or ``user=`` enter."""
        return self.post("/policies/bindings/", target=application["pbm_uuid"], order=0, **to)

    def events(self, action: str) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.get("/events/events/", action=quote(action), ordering="-created")[
            "results"
        ]
        return results
