"""``doorward import``: other programs' configurations as ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from doorward.config.linear_pattern import LinearPattern
from doorward.config.oauth2_proxy import alpha as alpha_format
from doorward.config.oauth2_proxy import written as forms
from doorward.config.oauth2_proxy.notes import Note, Translation
from doorward.config.oauth2_proxy.translate import translate
from doorward.config.oauth2_proxy.written import Written
from doorward.config.outpost_plan import load
from doorward.config.problems import ConfigurationError

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("import")
def import_() -> None:
    """Turn another program's configuration into ours, and say what is different then."""


@import_.command("oauth2-proxy", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--alpha-config", type=_FILE, help="Its structured configuration (YAML), beside FILE or alone.")
@click.option("--env-file", type=_FILE, help="A file of OAUTH2_PROXY_… variables.")
@click.option("--environment", is_flag=True, help="Read OAUTH2_PROXY_… of this shell as well.")
@click.option("--external-url", default="", help="URL of the application, where there is no redirect_url.")
@click.option("--name", default="app", show_default=True, help="Key of the application.")
@click.option("--output", type=_FILE, help="Write the configuration there instead of showing it.")
def oauth2_proxy(
    arguments: tuple[str, ...],
    alpha_config: Path | None,
    env_file: Path | None,
    environment: bool,
    external_url: str,
    name: str,
    output: Path | None,
) -> None:
    """oauth2-proxy's configuration as that of `doorward outpost`.

    ARGUMENTS is its configuration file, and behind -- its command line, as they stand in your unit or container file.
    The configuration goes to standard output (or --output); what is different, and what has no equivalent, with the
    reason and what is nearest, to standard error. Exits with 1 when something must be decided before it can be used.

    \b
    Examples:
      doorward import oauth2-proxy /etc/oauth2-proxy.cfg --output outpost.yml
      doorward import oauth2-proxy --alpha-config alpha.yaml --external-url https://wiki.example.com
      doorward import oauth2-proxy -- --provider=oidc --oidc-issuer-url=https://id.example.com --upstream=http://…
    """
    try:
        translation = translate(_read(arguments, alpha_config, env_file, environment), external_url, name, _is_usable)
    except ConfigurationError as error:
        raise click.ClickException(f"it cannot be read:\n{error}") from error
    text = translation.text()
    if output is not None:
        output.touch(mode=0o600)  # it may hold secrets
        output.write_text(text)
        translation.open.extend(_problems(output, translation))
    else:
        click.echo(text, nl=False)
    _tell(translation)
    if translation.open:
        raise SystemExit(1)


def _read(arguments: Sequence[str], alpha: Path | None, env_file: Path | None, environment: bool) -> Written:
    """In the order in which they win: file, environment, command line. Raises ConfigurationError."""
    written = Written()
    own = [
        argument for argument in arguments[:1] if Path(argument).name == "oauth2-proxy"
    ]  # a command line as it stands
    arguments = arguments[len(own) :]
    files = [argument for argument in arguments[:1] if not argument.startswith("-")]
    flags = arguments[len(files) :]
    for file in files:
        path = Path(file)
        if path.suffix.lower() in (".yml", ".yaml") and alpha is None:
            alpha = path
        else:
            forms.from_toml(written, path)
    if alpha is not None:
        alpha_format.from_alpha(written, alpha)
    if env_file is not None:
        forms.from_environment(written, forms.variables_of(env_file))
    if environment:
        forms.from_environment(written, os.environ)
    forms.from_flags(written, flags)
    if not written.options:
        raise click.UsageError("nothing to read: name a file, --env-file, --environment, or its command line behind --")
    return written


def _is_usable(pattern: str) -> bool:
    try:
        LinearPattern(pattern)
    except ValueError:
        return False
    return True


def _problems(output: Path, translation: Translation) -> list[str]:
    """What our own decoder says about the result, where nothing is open anyway."""
    if translation.open:
        return []
    try:
        load(output, LinearPattern, {})
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems if "cannot be read" not in str(problem)]
    return []


def _tell(translation: Translation) -> None:
    _list("Must be decided before it can be used:", translation.open)
    _list("No equivalent:", translation.missing)
    _list("Different:", translation.different)
    _list("Not needed any more:", translation.ignored)


def _list(heading: str, entries: Sequence[Note | str]) -> None:
    if entries:
        click.echo(f"\n{heading}", err=True)
        for entry in dict.fromkeys(map(str, entries)):
            click.echo(f"  {entry}", err=True)
