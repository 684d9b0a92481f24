from django.apps import AppConfig


class LoginsConfig(AppConfig):
    name = "doorward.identity.logins"
    label = "logins"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.logins import revocation

        revocation.listen()
