"""The file provider: loading, reloading, and keeping the last good configuration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from doorward.config.problems import ConfigurationError
from doorward.config.static import FileProvider, StaticConfiguration
from doorward.sources.file import FileSource
from doorward.sources.routes import Failed, Routing, follow

ROUTES = """
http:
  routers: {{app: {{rule: "Host(`{host}`)", service: app}}}}
  services: {{app: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:1"}}]}}}}}}
"""


def source(path: Path) -> FileSource:
    settings = FileProvider(directory=str(path)) if path.is_dir() else FileProvider(filename=str(path))
    return FileSource(settings, environment={"APP_HOST": "from.env"})


def problems(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        source(path).load()
    return str(caught.value)


def test_folder_is_read_in_order_and_the_first_wins(tmp_path: Path) -> None:
    """All files of a folder and its subfolders count; a name that comes twice is told and the first one stays."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.yml").write_text(ROUTES.format(host="b"))
    (tmp_path / "a.toml").write_text('[http.routers.app]\nrule = "Host(`a`)"\nservice = "app"\n')
    (tmp_path / "sub" / "c.YAML").write_text("http: {middlewares: {m: {headers: {frameDeny: true}}}}")
    (tmp_path / "notes.txt").write_text("not: configuration")
    (tmp_path / ".hidden.yml").write_text("{{{")

    loaded = source(tmp_path).load()

    assert loaded.configuration.http.routers["app"].rule == "Host(`a`)"
    assert set(loaded.configuration.http.middlewares) == {"m"}
    assert loaded.notices == (f"{tmp_path}/b.yml: the router 'app' is ignored: {tmp_path}/a.toml has it already",)


def test_every_mistake_of_every_file_is_told(tmp_path: Path) -> None:
    """One pass shows everything, each with file and line."""
    (tmp_path / "a.yml").write_text("http:\n  routers:\n    a: {rule: 'Host(`a`', service: x}\n    b: {rul: x}\n")
    (tmp_path / "b.yml").write_text("htp: {}\n")

    lines = problems(tmp_path).replace(f"{tmp_path}/", "").splitlines()

    assert "a.yml:4: http.routers.b.rul: is not known; did you mean 'rule'?" in lines
    assert "b.yml:1: htp: is not known; did you mean 'http'?" in lines


def test_wrong_rule_names_its_line(tmp_path: Path) -> None:
    """A rule that cannot be parsed refuses the file and points at the place."""
    path = tmp_path / "routes.yml"
    path.write_text("http:\n  routers:\n    a:\n      service: x\n      rule: Host(`a`) && Pth(`/`)\n")

    assert "routes.yml:5: http.routers.a.rule: there is no matcher Pth; did you mean 'Path'? (column 14)" in problems(
        path
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "is empty"), ("# later\n", "is empty"), ("http: {}\n", "configures nothing"), ("{}", "configures nothing")],
)
def test_empty_file_does_not_wipe_the_routes(tmp_path: Path, text: str, reason: str) -> None:
    """A writer that truncates first cannot close every route."""  # S-715
    path = tmp_path / "routes.yml"
    path.write_text(text)

    assert reason in problems(path)


def test_environment_is_read(tmp_path: Path) -> None:
    """``{{ env "NAME" }}`` works as in Traefik."""
    path = tmp_path / "routes.yml"
    path.write_text(ROUTES.format(host='{{ env "APP_HOST" }}').replace("{{ env", "{{ env"))

    assert source(path).load().configuration.http.routers["app"].rule == "Host(`from.env`)"


def test_missing_folder_is_told(tmp_path: Path) -> None:
    """A folder that is not there is an error, not an empty configuration."""
    missing = FileSource(FileProvider(directory=str(tmp_path / "nowhere")))

    with pytest.raises(ConfigurationError, match="is no folder"):
        missing.load()


# --- following -------------------------------------------------------------------------------------------------


def following(
    path: Path, reload: asyncio.Event | None = None, watch: bool = True
) -> AsyncGenerator[Routing | Failed, None]:
    static = StaticConfiguration.model_validate(
        {
            "entryPoints": {"web": {"address": ":80"}},
            "providers": {"providersThrottleDuration": "50ms", "file": {"filename": str(path), "watch": watch}},
        }
    )
    return follow(static, reload=reload)


