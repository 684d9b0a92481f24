from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "doorward.identity.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from doorward.identity.notifications import following

        following.listen()
