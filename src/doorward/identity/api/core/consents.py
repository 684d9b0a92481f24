"""``/core/user_consent/``: what applications may be told. Users see and withdraw their own, superusers all."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import NumberFilter
from rest_framework import mixins, serializers

from doorward.identity.api.core.application_serializer import ApplicationSerializer
from doorward.identity.api.core.people import UserSerializer
from doorward.identity.api.filtering import Filters, uuid_of
from doorward.identity.api.permissions import OwnOrPermitted, own_or_visible
from doorward.identity.api.resource import NUMBER, ReadResource
from doorward.identity.applications.models import Consent
from doorward.identity.oauth2.actions import withdraw_consent


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    user = UserSerializer(read_only=True)
    application = ApplicationSerializer(read_only=True)
    expiring = serializers.SerializerMethodField()

    class Meta:
        model = Consent
        fields = ["pk", "expires", "expiring", "user", "application", "permissions"]
        read_only_fields = fields

    def get_expiring(self, consent: Consent) -> bool:
        return consent.expires is not None


class ConsentFilters(Filters):
    user = NumberFilter(field_name="user")
    application = uuid_of("application")


class UserConsents(mixins.DestroyModelMixin, ReadResource[Consent]):
    queryset = Consent.objects.select_related("user", "application__provider").prefetch_related(
        "user__groups__parents", "application__provider__oauth2provider__scope_mappings"
    )
    permission_classes = [OwnOrPermitted]
    serializer_class = ConsentSerializer
    filterset_class = ConsentFilters
    lookup_url_kwarg = "id"
    lookup_value_regex = NUMBER
    orders = {"expires": "expires"}
    ordering = ["id"]

    def get_queryset(self) -> QuerySet[Consent]:
        return own_or_visible(self.request, super().get_queryset())

    def perform_destroy(self, instance: Consent) -> None:
        withdraw_consent(self.actor, instance)
