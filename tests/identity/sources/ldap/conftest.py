"""The directory that these tests ask: started once, put back as it was by whoever changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers.directory_server import DirectoryServer, directory_server


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DirectoryServer]:
    with directory_server(tmp_path_factory.mktemp("slapd")) as server:
        yield server
