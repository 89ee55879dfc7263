"""The settings: what they demand, what they refuse, and that an operator can read about each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.settings import (
    Environment,
    FolderStorage,
    LogFormat,
    S3Storage,
    Settings,
    SettingsError,
)

ROOT = Path(__file__).parents[2]

PRODUCTION = {
    "IMPRIMATUR_DATABASE_URL": "postgresql://user:word@db:5432/imprimatur",
    "IMPRIMATUR_BROKER_URL": "redis://:word@broker:6379/0",
    "IMPRIMATUR_SECRET_KEY": "k" * 32,
    "IMPRIMATUR_PUBLIC_URL": "https://marketing.example.com",
}


def faults_of(environ: Mapping[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ)
    return str(refused.value)


def test_an_empty_environment_is_refused_with_every_missing_setting_named() -> None:
    faults = faults_of({})

    for name in PRODUCTION:
        assert name in faults


def test_a_forgotten_environment_means_production() -> None:
    settings = Settings.from_env(PRODUCTION)

    assert settings.environment is Environment.PRODUCTION
    assert settings.web.cookie_secure
    assert settings.log.format is LogFormat.JSON


def test_embedded_mode_allows_plain_http_on_this_machine() -> None:
    environ = {**PRODUCTION, "IMPRIMATUR_ENVIRONMENT": "embedded"}
    del environ["IMPRIMATUR_PUBLIC_URL"]

    settings = Settings.from_env(environ)

    assert settings.web.public_url == "http://127.0.0.1:8000"
    assert not settings.web.cookie_secure


def test_embedded_mode_has_no_default_secret_either() -> None:
    assert "IMPRIMATUR_SECRET_KEY" in faults_of({"IMPRIMATUR_ENVIRONMENT": "embedded"})


def test_a_short_secret_key_is_refused() -> None:
    assert "at least 32" in faults_of({**PRODUCTION, "IMPRIMATUR_SECRET_KEY": "short"})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("f" * 40 + "\n")
    environ = {**PRODUCTION, "IMPRIMATUR_SECRET_KEY_FILE": str(file)}
    del environ["IMPRIMATUR_SECRET_KEY"]

    assert Settings.from_env(environ).web.secret_key == "f" * 40


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("f" * 40)

    assert "keep one" in faults_of({**PRODUCTION, "IMPRIMATUR_SECRET_KEY_FILE": str(file)})


def test_an_unreadable_secret_file_is_named(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "IMPRIMATUR_SECRET_KEY_FILE": str(tmp_path / "absent")}
    del environ["IMPRIMATUR_SECRET_KEY"]

    assert "IMPRIMATUR_SECRET_KEY_FILE cannot be read" in faults_of(environ)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    environ = {
        **PRODUCTION,
        "IMPRIMATUR_DATABASE_URL": "postgresql://user:canary@db/x",
        "IMPRIMATUR_BROKER_URL": "redis://:canary@broker",
        "IMPRIMATUR_SECRET_KEY": "canary" * 8,
        "IMPRIMATUR_STORAGE_URL": "s3://canary:canary@host:9000/bucket",
    }

    assert "canary" not in repr(Settings.from_env(environ))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_database_is_always_reached_through_psycopg(scheme: str) -> None:
    settings = Settings.from_env({**PRODUCTION, "IMPRIMATUR_DATABASE_URL": f"{scheme}://u:p@h/d"})

    assert settings.database.url == "postgresql+psycopg://u:p@h/d"


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql://host", "postgresql://h:port/d"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    assert "DATABASE_URL" in faults_of({**PRODUCTION, "IMPRIMATUR_DATABASE_URL": url})


def test_objects_live_in_the_data_directory_unless_told_otherwise(tmp_path: Path) -> None:
    settings = Settings.from_env({**PRODUCTION, "IMPRIMATUR_DATA_DIR": str(tmp_path)})

    assert settings.storage == FolderStorage(tmp_path / "objects")


def test_an_s3_url_names_endpoint_bucket_and_keys() -> None:
    url = "s3://key:se%2Fcret@minio:9000/pictures?secure=0&region=cn-north-1"

    settings = Settings.from_env({**PRODUCTION, "IMPRIMATUR_STORAGE_URL": url})

    assert settings.storage == S3Storage(
        endpoint="minio:9000",
        bucket="pictures",
        access_key="key",
        secret_key="se/cret",
        secure=False,
        region="cn-north-1",
    )


@pytest.mark.parametrize(
    "url",
    ["s3://host/bucket", "s3://k:s@host/", "s3://k:s@host/a/b", "s3://k:s@h/b?x=1", "ftp://x"],
)
def test_an_incomplete_storage_url_is_refused(url: str) -> None:
    assert "STORAGE_URL" in faults_of({**PRODUCTION, "IMPRIMATUR_STORAGE_URL": url})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "many"),
        ("COOKIE_SECURE", "perhaps"),
        ("LOG_LEVEL", "loud"),
        ("ENVIRONMENT", "staging"),
        ("PUBLIC_URL", "marketing.example.com"),
        ("PUBLIC_URL", "https://user@example.com"),
        ("BROKER_URL", "http://broker"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name: str, value: str) -> None:
    assert f"IMPRIMATUR_{name}" in faults_of({**PRODUCTION, f"IMPRIMATUR_{name}": value})


def test_secure_cookies_on_a_plain_http_address_are_refused() -> None:
    environ = {**PRODUCTION, "IMPRIMATUR_PUBLIC_URL": "http://marketing.example.com"}

    assert "nobody could log in" in faults_of(environ)


class Recorder(dict[str, str]):
    """An environment that remembers which variables it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.asked.add(name)
        return super().get(name, default)


def documented_variables() -> Iterator[str]:
    for line in (ROOT / "docs/settings.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(IMPRIMATUR_\w+)` \|", line)
        if row:
            yield row[1]


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    environ = Recorder(PRODUCTION)
    Settings.from_env(environ)

    assert {name for name in environ.asked if not name.endswith("_FILE")} == set(documented_variables())


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for package in ("app", "compliance", "templates_lib", "workers", "migrations")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }

    # fontconfig can be told of our fonts by its environment variable alone, and a process in the
    # sandbox is given what finds the libraries; no setting of ours is read
    others = {"templates_lib/fonts/__init__.py", "templates_lib/sandbox.py"}
    assert readers - others == {"app/settings.py"}