async def following_outcome(outcomes: AsyncGenerator[Routing | Failed, None]) -> Routing | Failed:
    return await asyncio.wait_for(anext(outcomes), 10)


def replace(path: Path, text: str) -> None:
    """Write as editors do: another file, then its name."""
    other = path.with_name("new")
    other.write_text(text)
    other.rename(path)


def hosts(outcome: Routing | Failed) -> list[str]:
    assert isinstance(outcome, Routing)
    return [router.rule_text for router in outcome.table.routers if router.name.endswith("@file")]


async def test_change_is_taken_and_mistake_is_not(tmp_path: Path) -> None:
    """A change is in force soon; a wrong one says why and changes nothing; the next right one is taken."""  # S-715
    path = tmp_path / "routes.yml"
    path.write_text(ROUTES.format(host="one"))
    async with aclosing(following(path)) as outcomes:
        first = await following_outcome(outcomes)
        waiting = asyncio.ensure_future(following_outcome(outcomes))
        await asyncio.sleep(0.3)
        replace(path, "http: {routers: [")
        refused = await waiting
        waiting = asyncio.ensure_future(following_outcome(outcomes))
        await asyncio.sleep(0.1)
        replace(path, ROUTES.format(host="two"))
        second = await waiting

    assert hosts(first) == ["Host(`one`)"]
    assert isinstance(refused, Failed)
    assert "routes.yml:1: is not valid YAML" in refused.problems
    assert hosts(second) == ["Host(`two`)"]
    assert isinstance(first, Routing)
    assert isinstance(second, Routing)
    assert second.table.version > first.table.version


async def test_swapped_symlink_is_seen(tmp_path: Path) -> None:
    """Kubernetes replaces a folder of files by turning a symbolic link; that is a change."""  # S-715
    for name in ("one", "two"):
        (tmp_path / f"..{name}").mkdir()
        (tmp_path / f"..{name}" / "routes.yml").write_text(ROUTES.format(host=name))
    (tmp_path / "..data").symlink_to("..one")
    path = tmp_path / "routes.yml"
    path.symlink_to("..data/routes.yml")
    async with aclosing(following(path)) as outcomes:
        first = await following_outcome(outcomes)
        waiting = asyncio.ensure_future(following_outcome(outcomes))
        await asyncio.sleep(0.3)
        (tmp_path / "..next").symlink_to("..two")
        (tmp_path / "..next").rename(tmp_path / "..data")
        second = await waiting

    assert (hosts(first), hosts(second)) == (["Host(`one`)"], ["Host(`two`)"])


async def test_vanished_file_keeps_the_last_good(tmp_path: Path) -> None:
    """Removing the file is a failure to read it, not a wish for no routes."""  # S-715
    path = tmp_path / "routes.yml"
    path.write_text(ROUTES.format(host="one"))
    async with aclosing(following(path)) as outcomes:
        await following_outcome(outcomes)
        waiting = asyncio.ensure_future(following_outcome(outcomes))
        await asyncio.sleep(0.3)
        path.unlink()
        outcome = await waiting

    assert isinstance(outcome, Failed)
    assert "cannot be read" in outcome.problems


async def test_reload_on_demand(tmp_path: Path) -> None:
    """With watching off, a hang-up signal reads everything again."""
    path = tmp_path / "routes.yml"
    path.write_text(ROUTES.format(host="one"))
    reload = asyncio.Event()
    async with aclosing(following(path, reload, watch=False)) as outcomes:
        await following_outcome(outcomes)
        path.write_text(ROUTES.format(host="two"))
        reload.set()
        outcome = await following_outcome(outcomes)

    assert hosts(outcome) == ["Host(`two`)"]


async def test_first_load_may_fail(tmp_path: Path) -> None:
    """A configuration that is wrong at the start is told at once."""
    path = tmp_path / "routes.yml"
    async with aclosing(following(path)) as outcomes:
        outcome = await following_outcome(outcomes)

    assert isinstance(outcome, Failed)


async def test_without_files_there_are_the_internal_routers() -> None:
    """A program without a file provider still serves its identity provider."""
    static = StaticConfiguration.model_validate({"identity": {"externalUrl": "https://auth.test"}})
    async with aclosing(follow(static)) as outcomes:
        outcome = await following_outcome(outcomes)

    assert isinstance(outcome, Routing)
    assert {router.name for router in outcome.table.routers} == {
        "health@internal",
        "outpost@internal",
        "identity@internal",
    }
