"""``/crypto/certificatekeypairs/``: certificates and keys. A private key leaves by its own action only (S-605)."""

from __future__ import annotations

import binascii
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from django.db.models import QuerySet
from django.http import HttpResponse
from django_filters import BooleanFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api import plain_writes
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.recent_login import require_recent_login
from doorward.identity.api.resource import UUID, Resource, flag
from doorward.identity.crypto import actions
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.oauth2 import key_rotation

BASE = "/api/v3/crypto/certificatekeypairs"
ALGORITHMS = {
    "rsa": "RS256",
    "ecdsa": "ES256",
    "ecdsa_p384": "ES384",
    "ecdsa_p521": "ES512",
    "ed25519": "EdDSA",
}
KEY_TYPES = (
    (rsa.RSAPublicKey, "rsa"),
    (ec.EllipticCurvePublicKey, "ec"),
    (ed25519.Ed25519PublicKey, "ed25519"),
    (ed448.Ed448PublicKey, "ed448"),
    (dsa.DSAPublicKey, "dsa"),
)


@lru_cache(maxsize=64)
def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _fingerprint(pem: str, algorithm: SHA1 | SHA256) -> str:
    return binascii.hexlify(_certificate(pem).fingerprint(algorithm), ":").decode()


class CertificateKeyPairSerializer(serializers.ModelSerializer[CertificateKeyPair]):
    name = serializers.CharField(validators=[UniqueValidator(CertificateKeyPair.objects.all())])
    certificate_data = serializers.CharField(write_only=True)
    key_data = serializers.CharField(write_only=True, required=False, allow_blank=True)
    fingerprint_sha256 = serializers.SerializerMethodField()
    fingerprint_sha1 = serializers.SerializerMethodField()
    cert_expiry = serializers.SerializerMethodField()
    cert_subject = serializers.SerializerMethodField()
    private_key_available = serializers.SerializerMethodField()
    key_type = serializers.SerializerMethodField()
    certificate_download_url = serializers.SerializerMethodField()
    private_key_download_url = serializers.SerializerMethodField()

    class Meta:
        model = CertificateKeyPair
        fields = [
            "pk",
            "name",
            "certificate_data",
            "key_data",
            "fingerprint_sha256",
            "fingerprint_sha1",
            "cert_expiry",
            "cert_subject",
            "private_key_available",
            "key_type",
            "certificate_download_url",
            "private_key_download_url",
            "managed",
        ]
        read_only_fields = ["managed"]

    def get_fingerprint_sha256(self, pair: CertificateKeyPair) -> str:
        return _fingerprint(pair.certificate_pem, SHA256())

    def get_fingerprint_sha1(self, pair: CertificateKeyPair) -> str:
        return _fingerprint(pair.certificate_pem, SHA1())  # noqa: S303 - a name, as other tools show it

    def get_cert_expiry(self, pair: CertificateKeyPair) -> datetime:
        return _certificate(pair.certificate_pem).not_valid_after_utc

    def get_cert_subject(self, pair: CertificateKeyPair) -> str:
        return _certificate(pair.certificate_pem).subject.rfc4514_string()

    def get_private_key_available(self, pair: CertificateKeyPair) -> bool:
        return bool(pair.sealed_key)

    def get_key_type(self, pair: CertificateKeyPair) -> str | None:
        public = _certificate(pair.certificate_pem).public_key()
        return next((name for kind, name in KEY_TYPES if isinstance(public, kind)), None)

    def get_certificate_download_url(self, pair: CertificateKeyPair) -> str:
        return f"{BASE}/{pair.pk}/view_certificate/?download"

    def get_private_key_download_url(self, pair: CertificateKeyPair) -> str:
        return f"{BASE}/{pair.pk}/view_private_key/?download"


class CertificateFilters(Filters):
    name = exactly("name")
    managed = exactly("managed")
    has_key = BooleanFilter(method="by_key")

    def by_key(self, pairs: QuerySet[CertificateKeyPair], name: str, wanted: bool) -> QuerySet[CertificateKeyPair]:
        return pairs.exclude(sealed_key="") if wanted else pairs.filter(sealed_key="")


