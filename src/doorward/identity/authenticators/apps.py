from django.apps import AppConfig


class AuthenticatorsConfig(AppConfig):
    name = "doorward.identity.authenticators"
    label = "authenticators"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.authenticators import revocation

        revocation.listen()
