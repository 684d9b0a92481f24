from django.apps import AppConfig


class BlueprintsConfig(AppConfig):
    name = "doorward.identity.blueprints"
    label = "blueprints"
    default_auto_field = "django.db.models.BigAutoField"
