"""``doorward whoami``: the demonstration application alone."""

from __future__ import annotations

import asyncio
import signal

import click


@click.command()
@click.option("--port", default=80, show_default=True, envvar="WHOAMI_PORT_NUMBER", help="Port to listen on.")
@click.option("--host", default="", help="Address to listen on; all when not given.")
@click.option("--name", default="", envvar="WHOAMI_NAME", help="Shown as Name: in the answer.")
def whoami(port: int, host: str, name: str) -> None:
    """Run the demonstration application: it answers with the request that it receives.

    \b
    Example:
      doorward whoami --port 8081
      curl http://127.0.0.1:8081/
    """
    try:
        asyncio.run(_run(port, host, name))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host or '*'}:{port}: {error.strerror}") from error


async def _run(port: int, host: str, name: str) -> None:
    from doorward.whoami.server import start

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = await start(port, name, host)
    click.echo(f"whoami listens on http://{host or '127.0.0.1'}:{running.port}/ (Ctrl-C stops it)", err=True)
    await stop.wait()
    await running.close()
