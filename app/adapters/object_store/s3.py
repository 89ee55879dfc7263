"""Objects in a bucket of any S3 endpoint, through the S3 API alone."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from app.ports import PART_BYTES, ObjectMissing, ObjectStoreUnavailable, checked_object_key
from app.settings import S3Storage

_CONNECT_TIMEOUT_S: Final = 3
_READ_TIMEOUT_S: Final = 30
_POOL_SIZE: Final = 16
_NO_SUCH_OBJECT: Final = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchBucket"})


class S3ObjectStore:
    """Each key is an object of one bucket, which is made at first need."""

    def __init__(self, storage: S3Storage) -> None:
        self._bucket = storage.bucket
        self._client = s3_client(storage)

    def put(self, key: str, data: bytes, content_type: str) -> None:
        self.put_file(key, io.BytesIO(data), content_type)

    def put_file(self, key: str, file: BinaryIO, content_type: str) -> None:
        checked_object_key(key)
        with network_faults():
            try:
                self._put(key, file, content_type)
            except S3Error as error:
                if error.code != "NoSuchBucket":
                    raise
                self._make_bucket()
                self._put(key, file, content_type)

    def get(self, key: str) -> bytes:
        checked_object_key(key)
        with network_faults(key):
            response = self._client.get_object(self._bucket, key)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def get_parts(self, key: str) -> Iterator[bytes]:
        checked_object_key(key)
        with network_faults(key):
            response = self._client.get_object(self._bucket, key)
        return _parts_of(response)

    def exists(self, key: str) -> bool:
        checked_object_key(key)
        try:
            with network_faults(key):
                self._client.stat_object(self._bucket, key)
        except ObjectMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        checked_object_key(key)
        try:
            with network_faults(key):
                self._client.remove_object(self._bucket, key)
        except ObjectMissing:
            return

    def keys(self, prefix: str = "") -> Iterator[str]:
        try:
            with network_faults(prefix):
                listing = self._client.list_objects(self._bucket, prefix=prefix, recursive=True)
                yield from (str(item.object_name) for item in listing)
        except ObjectMissing:  # the bucket was never written to
            return

    def check(self) -> None:
        with network_faults():
            self._client.bucket_exists(self._bucket)

    def _put(self, key: str, file: BinaryIO, content_type: str) -> None:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._client.put_object(self._bucket, key, file, length, content_type=content_type)

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:
            # another process was first
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise


def _parts_of(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        with network_faults():
            yield from response.stream(PART_BYTES)
    finally:
        response.close()
        response.release_conn()


def s3_client(storage: S3Storage) -> Minio:
    """A client that does not wait for ever, and tries again what dropped once."""
    return Minio(
        storage.endpoint,
        access_key=storage.access_key,
        secret_key=storage.secret_key,
        secure=storage.secure,
        region=storage.region,
        http_client=urllib3.PoolManager(
            maxsize=_POOL_SIZE,
            timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
            # every operation here may be repeated, so a connection that dropped once is
            # not yet an outage
            retries=urllib3.Retry(
                total=2, backoff_factor=0.1, status_forcelist=(502, 503, 504), redirect=False
            ),
            ca_certs=None,
        ),
    )


@contextmanager
def network_faults(key: str | None = None) -> Iterator[None]:
    """Tell a missing object (when `key` says which was asked for) from a store that is down."""
    try:
        yield
    except S3Error as error:
        if key is not None and error.code in _NO_SUCH_OBJECT:
            raise ObjectMissing(key) from error
        raise ObjectStoreUnavailable(f"the S3 endpoint refused: {error.code}") from error
    except (HTTPError, InvalidResponseError, ServerError, MinioException, OSError) as error:
        raise ObjectStoreUnavailable(f"the S3 endpoint does not answer: {error}") from error
