"""``python -m doorward.assembly.compiler_process``: makes routing tables for the control process, one per question.

It holds what the control process must not carry: pydantic, the YAML parser, the rule parser, certificates' code. It
ends when nobody can ask any more (end of file), and takes up the work of an earlier one from what it is told.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from doorward.assembly import local_ca
from doorward.assembly.children import PR_SET_PDEATHSIG
from doorward.assembly.configuration_gauges import certificate_gauges
from doorward.config.decode import parse
from doorward.config.problems import ConfigurationError
from doorward.config.static import decode_static
from doorward.messages.compiling import Failed, MakeRoutes, RoutesMade, Routing
from doorward.messages.routing import Certificate
from doorward.sources.compile import Surroundings
from doorward.sources.route_maker import Making, RouteMaker


class Compiler:
    """Answers the questions of one control process, which are all about one static configuration."""

    def __init__(self, first: MakeRoutes) -> None:
        """Raises ConfigurationError, LocalAuthorityBroken."""
        self._static = decode_static(parse(first.configuration, Path(first.config_file)))
        self._authority = Path(first.authority)
        self._local = dict(first.kept.local)
        surroundings = Surroundings(
            identity_socket=Path(first.identity_socket),
            own_names=frozenset(first.own_names),
            # For TLS to a name that no configured certificate covers.
            default_certificate=Certificate(*local_ca.ensure(self._authority).leaf()),
            certificate_for=self._local_certificate,
        )
        self._maker = RouteMaker(self._static, surroundings, first.kept)

    def answer(self, question: MakeRoutes) -> RoutesMade:
        made = self._maker.make(question.read, question.outposts)
        return RoutesMade(self._finished(made), self._maker.files, self._maker.kept(self._local))

    def _finished(self, made: Making) -> Routing | Failed | None:
        """With what follows from a table and needs the same libraries."""
        if not isinstance(made.outcome, Routing):
            return made.outcome
        api = None
        if self._static.api is not None:
            # Few ask for it; the others need not wait for it.
            from doorward.assembly.api.objects import api_objects

            api = api_objects(self._static, made.providers, made.outcome.table)
        return replace(made.outcome, gauges=certificate_gauges(made.outcome.table), api=api)

    def _local_certificate(self, host: str) -> Certificate | None:
        """For a host under ``localhost``, from the local authority."""
        if host not in self._local:
            pair = local_ca.ensure(self._authority).passing_leaf(host)
            if pair is None:
                return None
            self._local[host] = Certificate(*pair)
        return self._local[host]


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Until there are no more questions."""
    decoder = msgspec.msgpack.Decoder(MakeRoutes)
    compiler: Compiler | None = None
    while head := questions.read(4):
        question = decoder.decode(questions.read(int.from_bytes(head, "big")))
        try:
            compiler = compiler or Compiler(question)
            answer = compiler.answer(question)
        except (ConfigurationError, local_ca.LocalAuthorityBroken) as error:
            answer = RoutesMade(Failed(str(error)), None, question.kept)
        body = msgspec.msgpack.encode(answer)
        answers.write(len(body).to_bytes(4, "big") + body)
        answers.flush()


def main() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # whoever would have read the answer is gone
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    with contextlib.suppress(BrokenPipeError):  # who asked has stopped meanwhile
        serve(sys.stdin.buffer, answers)
    os._exit(0)  # without tidying up: somebody waits for the end


if __name__ == "__main__":
    main()
