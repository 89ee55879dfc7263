"""The real servers the tests run against, each started once a session on loopback.

`tests/conftest.py` takes the fixtures from here:

    pytest_plugins = ["tests.servers"]
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3
from minio import Minio
from minio.error import MinioException

from app.embedded.child import Child, ChildSpec, free_port
from app.embedded.keyring import Keyring
from app.embedded.postgres import PostgresServer, start_postgres
from app.embedded.valkey import ValkeyServer, start_valkey
from app.settings import S3Storage, process_environ

_ROOMY_BYTES = 8 * 1024**3  # for the logs and files of the servers of two processes that test at once


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running SeaweedFS that speaks S3; `storage("name")` is a bucket of it."""

    child: Child
    endpoint: str
    access_key: str
    secret_key: str

    def storage(self, bucket: str) -> S3Storage:
        return S3Storage(
            endpoint=self.endpoint,
            bucket=bucket,
            access_key=self.access_key,
            secret_key=self.secret_key,
            secure=False,
            region="us-east-1",
        )

    def url(self, bucket: str) -> str:
        """The bucket as IMPRIMATUR_STORAGE_URL says it."""
        return f"s3://{self.access_key}:{self.secret_key}@{self.endpoint}/{bucket}?secure=0"


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """A folder the servers' own account can reach, which pytest's private ones are not.

    It lies in memory where there is plenty: each test clones a database of hundreds of files, and a disk
    takes as long to make them as many a test runs.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOMY_BYTES
    folder = Path(tempfile.mkdtemp(prefix="imprimatur-tests-", dir=memory if roomy else None))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server_dir: Path) -> Iterator[PostgresServer]:
    server = start_postgres(
        server_dir / "postgres",
        keyring=Keyring(server_dir / "keys.json"),
        log=server_dir / "postgres.log",
        durable=False,
    )
    yield server
    server.child.stop()


@pytest.fixture(scope="session")
def valkey(server_dir: Path) -> Iterator[ValkeyServer]:
    server = start_valkey(
        server_dir / "valkey",
        keyring=Keyring(server_dir / "keys.json"),
        log=server_dir / "valkey.log",
    )
    yield server
    server.child.stop()


@pytest.fixture(scope="session")
def s3(server_dir: Path) -> Iterator[S3Server]:
    server = start_s3(server_dir / "s3")
    yield server
    server.child.stop()


def start_s3(directory: Path) -> S3Server:
    """Start SeaweedFS with all its parts in one process, and wait until it stores an object."""
    (directory / "data").mkdir(parents=True)
    access_key, secret_key = secrets.token_hex(8), secrets.token_hex(16)
    identities = directory / "identities.json"
    identities.write_text(
        json.dumps(
            {
                "identities": [
                    {
                        "name": "tests",
                        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
                        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                    }
                ]
            }
        )
    )
    ports = {
        f"{part}.port{kind}": free_port()
        for part in ("master", "volume", "filer", "s3", "admin")
        for kind in ("", ".grpc")
    }
    child = Child(
        ChildSpec(
            name="SeaweedFS",
            command=(
                str(Path(sys.executable).with_name("weed")),
                "-logtostderr",
                "mini",
                f"-dir={directory / 'data'}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                *(f"-{name}={port}" for name, port in ports.items()),
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-s3.config={identities}",
                "-webdav=false",
                "-admin.ui=false",
                "-volume.max=200",
                "-master.telemetry=false",
            ),
            log=directory.with_suffix(".log"),
            env=process_environ()
            | {"HOME": str(directory), "WEED_S3_SSE_KEK_PASSPHRASE": secrets.token_hex(16)},
            cwd=directory,
            grace_s=3,
        )
    )
    server = S3Server(child, f"127.0.0.1:{ports['s3.port']}", access_key, secret_key)
    child.start()
    child.wait_until(lambda: _stores_objects(server))
    return server


def _stores_objects(server: S3Server) -> bool:
    client = Minio(
        server.endpoint,
        server.access_key,
        server.secret_key,
        secure=False,
        region="us-east-1",
        http_client=urllib3.PoolManager(timeout=10, retries=False),
    )
    try:
        if not client.bucket_exists("readiness"):
            client.make_bucket("readiness")
    except (MinioException, urllib3.exceptions.HTTPError):
        return False
    return True
