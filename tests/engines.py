"""Real servers for the tests: one PostgreSQL and one MinIO a test process, on free loopback ports, gone at its end."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import urllib3
from minio import Minio
from minio.error import MinioException

START_WITHIN_S = 60


class Engines(NamedTuple):
    """Where a hub of one kind keeps its data; both are empty."""

    name: str
    database_url: str
    objects_url: str


class Postgres(NamedTuple):
    """A running PostgreSQL."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://hub@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """A new database as a copy of `template`; its name."""
        name = f"t{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        address = f"postgresql://hub@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())


class MinioServer(NamedTuple):
    """A running MinIO."""

    port: int
    key: str
    secret: str

    def url(self, bucket: str) -> str:
        return f"s3://{self.key}:{self.secret}@127.0.0.1:{self.port}/{bucket}?secure=0"

    def create(self) -> str:
        """A new bucket; its name."""
        bucket = f"t{secrets.token_hex(6)}"
        self.client().make_bucket(bucket)
        return bucket

    def client(self) -> Minio:
        http = urllib3.PoolManager(retries=False, timeout=10)
        address = f"127.0.0.1:{self.port}"
        return Minio(address, self.key, self.secret, secure=False, region="us-east-1", http_client=http)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, package: str, *folders: Path) -> str:
    """The path of a program on the PATH or in `folders`; skips the test, naming the package, where there is none."""
    found = shutil.which(name) or next((shutil.which(name, path=str(folder)) for folder in folders), None)
    if found is None:
        pytest.skip(f"install {package}")
    return found


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL with one superuser, `hub`, who needs no password."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb, server = (program(name, "postgresql", *newest_first) for name in ("initdb", "postgres"))
    # PostgreSQL refuses to run as root.
    account = _other_account() if os.geteuid() == 0 else None
    with _folder(account, _memory()) as home:
        data = home / "data"
        subprocess.run(
            [initdb, "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=account,
            group=_group(account),
            extra_groups=[] if account else None,
        )
        # Tests kill the hub, never this server: what its disk would have kept proves nothing about ours.
        quick = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "200"}
        running = Postgres(free_port())
        place = {"listen_addresses": "127.0.0.1", "port": str(running.port), "unix_socket_directories": str(home)}
        settings = [word for name, value in (quick | place).items() for word in ("-c", f"{name}={value}")]
        with _serving([server, "-D", str(data), *settings], home / "log", account, lambda: _database_answers(running)):
            yield running


@contextmanager
def minio() -> Iterator[MinioServer]:
    """A MinIO on one folder."""
    gopath = Path(os.environ.get("GOPATH", Path.home() / "go"))
    server = program("minio", "minio", gopath / "bin")
    running = MinioServer(free_port(), "hub", secrets.token_hex(16))
    with _folder(None, None) as home:
        environment = {"MINIO_ROOT_USER": running.key, "MINIO_ROOT_PASSWORD": running.secret}
        quiet = {"MINIO_BROWSER": "off", "MINIO_UPDATE": "off", "HOME": str(home), "MINIO_CI_CD": "1"}
        command = [server, "server", "--address", f"127.0.0.1:{running.port}", str(home / "data")]
        with _serving(command, home / "log", None, lambda: _store_answers(running), environment | quiet):
            yield running


@contextmanager
def _folder(account: str | None, within: Path | None) -> Iterator[Path]:
    # Not below pytest's own folders: their mode keeps other accounts out.
    home = Path(tempfile.mkdtemp(prefix="dxhub-test-", dir=within))
    if account:
        shutil.chown(home, account)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _serving(
    command: list[str],
    log: Path,
    account: str | None,
    answers: Callable[[], bool],
    environment: dict[str, str] | None = None,
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_dies_with_us(), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | (environment or {}),
            user=account,
            group=_group(account),
            extra_groups=[] if account else None,
        )
    try:
        deadline = time.monotonic() + START_WITHIN_S
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-4000:]}")
            # Between two questions, not for luck: the loop ends on the answer.
            time.sleep(0.02)
        yield
    finally:
        # To PostgreSQL this is the shutdown that does not wait for those still connected.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _database_answers(server: Postgres) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(f"postgresql://hub@127.0.0.1:{server.port}/postgres", connect_timeout=2).close()
        return True
    return False


def _store_answers(server: MinioServer) -> bool:
    # It calls itself healthy before it serves buckets; only a bucket tells.
    with suppress(urllib3.exceptions.HTTPError, MinioException):
        server.client().list_buckets()
        return True
    return False


def _other_account() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _memory() -> Path | None:
    # A new database is 300 files: 15 ms in memory, 350 ms on a disk.
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and shutil.disk_usage(shared).free > 2 << 30 else None


def _group(account: str | None) -> int | None:
    return pwd.getpwnam(account).pw_gid if account else None


def _dies_with_us() -> list[str]:
    # A test run that is killed cannot clean up; Linux then ends its servers.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []
