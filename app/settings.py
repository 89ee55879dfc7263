"""Every setting of the platform, read once from the environment and frozen.

Nothing else reads `os.environ`. Each variable is described for operators in `docs/settings.md`;
a test fails when one is missing there. Secrets have no default: in embedded mode `imprimatur up`
generates them into the data directory and hands them to its children by these same variables.

Any variable that may carry a secret can also be given as a file: `NAME_FILE=/run/secrets/x` is
read when `NAME` is not set, and setting both is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Self, TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

PREFIX: Final = "IMPRIMATUR_"
SECRET_KEY_MIN_LENGTH: Final = 32

MIB: Final = 1024 * 1024
_ED25519_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")

_Choice = TypeVar("_Choice", bound=StrEnum)


class SettingsError(Exception):
    """The environment does not describe a platform that may start; every fault is listed."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(["the settings cannot be used:", *(f"  - {f}" for f in faults)]))
        self.faults = tuple(faults)


class Environment(StrEnum):
    """Embedded: servers of our own on loopback, plain http. Production: nothing is assumed."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    # PostgreSQL 15 or newer, `postgresql://user:password@host:port/name`. Required.
    url: str = field(repr=False)
    # Connections each process keeps open. Web and worker processes each have their own pool.
    pool_size: int
    # Further connections each process may open while all of `pool_size` are busy.
    pool_overflow: int
    # One statement may run this long before the server ends it; 0 lets it run.
    statement_timeout_ms: int
    # One statement may wait this long for a lock before it gives up; 0 lets it wait.
    lock_timeout_ms: int


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    # Valkey or Redis (`redis://:password@host:port/0`, `rediss://`) or RabbitMQ (`amqp://`).
    # Required.
    url: str = field(repr=False)
    # A message a worker took and did not finish is given to another after this long. Leases in
    # the database make the second run harmless, so this may be shorter than the longest task.
    visibility_timeout_s: int


@dataclass(frozen=True, slots=True)
class FolderStorage:
    # The folder the objects live in. Default: `objects` inside the data directory.
    path: Path


@dataclass(frozen=True, slots=True)
class S3Storage:
    # `host:port` of any S3 endpoint.
    endpoint: str
    # The bucket; made at first use when the account may do so.
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    # https unless the URL ends in `?secure=0`.
    secure: bool
    # Default us-east-1; `?region=` sets it.
    region: str


@dataclass(frozen=True, slots=True)
class RecordSettings:
    # Where records are kept write-once: a folder, or a bucket with object lock. One setting,
    # `IMPRIMATUR_VAULT_URL`. Default: `vault` inside the data directory.
    vault: FolderStorage | S3Storage
    # Seed of the Ed25519 key that signs checkpoints and evidence, 64 hex digits. Default: derived
    # from the secret key, and then whoever holds the one holds the other.
    signing_key: bytes | None = field(repr=False)
    # Public keys signed with before, 64 hex digits each, separated by blanks: what they signed stays
    # genuine.
    previous_public_keys: tuple[bytes, ...]
    # A profile that its advisor has not confirmed for so many days is printed on nothing new. 0: never
    # asked for.
    profile_term_days: int

    @property
    def profile_term(self) -> timedelta | None:
        return timedelta(days=self.profile_term_days) if self.profile_term_days else None


@dataclass(frozen=True, slots=True)
class MailSettings:
    # One setting, `IMPRIMATUR_MAIL_URL`:
    # `smtp://user:password@host:587?from=no-reply@bank.example&starttls=1`, or `smtps://` for TLS
    # from the first byte.
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    # What stands in the From line.
    sender: str
    tls: bool
    # Default: yes for smtp://, and then a server that cannot is refused; `?starttls=0` sends in clear.
    starttls: bool


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    # Default: none, and then nothing is mailed; notices stand on the page.
    mail: MailSettings | None
    # The address of a WeCom group robot that reviewers read. Default: none.
    robot_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebSettings:
    # Signs sessions and tokens, at least 32 characters. Required.
    secret_key: str = field(repr=False)
    # Secrets used before, separated by blanks: decisions sealed under them stay genuine. Nothing new
    # is signed with them.
    previous_secret_keys: tuple[str, ...] = field(repr=False)
    # What links and QR codes begin with, no slash at the end. Required in production; in embedded
    # mode it follows the address `imprimatur up` listens on.
    public_url: str
    # A login lasts this long without use.
    session_hours: int
    # Session cookies travel by https only. Default: yes in production, no in embedded mode.
    cookie_secure: bool
    # How many proxies of ours stand in front and set X-Forwarded-*. 0 trusts no such header.
    trusted_proxies: int
    # What the monitoring shows to read /metrics. Default: none, and then only this machine may.
    metrics_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogSettings:
    # Default: info.
    level: LogLevel
    # Default: json in production, console in embedded mode.
    format: LogFormat


@dataclass(frozen=True, slots=True)
class LimitSettings:
    # One uploaded file may weigh this much.
    upload_bytes: int
    # One uploaded picture may have this many pixels, judged by its header before it is decoded.
    image_pixels: int
    # One imported table may have this many rows.
    import_rows: int


@dataclass(frozen=True, slots=True)
class LoginSettings:
    # This many wrong passwords for one account from one address, then a pause.
    max_failures: int
    # Failures older than this are forgotten; also how long the pause lasts.
    window_s: int


@dataclass(frozen=True, slots=True)
class Settings:
    # embedded or production. Default: production, so that a forgotten variable is never lenient.
    environment: Environment
    # Where files of our own go: embedded servers, folder storage, logs of `up`. Default `.data`.
    data_dir: Path
    database: DatabaseSettings
    broker: BrokerSettings
    # One setting, `IMPRIMATUR_STORAGE_URL`: a folder, or
    # `s3://key:secret@host:port/bucket?secure=0&region=us-east-1`.
    storage: FolderStorage | S3Storage
    records: RecordSettings
    notices: NoticeSettings
    web: WebSettings
    log: LogSettings
    limits: LimitSettings
    login: LoginSettings

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings, from the process's environment unless a mapping is given.

        Raises SettingsError that names every fault at once.
        """
        reader = _Reader(os.environ if environ is None else environ)
        environment = reader.choice("ENVIRONMENT", Environment.PRODUCTION)
        embedded = environment is Environment.EMBEDDED
        data_dir = Path(reader.text("DATA_DIR", ".data")).absolute()
        settings = cls(
            environment=environment,
            data_dir=data_dir,
            database=DatabaseSettings(
                url=reader.database_url("DATABASE_URL"),
                pool_size=reader.number("DATABASE_POOL_SIZE", 5, minimum=1, maximum=200),
                pool_overflow=reader.number("DATABASE_POOL_OVERFLOW", 5, minimum=0, maximum=200),
                statement_timeout_ms=reader.number("DATABASE_STATEMENT_TIMEOUT_MS", 30_000),
                lock_timeout_ms=reader.number("DATABASE_LOCK_TIMEOUT_MS", 5_000),
            ),
            broker=BrokerSettings(
                url=reader.broker_url("BROKER_URL"),
                visibility_timeout_s=reader.number("BROKER_VISIBILITY_TIMEOUT_S", 60, minimum=1),
            ),
            storage=reader.storage("STORAGE_URL", default=data_dir / "objects"),
            records=RecordSettings(
                vault=reader.storage("VAULT_URL", default=data_dir / "vault"),
                signing_key=next(iter(reader.keys("SIGNING_KEY", most=1)), None),
                previous_public_keys=reader.keys("PREVIOUS_PUBLIC_KEYS"),
                profile_term_days=reader.number("PROFILE_TERM_DAYS", 180, maximum=3650),
            ),
            notices=NoticeSettings(
                mail=reader.mail("MAIL_URL"), robot_url=reader.web_address("WECOM_ROBOT_URL")
            ),
            web=WebSettings(
                secret_key=reader.secret_key("SECRET_KEY"),
                previous_secret_keys=tuple(reader.secret("PREVIOUS_SECRET_KEYS").split()),
                public_url=reader.public_url("PUBLIC_URL", "http://127.0.0.1:8000" if embedded else None),
                session_hours=reader.number("SESSION_HOURS", 12, minimum=1, maximum=24 * 30),
                cookie_secure=reader.flag("COOKIE_SECURE", default=not embedded),
                trusted_proxies=reader.number("TRUSTED_PROXIES", 0, maximum=10),
                metrics_token=reader.secret("METRICS_TOKEN"),
            ),
            log=LogSettings(
                level=reader.choice("LOG_LEVEL", LogLevel.INFO),
                format=reader.choice("LOG_FORMAT", LogFormat.CONSOLE if embedded else LogFormat.JSON),
            ),
            limits=LimitSettings(
                upload_bytes=reader.number("UPLOAD_MAX_BYTES", 20 * MIB, minimum=1024),
                image_pixels=reader.number("IMAGE_MAX_PIXELS", 50_000_000, minimum=1_000_000),
                import_rows=reader.number("IMPORT_MAX_ROWS", 10_000, minimum=1),
            ),
            login=LoginSettings(
                max_failures=reader.number("LOGIN_MAX_FAILURES", 5, minimum=1),
                window_s=reader.number("LOGIN_WINDOW_S", 900, minimum=1),
            ),
        )
        if settings.web.cookie_secure and settings.web.public_url.startswith("http://"):
            reader.fault(
                "COOKIE_SECURE",
                "is on while the public address is plain http, so nobody could log in: "
                "use https, or set it to 0",
            )
        reader.refuse_faults()
        return settings


