"""From an outpost's configuration to its plan; as a program of its own (``python -m``) for an outpost that runs.

``doorward outpost`` itself knows nothing of configuration files: when it is told to read its own again it has this
done, takes the plan from standard output, or what is wrong from standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from doorward.config import outpost_plan
from doorward.config.problems import ConfigurationError
from doorward.messages.standalone import ConnectedApplications, OutpostPlan


def read(config_file: Path | None) -> OutpostPlan:
    """The plan for this file (None: the environment says everything). Raises ConfigurationError."""
    plan = outpost_plan.load(config_file, _check_pattern)
    if config_file is None:
        return plan
    file = str(config_file.absolute())
    watched = (file, *plan.watched) if isinstance(plan.applications, ConnectedApplications) else ()
    return msgspec.structs.replace(plan, config_file=file, watched=watched)


def _check_pattern(pattern: str) -> None:
    from doorward.config.linear_pattern import LinearPattern  # few configurations have one

    LinearPattern(pattern)


def main(arguments: list[str]) -> int:
    """The exit status."""
    try:
        plan = read(Path(arguments[0]) if arguments else None)
    except ConfigurationError as error:
        sys.stderr.write(str(error))
        return 1
    sys.stdout.buffer.write(msgspec.msgpack.encode(plan))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
