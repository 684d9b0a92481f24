"""The description of this API, generated from the views; see ``schema`` for why it is imported late."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings

from doorward.identity.api.stages.factors import HINTS
from doorward.identity.api.urls import ROUTES

spectacular_settings.apply_patches(  # type: ignore[no-untyped-call]
    {
        "SERVERS": [{"url": "/api/v3"}],
        "ENUM_NAME_OVERRIDES": {
            "ConsentModeEnum": "doorward.identity.stages.models.ConsentStage.Mode",
            "ProxyMode": "doorward.identity.outposts.models.ProxyProvider.Mode",
            "UserTypeEnum": "doorward.identity.directory.models.User.Type",
            "OutpostTypeEnum": [("proxy", "proxy")],
            "PromptTypeEnum": "doorward.identity.stages.models.Prompt.Type",
            "UserVerificationEnum": "doorward.identity.stages.models.Preference",
            "WebAuthnHintEnum": [(hint, hint) for hint in HINTS],
        },
    }
)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the description names ``BearerOrSession``."""

    target_class = "doorward.identity.api.authentication.BearerOrSession"
    name = "authentik"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


def description() -> dict[str, Any]:
    """OpenAPI 3, as plain data."""
    made: dict[str, Any] = SchemaGenerator(urlconf=ROUTES).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made
