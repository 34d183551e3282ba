"""A PostgreSQL server of the tests' own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, which Debian keeps off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


@pytest.fixture(scope="session")
def postgresql():
    """URL of a server that listens on a socket in a folder of its own; skips where there is none to start."""
    pytest.importorskip("psycopg", reason="needs the extra `postgres`")
    if (bin := programs()) is None:
        pytest.skip("needs PostgreSQL's server: initdb and postgres are not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = {}
    if os.geteuid() == 0:  # The server refuses to run as root.
        shutil.chown(folder, "nobody")
        user = {"user": "nobody"}
    data = str(folder / "data")
    subprocess.run(
        [bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
        **user,
    )
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([bin / "postgres", "-D", data, *options], stdout=log, stderr=log, **user)
    try:
        for _ in range(300):
            if subprocess.run([bin / "pg_isready", "-h", str(folder), "-q"]).returncode == 0:
                break
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # Without waiting for connections to be closed.
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgresql, request):
    """URL of an empty database."""
    admin = sa.create_engine(postgresql, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("drop database if exists league with (force)")
        connection.exec_driver_sql("create database league")
    admin.dispose()
    return postgresql.replace("/postgres?", "/league?")
