from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "doorward.identity.mail"
    label = "mail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.mail import notices

        notices.listen()
