"""Reading an outpost's configuration again while it runs (SIGHUP).

A process of its own does it, because this one knows nothing of configuration files; what is wrong comes back as text
with file, line and value, and then nothing changes. What a running process cannot change is named and waits for a
restart; everything else is in force at once.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from doorward.messages.standalone import ConnectedApplications, ForeignApplications, OutpostPlan

PATIENCE = 60.0
"""Seconds for reading it."""
_PROGRAM = "doorward.cli.outpost_plan"


class NotReloaded(Exception):
    """The configuration cannot be used; says why."""


async def read_again(plan: OutpostPlan) -> OutpostPlan:
    """The plan as the configuration has it now. Raises NotReloaded."""
    arguments = [plan.config_file] if plan.config_file else []
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _PROGRAM, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            written, said = await reader.communicate()
    except TimeoutError:
        reader.kill()
        await reader.wait()
        raise NotReloaded(f"it was not read within {PATIENCE:.0f} seconds") from None
    if reader.returncode != 0:
        raise NotReloaded(said.decode(errors="replace").strip() or f"its reader ended with {reader.returncode}")
    return msgspec.msgpack.decode(written, type=OutpostPlan)


def as_far_as_possible(running: OutpostPlan, wanted: OutpostPlan) -> tuple[OutpostPlan, list[str]]:
    """What of ``wanted`` can be put in force now, and the options that wait for a restart."""
    waiting = [
        option
        for option, is_changed in (
            ("listen, metrics, trustedProxies or whether there is tls", running.entry_points != wanted.entry_points),
            ("state", running.state_folder != wanted.state_folder),
            ("log", running.log != wanted.log),
            ("accessLog", running.access_log != wanted.access_log),
        )
        if is_changed
    ]
    applications = wanted.applications
    match running.applications, wanted.applications:
        case ForeignApplications(in_file=before), ForeignApplications(in_file=after) if before != after:
            waiting.append("session.store")
        case (ConnectedApplications(), ForeignApplications()) | (ForeignApplications(), ConnectedApplications()):
            waiting.append("whether there is an identityProvider")
            applications = running.applications
    usable = msgspec.structs.replace(
        running,
        table=wanted.table,
        applications=applications,
        grace=wanted.grace,
        warnings=wanted.warnings,
        watched=wanted.watched,
    )
    return usable, waiting
