"""Factors as clients see them: never a seed, a code or a key (S-605)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from doorward.identity.api.core.people import PartialUserSerializer
from doorward.identity.api.fixed import Fixed
from doorward.identity.authenticators.models import (
    LONGEST_NAME,
    Device,
    DeviceClass,
    EmailDevice,
    StaticDevice,
    TOTPDevice,
    WebAuthnDevice,
)
from doorward.identity.events.subjects import labels

NAMES = {
    DeviceClass.WEBAUTHN: ("WebAuthn Device", "WebAuthn Devices"),
    DeviceClass.TOTP: ("TOTP Device", "TOTP Devices"),
    DeviceClass.EMAIL: ("Email Device", "Email Devices"),
    DeviceClass.STATIC: ("Static Device", "Static Devices"),
}


class TOTPDeviceSerializer(serializers.ModelSerializer[TOTPDevice]):
    name = serializers.CharField(max_length=LONGEST_NAME)
    user = PartialUserSerializer(read_only=True)

    class Meta:
        model = TOTPDevice
        fields = ["name", "pk", "user"]


class StaticDeviceSerializer(serializers.ModelSerializer[StaticDevice]):
    name = serializers.CharField(max_length=LONGEST_NAME)
    user = PartialUserSerializer(read_only=True)
    token_set = Fixed([])
    """Codes are shown once, when they are made."""

    class Meta:
        model = StaticDevice
        fields = ["name", "token_set", "pk", "user"]


class EmailDeviceSerializer(serializers.ModelSerializer[EmailDevice]):
    name = serializers.CharField(max_length=LONGEST_NAME)
    email = serializers.EmailField(read_only=True)
    user = PartialUserSerializer(read_only=True)

    class Meta:
        model = EmailDevice
        fields = ["name", "pk", "email", "user"]


class WebAuthnDeviceSerializer(serializers.ModelSerializer[WebAuthnDevice]):
    name = serializers.CharField(max_length=LONGEST_NAME)
    created_on = serializers.DateTimeField(source="created", read_only=True)
    device_type = Fixed(None)
    user = PartialUserSerializer(read_only=True)

    class Meta:
        model = WebAuthnDevice
        fields = ["pk", "name", "created_on", "device_type", "aaguid", "user"]
        read_only_fields = ["aaguid"]


class DeviceSerializer(serializers.Serializer[Device]):
    """Any factor, in one list."""

    verbose_name = serializers.SerializerMethodField()
    verbose_name_plural = serializers.SerializerMethodField()
    meta_model_name = serializers.SerializerMethodField()
    pk = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    type = serializers.SerializerMethodField()
    confirmed = serializers.SerializerMethodField()
    created = serializers.DateTimeField(read_only=True)
    last_updated = serializers.DateTimeField(read_only=True)
    last_used = serializers.DateTimeField(read_only=True, allow_null=True)
    extra_description = serializers.SerializerMethodField()
    external_id = serializers.SerializerMethodField()

    def get_verbose_name(self, device: Device) -> str:
        return NAMES[device.CLASS][0]

    def get_verbose_name_plural(self, device: Device) -> str:
        return NAMES[device.CLASS][1]

    def get_meta_model_name(self, device: Device) -> str:
        return ".".join(labels(type(device)))

    def get_type(self, device: Device) -> str:
        return type(device).__name__

    def get_confirmed(self, device: Device) -> bool:
        """Every factor was proved before it was kept."""
        return True

    def get_extra_description(self, device: Device) -> str | None:
        return None

    def get_external_id(self, device: Device) -> str | None:
        return device.aaguid if isinstance(device, WebAuthnDevice) else None


def described(devices: list[Device]) -> list[dict[str, Any]]:
    """Factors of all kinds."""
    return [dict(DeviceSerializer(device).data) for device in devices]
