"""What is written about an exchange, and what is chosen by configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.messages.entry_points import AccessLog
from doorward.proxy.access_fields import without_secrets
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.account import Account
from doorward.proxy.request import ConnectionFacts

SECRETS = ("s3cret-cookie", "s3cret-token", "s3cret-code", "s3cret-jwt", "s3cret-state")
ACCOUNT = Account(
    entry_point="web",
    method=b"GET",
    target=b"/a?b=c&code=s3cret-code",
    version=b"HTTP/1.1",
    started=0.0,
    started_at=1_700_000_000.25,
    client="192.0.2.7",
    peer="192.0.2.7",
    host=b"app.example.test:8443",
    tls=True,
    request_id=b"7" * 32,
    connection=ConnectionFacts(
        "192.0.2.7", 8443, tls=True, peer_port=40001, tls_version="1.3", tls_cipher="TLS_AES_128_GCM_SHA256"
    ),
    request_headers=(
        (b"User-Agent", b'UA "x"\x1b[2J'),
        (b"referer", b"https://app.example.test/?state=s3cret-state"),
        (b"Cookie", b"a=s3cret-cookie"),
        (b"Authorization", b"Bearer s3cret-token"),
        (b"X-Two", b"1"),
        (b"x-two", b"2"),
    ),
    user="bob",
    status=200,
    sent=5,
    router="app@file",
    service="app@file",
    server="http://10.0.0.3:8080",
    origin_status=200,
    origin_seconds=0.001,
    origin_headers=((b"X-Up", b"1"), (b"Set-Cookie", b"s=s3cret-cookie")),
    response_headers=((b"X-Up", b"2"), (b"x-authentik-jwt", b"s3cret-jwt")),
    seconds=0.0125,
)


def written(folder: Path, settings: AccessLog, *accounts: Account) -> str:
    path = folder / "access.log"
    log = AccessLogFile(replace(settings, file_path=str(path)))
    for account in accounts or (ACCOUNT,):
        log.record(account)
    log.close()
    return path.read_text()


def entry(folder: Path, **settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written(folder, AccessLog(format="json", **settings)))
    return found


def test_an_entry_is_whole(tmp_path: Path) -> None:
    """Every key of Traefik's that applies, and the request's name."""
    said = entry(tmp_path)

    assert said["ClientAddr"] == "192.0.2.7:40001"
    assert (said["ClientPort"], said["ClientUsername"], said["RequestId"]) == ("40001", "bob", "7" * 32)
    assert (said["TLSVersion"], said["TLSCipher"]) == ("1.3", "TLS_AES_128_GCM_SHA256")
    assert (said["ServiceAddr"], said["ServiceURL"]) == ("10.0.0.3:8080", "http://10.0.0.3:8080")
    assert (said["OriginContentSize"], said["Duration"], said["Overhead"]) == (5, 12_500_000, 11_500_000)
    assert said["RequestPath"] == "/a?b=c&code=REDACTED"
    assert said["StartUTC"] == "2023-11-14T22:13:20.250000Z"
    assert not any(key.startswith(("request_", "origin_", "downstream_")) for key in said)


@pytest.mark.parametrize(
    ("target", "written"),
    [
        (
            b"/if/flow/x/?next=%2Fo%2F%3Fid_token_hint%3DeyJ.a.b%26state%3Ds",
            b"/if/flow/x/?next=%2Fo%2F%3Fid_token_hint%3DREDACTED",
        ),
        (b"/x?next=%252Fo%253Fcode%253Dabc&page=2", b"/x?next=%252Fo%253Fcode%253DREDACTED&page=2"),
        (b"/x?rd=/a%3fTOKEN%3dabc", b"/x?rd=/a%3fTOKEN%3dREDACTED"),
        (b"/x?next=%2Fa%3Fpage%3D2", b"/x?next=%2Fa%3Fpage%3D2"),
    ],
)
def test_an_address_within_an_address_tells_no_secret_either(target: bytes, written: bytes) -> None:
    """Where the browser goes on to is escaped once or twice; what is telling in it is cut out all the same."""
    # S-802
    assert without_secrets(target) == written


@pytest.mark.parametrize("mode", ["keep", "redact"])
def test_header_fields_are_written_and_secrets_never(tmp_path: Path, mode: str) -> None:
    """Kept in canonical spelling, several joined; what proves somebody's identity is redacted though it is kept."""
    # S-802
    asked = tuple((name, "keep") for name in ("Cookie", "Authorization", "Set-Cookie", "X-Authentik-Jwt"))
    said = entry(tmp_path, header_default=mode, header_modes=asked)

    assert said["request_Cookie"] == said["request_Authorization"] == said["origin_Set-Cookie"] == "REDACTED"
    assert said["downstream_X-Authentik-Jwt"] == "REDACTED"
    if mode == "keep":
        assert (said["request_X-Two"], said["origin_X-Up"], said["downstream_X-Up"]) == ("1,2", "1", "2")
        assert said["request_Referer"] == "https://app.example.test/?state=REDACTED"
    else:
        assert said["request_X-Two"] == "REDACTED"
    assert not any(secret in json.dumps(said) for secret in SECRETS)


