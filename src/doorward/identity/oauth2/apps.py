from django.apps import AppConfig


class Oauth2Config(AppConfig):
    name = "doorward.identity.oauth2"
    label = "oauth2"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.oauth2 import revocation

        revocation.listen()
