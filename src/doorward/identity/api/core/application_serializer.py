"""An application, as requests may state it and answers show it."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api.fixed import Fixed
from doorward.identity.api.permissions import powers, user_of
from doorward.identity.api.providers.serializers import ProviderSerializer
from doorward.identity.applications.models import Application, Provider
from doorward.identity.applications.queries import launch_url


class ApplicationSerializer(serializers.ModelSerializer[Application]):
    pbm_uuid = serializers.UUIDField(source="pk", read_only=True)
    slug = serializers.SlugField(max_length=50, validators=[UniqueValidator(Application.objects.all())])
    provider = serializers.PrimaryKeyRelatedField(
        queryset=Provider.objects.all(),
        required=False,
        allow_null=True,
        validators=[
            UniqueValidator(Application.objects.all(), message="Another application has this provider already.")
        ],
    )
    provider_obj = ProviderSerializer(source="provider", read_only=True, allow_null=True)
    backchannel_providers = Fixed([])
    backchannel_providers_obj = Fixed([])
    launch_url = serializers.SerializerMethodField()
    meta_icon_url = serializers.SerializerMethodField()
    meta_icon_themed_urls = Fixed(None)

    class Meta:
        model = Application
        fields = [
            "pk",
            "pbm_uuid",
            "name",
            "slug",
            "provider",
            "provider_obj",
            "backchannel_providers",
            "backchannel_providers_obj",
            "launch_url",
            "open_in_new_tab",
            "meta_launch_url",
            "meta_icon",
            "meta_icon_url",
            "meta_icon_themed_urls",
            "meta_description",
            "meta_publisher",
            "policy_engine_mode",
            "group",
            "meta_hide",
        ]

    def get_launch_url(self, application: Application) -> str | None:
        request = self.context.get("request")
        return launch_url(application, user_of(request)) if request else None

    def get_meta_icon_url(self, application: Application) -> str | None:
        return application.meta_icon or None

    def to_representation(self, instance: Application) -> dict[str, object]:
        answer = super().to_representation(instance)
        request = self.context.get("request")
        if request is None or not powers(request).may("authentik_core.view_application", instance.pk):
            answer["provider_obj"] = None  # how a login is set up is for administrators
        return answer
