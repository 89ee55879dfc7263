"""One contract, three stores: a folder, a real S3 and the fake the other tests use."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.adapters.object_store.filesystem import FilesystemObjectStore
from app.adapters.object_store.s3 import S3ObjectStore
from app.embedded.child import free_port
from app.ports import (
    InvalidObjectKey,
    ObjectMissing,
    ObjectStore,
    ObjectStoreUnavailable,
)
from app.settings import S3Storage
from tests.fakes import MemoryObjectStore
from tests.servers import S3Server

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 300


@pytest.fixture(params=["folder", "s3", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, unused_bucket: Callable[[], str]) -> ObjectStore:
    match request.param:
        case "folder":
            return FilesystemObjectStore(tmp_path / "objects")
        case "s3":
            server: S3Server = request.getfixturevalue("s3")
            return S3ObjectStore(server.storage(unused_bucket()))
        case _:
            return MemoryObjectStore()


@pytest.fixture(scope="session")
def unused_bucket() -> Callable[[], str]:
    used: list[str] = []

    def name() -> str:
        used.append(f"bucket-{len(used)}")
        return used[-1]

    return name


def test_what_was_stored_is_given_back_byte_for_byte(store: ObjectStore) -> None:
    store.put("posters/a1/poster.jpg", JPEG, "image/jpeg")

    assert store.get("posters/a1/poster.jpg") == JPEG


def test_a_large_file_is_stored_and_given_back_part_by_part(store: ObjectStore) -> None:
    file = io.BytesIO(JPEG * 100)
    file.seek(7)  # wherever it was left
    store.put_file("packs/large.zip", file, "application/zip")

    assert b"".join(store.get_parts("packs/large.zip")) == JPEG * 100


def test_a_missing_object_is_missed_before_its_first_part(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        store.get_parts("nowhere/pack.zip")


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("empty", b"", "application/octet-stream")

    assert store.exists("empty")
    assert store.get("empty") == b""


def test_storing_again_replaces(store: ObjectStore) -> None:
    store.put("poster.jpg", b"first, and longer", "image/jpeg")
    store.put("poster.jpg", b"second", "image/jpeg")

    assert store.get("poster.jpg") == b"second"


def test_a_missing_object_is_missing(store: ObjectStore) -> None:
    assert not store.exists("nowhere/poster.jpg")
    with pytest.raises(ObjectMissing):
        store.get("nowhere/poster.jpg")


def test_a_folder_of_objects_is_not_an_object(store: ObjectStore) -> None:
    store.put("posters/a.jpg", b"a", "image/jpeg")

    assert not store.exists("posters")
    with pytest.raises(ObjectMissing):
        store.get("posters")


def test_a_deleted_object_is_gone(store: ObjectStore) -> None:
    store.put("poster.jpg", b"x", "image/jpeg")
    store.delete("poster.jpg")

    assert not store.exists("poster.jpg")


def test_deleting_what_is_not_there_is_no_error(store: ObjectStore) -> None:
    store.delete("never/was.jpg")


def test_keys_are_listed_in_order_under_a_prefix(store: ObjectStore) -> None:
    for key in ("b/2", "a/1", "b/1", "bb"):
        store.put(key, b"x", "text/plain")

    assert list(store.keys("b/")) == ["b/1", "b/2"]
    assert list(store.keys()) == ["a/1", "b/1", "b/2", "bb"]


def test_a_store_never_written_to_lists_nothing(store: ObjectStore) -> None:
    assert list(store.keys()) == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../secret",
        "a/../../secret",
        "a//b",
        "a/",
        ".hidden",
        "a/.hidden",
        "a\\b",
        "a\0b",
        "a b",
        "海报",
        "a\n",
        "k" * 513,
    ],
)
def test_a_key_that_could_leave_the_store_is_refused(store: ObjectStore, key: str) -> None:
    for use in (store.get, store.exists, store.delete):
        with pytest.raises(InvalidObjectKey):
            use(key)
    with pytest.raises(InvalidObjectKey):
        store.put(key, b"x", "text/plain")


def test_a_reader_never_sees_half_an_object(store: ObjectStore) -> None:
    versions = [bytes([n]) * 200_000 for n in (1, 2)]
    store.put("poster.jpg", versions[0], "image/jpeg")
    finished = threading.Event()

    def rewrite() -> None:
        for n in range(20):
            store.put("poster.jpg", versions[n % 2], "image/jpeg")
        finished.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        while not finished.is_set():
            assert store.get("poster.jpg") in versions
    finally:
        writer.join()


def test_a_store_that_answers_passes_its_check(store: ObjectStore) -> None:
    store.check()


def test_an_interrupted_write_leaves_neither_object_nor_key(tmp_path: Path) -> None:
    store = FilesystemObjectStore(tmp_path)
    (tmp_path / ".unfinished-abc").write_bytes(b"half")

    assert list(store.keys()) == []


def test_a_folder_that_cannot_be_made_is_an_unavailable_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    store = FilesystemObjectStore(tmp_path / "file" / "objects")

    with pytest.raises(ObjectStoreUnavailable):
        store.put("poster.jpg", b"x", "image/jpeg")
    with pytest.raises(ObjectStoreUnavailable):
        store.check()


def test_an_endpoint_nobody_listens_on_is_an_unavailable_store() -> None:
    store = S3ObjectStore(
        S3Storage(
            endpoint=f"127.0.0.1:{free_port()}",
            bucket="pictures",
            access_key="key",
            secret_key="secret",
            secure=False,
            region="us-east-1",
        )
    )

    for use in (store.get, store.exists, store.delete):
        with pytest.raises(ObjectStoreUnavailable):
            use("poster.jpg")
    with pytest.raises(ObjectStoreUnavailable):
        store.put("poster.jpg", b"x", "image/jpeg")
    with pytest.raises(ObjectStoreUnavailable):
        list(store.keys())
    with pytest.raises(ObjectStoreUnavailable):
        store.check()


def test_a_wrong_key_is_an_unavailable_store_not_a_missing_object(s3: S3Server) -> None:
    storage = s3.storage("pictures")
    store = S3ObjectStore(
        S3Storage(
            endpoint=storage.endpoint,
            bucket=storage.bucket,
            access_key=storage.access_key,
            secret_key="wrong",
            secure=False,
            region=storage.region,
        )
    )

    with pytest.raises(ObjectStoreUnavailable):
        store.get("poster.jpg")
