from django.apps import AppConfig


class IdentitySourcesConfig(AppConfig):
    name = "doorward.identity.sources"
    label = "sources"
    default_auto_field = "django.db.models.BigAutoField"