def process_environ() -> dict[str, str]:
    """A copy of this process's environment, for a child process to inherit."""
    return dict(os.environ)


class _Reader:
    """Reads one variable after another and remembers what was wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._faults: list[str] = []

    def fault(self, name: str, complaint: str) -> None:
        self._faults.append(f"{PREFIX}{name} {complaint}")

    def refuse_faults(self) -> None:
        if self._faults:
            raise SettingsError(self._faults)

    def text(self, name: str, default: str) -> str:
        return self._environ.get(PREFIX + name, "").strip() or default

    def number(self, name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
        raw = self.text(name, str(default))
        try:
            number = int(raw)
        except ValueError:
            self.fault(name, f"must be a whole number, not {raw!r}")
            return default
        if not minimum <= number <= maximum:
            self.fault(name, f"must be between {minimum} and {maximum}, not {number}")
        return number

    def flag(self, name: str, *, default: bool) -> bool:
        raw = self.text(name, "1" if default else "0").lower()
        if raw in {"1", "true", "yes", "on"}:
            return True
        if raw not in {"0", "false", "no", "off"}:
            self.fault(name, f"must be 1 or 0, not {raw!r}")
        return False

    def choice(self, name: str, default: _Choice) -> _Choice:
        raw = self.text(name, default.value).lower()
        kind = type(default)
        try:
            return kind(raw)
        except ValueError:
            self.fault(name, f"must be one of {', '.join(kind)}, not {raw!r}")
            return default

    def secret(self, name: str) -> str:
        """The variable, or the content of the file `NAME_FILE` points to; empty when neither."""
        value = self.text(name, "")
        file_name = self.text(f"{name}_FILE", "")
        if value and file_name:
            self.fault(name, f"and {PREFIX}{name}_FILE are both set: keep one")
        if value or not file_name:
            return value
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.fault(f"{name}_FILE", f"cannot be read: {error}")
            return ""

    def secret_key(self, name: str) -> str:
        key = self.secret(name)
        if len(key) < SECRET_KEY_MIN_LENGTH:
            self.fault(
                name,
                f"must be a secret of at least {SECRET_KEY_MIN_LENGTH} characters, for instance "
                "from `openssl rand -hex 32`",
            )
        return key

    def keys(self, name: str, *, most: int | None = None) -> tuple[bytes, ...]:
        """Ed25519 keys of 64 hex digits each, separated by blanks."""
        words = self.secret(name).split()
        if not all(_ED25519_KEY.fullmatch(word) for word in words) or (most and len(words) > most):
            self.fault(name, "must be 64 hex digits, for instance from `openssl rand -hex 32`")
            return ()
        return tuple(bytes.fromhex(word) for word in words)

    def database_url(self, name: str) -> str:
        url = self.secret(name)
        parts = self._split(name, url)
        if not url:
            self.fault(name, "is not set: give the URL of a PostgreSQL 15 or newer")
        elif parts.scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            self.fault(name, "must begin with postgresql://")
        elif not parts.path.strip("/"):
            self.fault(name, "must name a database after the host")
        return "postgresql+psycopg" + url[len(parts.scheme) :]

    def broker_url(self, name: str) -> str:
        url = self.secret(name)
        scheme = self._split(name, url).scheme
        if not url:
            self.fault(name, "is not set: give the URL of a Valkey, Redis or RabbitMQ")
        elif scheme == "valkey":
            return "redis" + url.removeprefix("valkey")
        elif scheme not in {"redis", "rediss", "amqp", "amqps"}:
            self.fault(name, "must begin with redis://, rediss://, amqp:// or amqps://")
        return url

    def public_url(self, name: str, default: str | None) -> str:
        url = self.text(name, default or "").rstrip("/")
        parts = self._split(name, url)
        if not url:
            self.fault(name, "is not set: give the address links and QR codes shall begin with")
        elif parts.scheme not in {"http", "https"} or not parts.hostname:
            self.fault(name, "must be an http:// or https:// address")
        elif parts.query or parts.fragment or parts.username:
            self.fault(name, "must be a bare address, without user, query or fragment")
        return url

    def web_address(self, name: str) -> str:
        url = self.secret(name)
        if url and self._split(name, url).scheme not in {"http", "https"}:
            self.fault(name, "must be an http:// or https:// address")
        return url

    def mail(self, name: str) -> MailSettings | None:
        url = self.secret(name)
        if not url:
            return None
        parts = self._split(name, url)
        query = parse_qs(parts.query)
        sender = query.get("from", [""])[-1]
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or "@" not in sender:
            self.fault(name, "must read smtp://user:password@host:587?from=address")
            return None
        tls = parts.scheme == "smtps"
        return MailSettings(
            host=parts.hostname,
            port=parts.port or (465 if tls else 587),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            sender=sender,
            tls=tls,
            starttls=not tls and query.get("starttls", ["1"])[-1] not in {"0", "false", "no"},
        )

    def storage(self, name: str, *, default: Path) -> FolderStorage | S3Storage:
        url = self.secret(name)
        if not url.startswith("s3://"):
            if "://" in url:
                self.fault(name, "must be a folder or begin with s3://")
            return FolderStorage(Path(url).absolute() if url else default)
        parts = self._split(name, url)
        query = parse_qs(parts.query)
        bucket = parts.path.strip("/")
        if not (parts.username and parts.password and parts.hostname and bucket) or "/" in bucket:
            self.fault(name, "must read s3://key:secret@host:port/bucket")
        unknown = query.keys() - {"secure", "region"}
        if unknown:
            self.fault(name, f"has an unknown option {', '.join(sorted(unknown))}")
        return S3Storage(
            endpoint=parts.netloc.rpartition("@")[2],
            bucket=bucket,
            access_key=unquote(parts.username or ""),
            secret_key=unquote(parts.password or ""),
            secure=query.get("secure", ["1"])[-1] not in {"0", "false", "no"},
            region=query.get("region", ["us-east-1"])[-1],
        )

    def _split(self, name: str, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            self.fault(name, "is not a URL")
            return urlsplit("")
        return parts
