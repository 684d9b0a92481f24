"""Makes the binary message files of a source tree before anybody asks for one."""

from __future__ import annotations

from django.apps import AppConfig

from doorward.identity.languages import message_files
from doorward.identity.languages.supported import LOCALE


class LanguagesConfig(AppConfig):
    name = "doorward.identity.languages"
    label = "languages"

    def ready(self) -> None:
        message_files.compile_stale(LOCALE)
