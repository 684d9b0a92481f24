"""Makes the routing table: loads, merges and compiles what all sources say, as a whole.

A ``RouteMaker`` may come in the place of another that is gone: what it must know of that one is ``kept``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import ConfigurationError
from doorward.config.static import StaticConfiguration
from doorward.messages.compiling import Failed, Kept, Routing
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.routing import Certificate
from doorward.sources.certificates import Shelf
from doorward.sources.compile import Surroundings, compile_table
from doorward.sources.file import FileSource, Loaded
from doorward.sources.pem import files_read


@dataclass(frozen=True, slots=True)
class Making:
    """What came of one attempt."""

    outcome: Routing | Failed | None
    providers: Mapping[str, DynamicConfiguration] = field(default_factory=dict)
    """What a table was made of, by provider."""


class RouteMaker:
    """See the module."""

    def __init__(self, static: StaticConfiguration, surroundings: Surroundings, kept: Kept = Kept()) -> None:  # noqa: B008 - frozen
        """``surroundings`` without shelf and outposts."""
        self._static = static
        self._shelf = Shelf(kept.pairs)
        self._surroundings = dataclasses.replace(surroundings, shelf=self._shelf)
        file = static.providers.file
        self._source = FileSource(file) if file is not None else None
        self._loaded: Loaded | None = None
        """What the files say, as they were last when they could be used."""
        if kept.files is not None:
            self._loaded = self._source.load_again(kept.files) if self._source is not None else Loaded.nothing()
        self.files: tuple[str, ...] | None = None
        """What the last table was made of besides the configuration, or would have been."""

    def make(self, read: bool, outposts: OutpostConfiguration) -> Making:
        """A table for these ``outposts``, of what the files say (``read``: now; otherwise last)."""
        self._surroundings = dataclasses.replace(self._surroundings, outposts=outposts)
        before = self._loaded
        if read:
            try:
                self._loaded = self._source.load() if self._source is not None else Loaded.nothing()
            except ConfigurationError as error:
                return Making(Failed(str(error)))
        if self._loaded is None:
            return Making(None)
        made = self._compiled(self._loaded)
        if isinstance(made.outcome, Failed) and before is not None:
            self._loaded = before  # the last good one, for whatever another source says next
        return made

    def kept(self, local: Mapping[str, Certificate]) -> Kept:
        """For the next one. ``local``: certificates that the local authority has made."""
        files = self._loaded.texts if self._loaded is not None else None
        return Kept(files, self._shelf.pairs(), tuple(local.items()))

    def _compiled(self, loaded: Loaded) -> Making:
        providers = {FileSource.name: loaded.configuration}
        with files_read() as files:
            try:
                compiled = compile_table(self._static, providers, self._surroundings)
            except ConfigurationError as error:
                return Making(Failed(str(error)))
            finally:
                self.files = tuple(sorted(map(str, files)))
        broken = tuple(f"a router answers 503 only: {reason}" for reason in compiled.broken)
        warnings = (*loaded.notices, *broken, *compiled.warnings)
        return Making(Routing(compiled.table, warnings), compiled.providers)
