"""From a configuration file to what is started."""

from __future__ import annotations

import os
from pathlib import Path

from doorward.cli.plans import plan_of


def test_there_are_as_many_workers_as_processors_that_may_be_used(tmp_path: Path) -> None:
    """Inside a container that is given one of many processors, one."""
    config = tmp_path / "doorward.yml"
    config.write_text(
        "entryPoints: {identity: {address: '127.0.0.1:9000'}}\n"
        f"identity: {{externalUrl: 'http://auth.localhost:9000', data: {tmp_path}}}\n"
    )
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert plan_of(config).workers == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert plan_of(config).workers == len(allowed)