class RotationRequest(serializers.Serializer[Any]):
    validity_days = serializers.IntegerField(min_value=1, max_value=36500, default=3650)


class GenerationRequest(serializers.Serializer[Any]):
    common_name = serializers.CharField(max_length=64)
    subject_alt_name = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="Host names, with commas in between."
    )
    validity_days = serializers.IntegerField(min_value=1, max_value=36500)
    alg = serializers.ChoiceField(list(ALGORITHMS), default="rsa")


class CertificateDataSerializer(serializers.Serializer[Any]):
    data = serializers.CharField()  # type: ignore[assignment] # a field, not the serializer's own


DOWNLOAD = [OpenApiParameter("download", bool)]


class Certificates(Resource[CertificateKeyPair]):
    queryset = CertificateKeyPair.objects.all()
    serializer_class = CertificateKeyPairSerializer
    filterset_class = CertificateFilters
    needs = {
        "view_certificate": "authentik_crypto.view_certificatekeypair",
        "rotate": "authentik_crypto.change_certificatekeypair",
    }
    lookup_url_kwarg = "kp_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name", "created": "created"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> CertificateKeyPair:
        return actions.import_pair(
            self.actor,
            name=data["name"],
            certificate_pem=data["certificate_data"],
            private_key_pem=data.get("key_data", ""),
        )

    def change(self, instance: CertificateKeyPair, data: dict[str, Any]) -> CertificateKeyPair:
        """The name can change. Certificate and key are what ``kid`` and signatures stand on: import a new pair."""
        replaced = {"certificate_data": "certificate_pem", "key_data": "private_key_pem"}
        for field, attribute in replaced.items():
            if data.get(field, "").strip() not in ("", getattr(instance, attribute).strip()):
                message = "A certificate or key cannot be exchanged under its old name; import it as a new pair."
                raise serializers.ValidationError({field: [message]})
        return plain_writes.update(self.actor, instance, {"name": data.get("name", instance.name)})

    def remove(self, instance: CertificateKeyPair) -> None:
        actions.delete_pair(self.actor, instance)

    @extend_schema(request=GenerationRequest, responses={200: CertificateKeyPairSerializer})
    @action(detail=False, methods=["post"])
    def generate(self, request: Request) -> Response:
        """A new key with a self-signed certificate."""
        asked = GenerationRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        pair = actions.generate(
            self.actor,
            name=wanted["common_name"],
            common_name=wanted["common_name"],
            algorithm=ALGORITHMS[wanted["alg"]],
            valid_days=wanted["validity_days"],
            alternatives=tuple(
                name for part in wanted.get("subject_alt_name", "").split(",") if (name := part.strip())
            ),
        )
        return Response(self.get_serializer(pair).data)

    @extend_schema(request=RotationRequest, responses={200: CertificateKeyPairSerializer})
    @action(detail=True, methods=["post"], pagination_class=None)
    def rotate(self, request: Request, kp_uuid: str) -> Response:
        """A new key in its place; the old one stays published until its last token has died. Not in the original."""
        asked = RotationRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        pair = key_rotation.rotate(self.actor, self.get_object(), valid_days=asked.validated_data["validity_days"])
        return Response(self.get_serializer(pair).data)

    @extend_schema(parameters=DOWNLOAD, responses=CertificateDataSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def view_certificate(self, request: Request, kp_uuid: str) -> Response | HttpResponse:
        """The certificate as PEM; no secret, so no event."""
        pair = self.get_object()
        return _shown(request, pair.certificate_pem, "certificate.pem")

    @extend_schema(parameters=DOWNLOAD, responses=CertificateDataSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def view_private_key(self, request: Request, kp_uuid: str) -> Response | HttpResponse:
        """The private key as PKCS#8 PEM, with an event."""
        require_recent_login(request)
        return _shown(request, actions.view_private_key(self.actor, self.get_object()), "private_key.pem")


def _shown(request: Request, pem: str, filename: str) -> Response | HttpResponse:
    if "download" in request.query_params and flag(request, "download", default=True):
        headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
        return HttpResponse(pem, content_type="application/x-pem-file", headers=headers)
    return Response({"data": pem})
