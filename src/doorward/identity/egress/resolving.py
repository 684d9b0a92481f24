"""Names to addresses, within a time: the system's resolver takes as long as it likes and cannot be interrupted."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading

from doorward.identity.egress.addresses import Address

_MOST = 16
"""Names that may be looked up at the same time; a dead resolver holds no more threads than that."""
_turns = threading.BoundedSemaphore(_MOST)


def addresses_of(host: str, seconds: float) -> list[Address]:
    """All addresses of ``host``, in the resolver's order; of an address, itself.

    Names under ``localhost`` are this machine's without asking anybody (RFC 6761 section 6.3). Raises OSError, and
    TimeoutError (which is one).
    """
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    if host == "localhost" or host.endswith(".localhost"):
        return [ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")]
    if not _turns.acquire(timeout=seconds):
        raise TimeoutError("too many names are being looked up")
    found: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, found), name="resolve", daemon=True).start()
    try:
        result = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the resolver does not answer") from None
    if isinstance(result, OSError):
        raise result
    return result


def _look_up(host: str, found: queue.SimpleQueue[list[Address] | OSError]) -> None:
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        texts = dict.fromkeys(str(row[4][0]).partition("%")[0] for row in rows)
        found.put([ipaddress.ip_address(text) for text in texts])
    except (OSError, UnicodeError) as error:
        found.put(error if isinstance(error, OSError) else OSError(str(error)))
    finally:
        _turns.release()
