"""Records as locked objects of a bucket: S3 object lock in compliance mode, which binds root as well.

The vault is asked with the same API by everybody; where it keeps the lock is the server's promise.
What an endless number of overwrites and deletions leaves on top of a record are further versions:
the record is the first one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

from app.adapters.object_store.s3 import network_faults, s3_client
from app.ports import (
    ObjectMissing,
    ObjectStoreUnavailable,
    RecordExists,
    RecordKept,
    checked_object_key,
)
from app.settings import S3Storage

_REFUSED: Final = frozenset({"AccessDenied", "ObjectLocked", "InvalidRequest"})


class S3RecordVault:
    """Each key is the first version of an object in one bucket, which is made with its lock at first need."""

    def __init__(self, storage: S3Storage) -> None:
        self._bucket = storage.bucket
        self._client = s3_client(storage)
        self._is_there = False

    def keep(self, key: str, data: bytes, *, until: datetime) -> None:
        checked_object_key(key)
        try:
            self._require_same(key, data, until)
        except ObjectMissing:
            with network_faults():
                self._put(key, data, until)
            # somebody kept another in the same moment: the first counts, for everybody
            self._require_same(key, data, until)

    def read(self, key: str) -> bytes:
        version = self._first(key)
        with network_faults(key):
            response = self._client.get_object(self._bucket, key, version_id=version)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def kept_until(self, key: str) -> datetime:
        return self._term(key, self._first(key))

    def extend(self, key: str, *, until: datetime) -> None:
        version = self._first(key)
        before = self._term(key, version)
        if until < before:
            raise RecordKept(key, f"it is to be kept until {before:%Y-%m-%d}")
        with network_faults(key):
            self._client.set_object_retention(self._bucket, key, _locked(until), version_id=version)

    def hold(self, key: str, *, held: bool) -> None:
        version = self._first(key)
        with network_faults(key):
            change = self._client.enable_object_legal_hold if held else self._client.disable_object_legal_hold
            change(self._bucket, key, version_id=version)

    def is_held(self, key: str) -> bool:
        version = self._first(key)
        with network_faults(key):
            return bool(self._client.is_object_legal_hold_enabled(self._bucket, key, version_id=version))

    def remove(self, key: str, *, at: datetime) -> None:
        version = self._first(key)
        until = self._term(key, version)
        if at < until:
            raise RecordKept(key, f"it is to be kept until {until:%Y-%m-%d}")
        with network_faults(key):
            try:
                self._client.remove_object(self._bucket, key, version_id=version)
            except S3Error as error:
                if error.code in _REFUSED:
                    raise RecordKept(key, "the bucket's lock or a hold lies on it") from error
                raise

    def keys(self, prefix: str = "") -> Iterator[str]:
        try:
            with network_faults(prefix):
                for key, versions in groupby(self._versions(prefix), key=lambda one: str(one.object_name)):
                    if any(not one.is_delete_marker for one in versions):
                        yield key
        except ObjectMissing:  # the bucket was never written to
            return

    def check(self) -> None:
        with network_faults():
            if not self._client.bucket_exists(self._bucket):
                return
            try:
                self._client.get_object_lock_config(self._bucket)
            except S3Error as error:
                if error.code == "ObjectLockConfigurationNotFoundError":
                    raise ObjectStoreUnavailable(
                        f"the bucket {self._bucket} has no object lock: records would not be safe there"
                    ) from error
                raise

    def _require_same(self, key: str, data: bytes, until: datetime) -> None:
        if self.read(key) != data:
            raise RecordExists(key)
        if until > self.kept_until(key):
            self.extend(key, until=until)

    def _first(self, key: str) -> str:
        checked_object_key(key)
        with network_faults(key):
            versions = [
                one for one in self._versions(key) if one.object_name == key and not one.is_delete_marker
            ]
        if not versions:
            raise ObjectMissing(key)
        # a listing names the newest version first
        return str(versions[-1].version_id)

    def _term(self, key: str, version: str) -> datetime:
        with network_faults(key):
            found = self._client.get_object_retention(self._bucket, key, version_id=version)
        if found is None:
            raise ObjectStoreUnavailable(f"{key!r} was stored without a lock")
        until: datetime = found.retain_until_date
        return until.astimezone(UTC)

    def _versions(self, prefix: str) -> Iterator[Any]:
        listing: Iterator[Any] = self._client.list_objects(
            self._bucket, prefix=prefix, recursive=True, include_version=True
        )
        return listing

    def _put(self, key: str, data: bytes, until: datetime) -> None:
        # asked first: some servers make a missing bucket by themselves, and then without a lock
        if not self._is_there:
            if not self._client.bucket_exists(self._bucket):
                self._make_bucket()
            self._is_there = True
        self._client.put_object(
            self._bucket,
            key,
            io.BytesIO(data),
            len(data),
            content_type="application/octet-stream",
            retention=_locked(until),
        )

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket, object_lock=True)
        except S3Error as error:
            # another process was first
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise


def _locked(until: datetime) -> Retention:
    # whole seconds, and never earlier than asked
    rounded = until.astimezone(UTC).replace(microsecond=0)
    return Retention(COMPLIANCE, rounded if rounded >= until else rounded + timedelta(seconds=1))
