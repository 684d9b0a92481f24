from django.apps import AppConfig


class ChoresConfig(AppConfig):
    name = "doorward.identity.chores"
    label = "chores"
    default_auto_field = "django.db.models.BigAutoField"
