"""``/doorward/decisions/``, ``/doorward/access/`` and ``/doorward/headers/``: what the pages and commands say, as JSON.

The original has nothing like them, so they stand under a name of our own.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.permissions import user_of
from doorward.identity.api.resource import Rules
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.explain import data_plane, decisions
from doorward.identity.explain.access import access_now
from doorward.identity.explain.headers import NotProxied, contract, provider_of
from doorward.messages.decisions import FindDecisions

_FILTERS = ("application", "host", "client", "reason")
_LONGEST = 500


class Away(APIException):
    status_code = 503
    default_detail = "The data plane does not answer."
    default_code = "unavailable"


class Decisions(Rules):
    @extend_schema(
        parameters=[*(OpenApiParameter(name, str) for name in _FILTERS), OpenApiParameter("limit", int)],
        responses=OpenApiTypes.OBJECT,
        operation_id="doorward_decisions_list",
    )
    def get(self, request: Request) -> Response:
        """The newest refusals and redirects to the login that fit."""
        given = {name: request.query_params.get(name, "") for name in _FILTERS}
        limit = request.query_params.get("limit", "50")
        if not (limit.isascii() and limit.isdigit() and 0 < int(limit[:9]) <= _LONGEST):
            raise ValidationError({"limit": [f"A number from 1 to {_LONGEST} is expected."]})
        try:
            found = data_plane.find(FindDecisions(**given, limit=int(limit)))
        except data_plane.Unavailable as unavailable:
            raise Away(str(unavailable)) from unavailable
        return Response(_plain(found))


class Decision(Rules):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="doorward_decisions_retrieve")
    def get(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """Everything that is known about one of them, by the first six characters of its id or more."""
        try:
            found = decisions.explained(id)
        except data_plane.Unavailable as unavailable:
            raise Away(str(unavailable)) from unavailable
        if not found:
            raise NotFound
        return Response({"results": _plain(found)})


class Access(Rules):
    @extend_schema(
        parameters=[OpenApiParameter("user", str, required=True)],
        responses=OpenApiTypes.OBJECT,
        operation_id="doorward_access_retrieve",
    )
    def get(self, request: Request, slug: str) -> Response:
        """Why a user gets into an application now, or does not."""
        return Response(_plain(access_now(get_object_or_404(Application, slug=slug), _user(request))))


class Headers(Rules):
    @extend_schema(
        parameters=[OpenApiParameter("user", str), OpenApiParameter("path", str)],
        responses=OpenApiTypes.OBJECT,
        operation_id="doorward_headers_retrieve",
    )
    def get(self, request: Request, slug: str) -> Response:
        """What an application receives for a user: whoever asks, unless one is named."""
        return self._contract(request, slug, spoof=False)

    @extend_schema(
        parameters=[OpenApiParameter("user", str), OpenApiParameter("path", str)],
        request=None,
        responses=OpenApiTypes.OBJECT,
        operation_id="doorward_headers_spoof_create",
    )
    def post(self, request: Request, slug: str) -> Response:
        """The same, and forged fields are sent through the chain as well."""
        return self._contract(request, slug, spoof=True)

    @staticmethod
    def _contract(request: Request, slug: str, *, spoof: bool) -> Response:
        application = get_object_or_404(Application, slug=slug)
        path = request.query_params.get("path", "/")[:2000]
        try:
            found = contract(application, _user(request), path=path, spoof=spoof)
        except NotProxied as error:
            raise ValidationError({"slug": [str(error)]}) from error
        return Response(_plain(found), status=503 if found.problem else 200)


class Examination(Rules):
    @extend_schema(request=None, responses=OpenApiTypes.OBJECT, operation_id="doorward_examinations_create")
    def post(self, request: Request, slug: str) -> Response:
        """Go a browser's way to the application's external host, from this machine, and say what is wrong."""
        application = get_object_or_404(Application, slug=slug)
        try:
            return Response(_plain(data_plane.examine(provider_of(application).pk)))
        except NotProxied as error:
            raise ValidationError({"slug": [str(error)]}) from error
        except data_plane.Unavailable as unavailable:
            raise Away(str(unavailable)) from unavailable


class Probes(Rules):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="doorward_probes_list")
    def get(self, request: Request) -> Response:
        """What the standing probe last saw at each application; ``interval`` is 0 when it is off."""
        try:
            return Response(_plain(data_plane.probes()))
        except data_plane.Unavailable as unavailable:
            raise Away(str(unavailable)) from unavailable


def _user(request: Request) -> User:
    name = request.query_params.get("user", "")
    return get_object_or_404(User, username=name.replace("\0", "")) if name else user_of(request)


def _plain(struct: object) -> Any:
    return msgspec.to_builtins(struct)
