"""The way into a Ray cluster: is Ray installed, does the address answer; or a Ray of one's own on this machine."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from asterism.errors import UserError

LOCAL = "local"
"""Stands for the address of a Ray that is started for the run on this machine."""
ANSWER_SECONDS = 5.0
DEFAULT_PORT = 6379
SETTINGS = b"\4"
"""The type of the frame with which both sides of HTTP/2 begin (RFC 9113, section 3.4), in its fourth byte."""
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + SETTINGS + bytes(5)


def check(address: str) -> None:
    """Raises UserError in one line if Ray is not installed, or nobody answers at the address."""
    if address == LOCAL:
        # Ray reads it when it is imported: its servers then listen on the loopback interface alone.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise UserError("--cluster needs ray, which is not installed: pip install -e '.[cluster]'") from error
    if address != LOCAL:
        _reach(*_split(address))


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    if not host or not (port or str(DEFAULT_PORT)).isdecimal():
        raise UserError(f"--cluster {address!r} is no address: write local, or host:port as in 192.0.2.1:6379")
    return host, int(port or DEFAULT_PORT)


def _reach(host: str, port: int) -> None:
    # Ray itself would try for many minutes. It speaks gRPC, that is HTTP/2: whoever does says so first.
    try:
        with socket.create_connection((host, port), ANSWER_SECONDS) as server:
            server.sendall(HELLO)
            if server.recv(4)[3:] != SETTINGS:
                raise OSError("somebody else is there")
    except (OSError, OverflowError, UnicodeError) as error:
        raise UserError(
            f"no Ray cluster answers at {host}:{port} ({error}): run `ray start --head --port {port}` there first"
        ) from None


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Joins the cluster, or starts a Ray on this machine; leaves it in the end, and what was started there ends too.

    Raises UserError as `check` does, and if the cluster has another version of Ray or Python.
    """
    check(address)
    import ray

    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == LOCAL:
            ray.init(LOCAL, include_dashboard=False, **quiet)
        else:
            ray.init(":".join(map(str, _split(address))), **quiet)
    except (RuntimeError, ValueError, ConnectionError, ray.exceptions.RayError) as error:
        reason = " ".join(str(error).split())[:300]
        advice = (
            "it needs the same versions of Ray and Python here and there, and the cluster's token (docs/cluster.md)"
        )
        raise UserError(f"cannot join the Ray cluster at {address}: {reason}; {advice}") from error
    try:
        yield
    finally:
        ray.shutdown()