def test_fields_are_chosen_by_name(tmp_path: Path) -> None:
    """``defaultMode: drop`` with a few names, and a path without its query."""
    modes = (("RequestPath", "keep"), ("DownstreamStatus", "keep"))
    said = entry(tmp_path, field_default="drop", field_modes=modes, query_default="drop")

    assert said == {"RequestPath": "/a", "DownstreamStatus": 200}


def test_the_common_line_has_what_was_kept(tmp_path: Path) -> None:
    """Referer and user agent as the configuration wants them, escaped; a dropped name is a dash."""
    # S-052 S-620
    settings = AccessLog(
        header_modes=(("User-Agent", "keep"), ("Referer", "keep")), field_modes=(("ClientUsername", "drop"),)
    )
    line = written(tmp_path, settings)

    assert line == (
        '192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "GET /a?b=c&code=REDACTED HTTP/1.1" 200 5 '
        '"https://app.example.test/?state=REDACTED" "UA \\x22x\\x22\\x1b[2J" 1 "app@file" "http://10.0.0.3:8080" 12ms\n'
    )


def test_the_local_time_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``StartUTC: drop`` and ``TZ``, as in the original."""
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        line = written(tmp_path, AccessLog(format="genericCLF", field_modes=(("StartUTC", "drop"),)))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert "[15/Nov/2023:03:43:20 +0530]" in line


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status_codes": ((400, 499),)}, ["/denied"]),
        ({"min_duration": 1.0}, ["/slow"]),
        ({"retry_attempts": True}, ["/again"]),
        ({"status_codes": ((403, 403),), "retry_attempts": True}, ["/denied", "/again"]),
        ({}, ["/denied", "/slow", "/again"]),
    ],
)
def test_filters_keep_what_fits_one_of_them(tmp_path: Path, filters: dict[str, Any], expected: list[str]) -> None:
    """Status, duration, retries: any of them."""
    accounts = (
        replace(ACCOUNT, target=b"/denied", status=403),
        replace(ACCOUNT, target=b"/slow", seconds=1.5),
        replace(ACCOUNT, target=b"/again", retries=1),
    )
    lines = written(tmp_path, AccessLog(format="json", **filters), *accounts).splitlines()

    assert [json.loads(line)["RequestPath"] for line in lines] == expected


def test_a_batch_is_as_long_as_it_was_asked_for(tmp_path: Path) -> None:
    """``bufferingSize`` lines, then they are in the file."""
    path = tmp_path / "access.log"
    log = AccessLogFile(AccessLog(str(path), buffering_size=2))

    log.record(ACCOUNT)
    assert path.read_text() == ""
    log.record(ACCOUNT)

    assert len(path.read_text().splitlines()) == 2
    log.close()


def test_internal_services_are_written_when_wanted(tmp_path: Path) -> None:
    """``addInternals``."""
    ping = replace(ACCOUNT, service="ping@internal")

    assert written(tmp_path, AccessLog(), ping) == ""
    assert written(tmp_path, AccessLog(add_internals=True), ping)
