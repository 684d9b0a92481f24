from django.apps import AppConfig


class SystemConfig(AppConfig):
    name = "doorward.identity.system"
    label = "system"
    default_auto_field = "django.db.models.BigAutoField"
