"""Registers the room with Django and connects its guard to the directory."""

from django.apps import AppConfig


class RolesConfig(AppConfig):
    name = "doorward.identity.roles"
    label = "roles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.roles import guard

        guard.listen()
