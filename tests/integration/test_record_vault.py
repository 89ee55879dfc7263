"""What the vault promises, from a folder and from a locked bucket: kept once, until its day, by anybody."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio.commonconfig import COMPLIANCE, ENABLED, Filter
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.retention import Retention
from minio.versioningconfig import SUSPENDED, VersioningConfig

from app.adapters.object_store.s3 import S3ObjectStore, s3_client
from app.adapters.record_vault.folder import FolderRecordVault
from app.adapters.record_vault.s3 import S3RecordVault
from app.ports import (
    InvalidObjectKey,
    ObjectMissing,
    ObjectStoreUnavailable,
    RecordExists,
    RecordKept,
    RecordVault,
)
from app.settings import S3Storage
from tests.servers import S3Server

KEY = "checkpoints/bank/000000001.json"
TODAY = datetime.now(UTC).replace(microsecond=0)
IN_A_MONTH = TODAY + timedelta(days=30)


def soon() -> datetime:
    """The end of a term short enough to wait for: a bucket believes its own clock alone."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)


def after(until: datetime) -> datetime:
    while (now := datetime.now(UTC)) <= until + timedelta(seconds=1):
        time.sleep(0.1)
    return now


@pytest.fixture(scope="session")
def new_bucket(s3: S3Server) -> Callable[[], S3Storage]:
    used: list[str] = []

    def named() -> S3Storage:
        used.append(f"vault-{len(used)}")
        return s3.storage(used[-1])

    return named


@pytest.fixture
def bucket(new_bucket: Callable[[], S3Storage]) -> S3Storage:
    return new_bucket()


