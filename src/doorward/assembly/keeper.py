"""Keeps the first process of a start alive after a new version took over: whoever started it (a shell, a container, a
script) waits for this process and sends it signals. It passes them on, and ends as the program ends.

It is what is left of the first supervisor, as small as a Python process can be (no site, nothing imported but this).
The program may be taken over again: then the former one ends, and the file with the process number names the next.
``python -I -S keeper.py NUMBER FILE``.
"""

from __future__ import annotations

import os
import signal
import sys

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def main(pid: int, pid_file: str) -> int:
    current = [pid]

    def pass_on(number: int, _frame: object) -> None:
        try:
            os.kill(current[0], number)
        except ProcessLookupError:
            pass  # it has just ended; we are about to hear of it

    for number in SIGNALS:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    while True:
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return 1
        if ended == current[0]:
            successor = _successor(pid_file)
            if successor in (0, ended):
                return os.waitstatus_to_exitcode(status)
            current[0] = successor


def _successor(pid_file: str) -> int:
    """The supervisor that the file names, if it runs; else 0."""
    try:
        with open(pid_file) as file:  # noqa: PTH123 - pathlib would double the size of this process
            pid = int(file.read())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return 0
    return pid


if __name__ == "__main__":
    code = main(int(sys.argv[1]), sys.argv[2])
    sys.exit(code if code >= 0 else 128 - code)