@pytest.fixture(params=["folder", "s3"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> RecordVault:
    if request.param == "folder":
        return FolderRecordVault(tmp_path / "vault")
    return S3RecordVault(request.getfixturevalue("bucket"))


def test_a_record_is_given_back_byte_for_byte(vault):
    data = bytes(range(256)) * 40
    vault.keep(KEY, data, until=IN_A_MONTH)

    assert vault.read(KEY) == data
    assert vault.kept_until(KEY) == IN_A_MONTH


def test_a_record_is_never_replaced(vault):
    vault.keep(KEY, b"first", until=IN_A_MONTH)

    with pytest.raises(RecordExists):
        vault.keep(KEY, b"second", until=IN_A_MONTH)
    assert vault.read(KEY) == b"first"


def test_keeping_the_same_record_again_is_harmless_and_may_only_lengthen_its_term(vault):
    vault.keep(KEY, b"first", until=IN_A_MONTH)

    vault.keep(KEY, b"first", until=TODAY)
    assert vault.kept_until(KEY) == IN_A_MONTH
    vault.keep(KEY, b"first", until=IN_A_MONTH + timedelta(days=1))
    assert vault.kept_until(KEY) == IN_A_MONTH + timedelta(days=1)


def test_a_term_is_extended_and_never_shortened(vault):
    vault.keep(KEY, b"first", until=IN_A_MONTH)
    later = IN_A_MONTH + timedelta(days=365)

    vault.extend(KEY, until=later)
    with pytest.raises(RecordKept):
        vault.extend(KEY, until=IN_A_MONTH)
    assert vault.kept_until(KEY) == later


def test_a_record_goes_only_after_its_term(vault):
    until = soon()
    vault.keep(KEY, b"first", until=until)

    with pytest.raises(RecordKept):
        vault.remove(KEY, at=until - timedelta(seconds=1))
    vault.remove(KEY, at=after(until))
    with pytest.raises(ObjectMissing):
        vault.read(KEY)


def test_a_held_record_stays_after_its_term_until_the_hold_is_lifted(vault):
    until = soon()
    vault.keep(KEY, b"first", until=until)
    vault.hold(KEY, held=True)
    late = after(until)

    assert vault.is_held(KEY)
    with pytest.raises(RecordKept):
        vault.remove(KEY, at=late)
    vault.hold(KEY, held=False)
    assert not vault.is_held(KEY)
    vault.remove(KEY, at=late)
    assert list(vault.keys()) == []


def test_keys_are_listed_in_order(vault):
    for key in ("b/2", "b/10", "a/1", "b/1"):
        vault.keep(key, key.encode(), until=IN_A_MONTH)

    assert list(vault.keys("b/")) == ["b/1", "b/10", "b/2"]
    assert list(vault.keys("b/1")) == ["b/1", "b/10"]
    assert list(vault.keys("nothing/")) == []


def test_what_is_not_kept_is_missing(vault):
    for ask in (vault.read, vault.kept_until, vault.is_held):
        with pytest.raises(ObjectMissing):
            ask("nowhere/at-all")
    with pytest.raises(InvalidObjectKey):
        vault.keep("../outside", b"", until=IN_A_MONTH)


def test_a_kept_file_may_be_written_by_nobody_and_says_its_term(tmp_path):
    FolderRecordVault(tmp_path).keep(KEY, b"first", until=IN_A_MONTH)

    found = (tmp_path / KEY).stat()
    assert stat.S_IMODE(found.st_mode) == 0o444
    assert (found.st_atime, found.st_mtime) == (IN_A_MONTH.timestamp(),) * 2
    assert [one.name for one in tmp_path.rglob(".*")] == []


def test_a_broken_disk_is_a_vault_that_does_not_answer(tmp_path):
    (tmp_path / "vault").write_text("a file where the folder should be")

    with pytest.raises((ObjectStoreUnavailable, ObjectMissing)):
        FolderRecordVault(tmp_path / "vault").keep(KEY, b"first", until=IN_A_MONTH)


class TestAsTheOwnerOfTheBucket:
    """Four ways to lose a record, tried with the bucket's own key and no help of ours."""

    @pytest.fixture
    def kept(self, bucket):
        vault = S3RecordVault(bucket)
        vault.keep(KEY, b"first", until=IN_A_MONTH)
        return vault

    @pytest.fixture
    def owner(self, bucket):
        return s3_client(bucket)

    def versions(self, owner, bucket):
        return [
            one.version_id
            for one in owner.list_objects(bucket.bucket, prefix=KEY, include_version=True)
            if not one.is_delete_marker
        ]

    def test_deleting_the_version_is_refused(self, kept, owner, bucket):
        (version,) = self.versions(owner, bucket)
        with pytest.raises(S3Error, match="AccessDenied"):
            owner.remove_object(bucket.bucket, KEY, version_id=version)

    def test_overwriting_and_deleting_only_lay_something_on_top(self, kept, owner, bucket):
        S3ObjectStore(bucket).put(KEY, b"second", "text/plain")
        owner.remove_object(bucket.bucket, KEY)

        assert kept.read(KEY) == b"first"
        assert list(kept.keys()) == [KEY]

    def test_shortening_is_refused(self, kept, owner, bucket):
        (version,) = self.versions(owner, bucket)
        with pytest.raises(S3Error, match="AccessDenied"):
            owner.set_object_retention(
                bucket.bucket, KEY, Retention(COMPLIANCE, TODAY + timedelta(days=1)), version_id=version
            )
        assert kept.kept_until(KEY) == IN_A_MONTH

    def test_neither_a_lifecycle_nor_suspended_versions_take_it(self, kept, owner, bucket):
        owner.set_bucket_lifecycle(
            bucket.bucket,
            LifecycleConfig([Rule(ENABLED, rule_filter=Filter(prefix=""), expiration=Expiration(days=1))]),
        )
        with pytest.raises(S3Error):
            owner.set_bucket_versioning(bucket.bucket, VersioningConfig(SUSPENDED))
        with pytest.raises(S3Error):
            owner.remove_bucket(bucket.bucket)
        assert kept.read(KEY) == b"first"

    def test_a_bucket_without_lock_is_no_vault(self, bucket):
        S3ObjectStore(bucket).put("anything", b"", "text/plain")

        with pytest.raises(ObjectStoreUnavailable, match="lock"):
            S3RecordVault(bucket).check()
