"""Settings, from the environment (`ROWCAST_…`), validated at start. Secrets are never printed."""

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rowcast.mail_texts import parse_sender
from rowcast.smtp import parse_smtp_url
from rowcast.storage import StorageSettings, parse_storage_url

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/(\*|[a-z0-9!#$&^_.+-]{1,100})")


class SettingsError(Exception):
    """The environment asks for something that can't be; the message says what to set."""


def default_data_dir() -> Path:
    """Where the embedded database is kept where nothing says so.

    For root /var/lib/rowcast, since PostgreSQL does not run as root and its account can't enter
    root's home; for others `rowcast` in $XDG_DATA_HOME (~/.local/share), as in the XDG Base
    Directory Specification.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/rowcast")
    given = os.environ.get("XDG_DATA_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".local/share") / "rowcast"


class Settings(BaseSettings):
    """What an operator can set. Every field is `ROWCAST_<FIELD>` in the environment.

    Raises pydantic.ValidationError where a value has the wrong form.
    """

    model_config = SettingsConfigDict(env_prefix="ROWCAST_", extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("ROWCAST_DATABASE_URL", "DATABASE_URL")
    )
    admin_database_url: SecretStr | None = None
    listen_database_url: SecretStr | None = None
    data_dir: Path = Field(default_factory=default_data_dir)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    secret_key: SecretStr | None = Field(default=None, min_length=32)
    previous_secret_keys: SecretStr | None = None
    public_url: str | None = None
    allowed_origins: str = ""
    trusted_proxies: str = ""
    rate_limit: float = Field(default=200, ge=0, allow_inf_nan=False)
    storage_url: str | None = None
    attachment_max_bytes: int = Field(default=50 << 20, ge=1, le=5 << 30)
    attachment_types: str = ""
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    demo: bool = False

    @field_validator("database_url", "admin_database_url", "listen_database_url")
    @classmethod
    def _is_conninfo(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                conninfo_to_dict(value.get_secret_value())
            except ProgrammingError as error:
                raise ValueError("not a PostgreSQL URL or connection string") from error
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_smtp_url(value.get_secret_value())
        return value

    @field_validator("storage_url")
    @classmethod
    def _is_storage_url(cls, value: str | None) -> str | None:
        if value is not None:
            parse_storage_url(value)
        return value

    @field_validator("attachment_types")
    @classmethod
    def _are_types(cls, value: str) -> str:
        for item in _listed(value):
            if not _TYPE.fullmatch(item.lower()):
                raise ValueError(f"{item!r} is not a media type such as image/png or image/*")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str | None) -> str | None:
        if value is not None:
            parse_sender(value)
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for item in _listed(value):
            parts = urlsplit(item)
            if (
                parts.scheme not in ("http", "https")
                or "*" in item
                or _origin(item) != item.lower()
            ):
                raise ValueError(f"{item!r} is not an origin such as https://app.example.org")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for item in _listed(value):
            ipaddress.ip_network(item)
        return value

    @model_validator(mode="after")
    def _demo_is_local(self) -> Self:
        if self.demo and self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("demo mode needs no credentials and serves on loopback only")
        return self

    @property
    def origins(self) -> frozenset[str]:
        """The origins that may write.

        From ROWCAST_ALLOWED_ORIGINS (comma-separated) and ROWCAST_PUBLIC_URL.
        """
        listed = [*_listed(self.allowed_origins), *_listed(self.public_url or "")]
        return frozenset(_origin(item) for item in listed)

    @property
    def proxies(self) -> tuple[str, ...]:
        """The proxies whose X-Forwarded-For is believed: addresses and networks."""
        return tuple(_listed(self.trusted_proxies))

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by https."""
        return (self.public_url or "").startswith("https://")

    @property
    def storage(self) -> StorageSettings:
        """Where attachments are kept: by default beside the embedded database, else nowhere."""
        url = self.storage_url
        if url is None and self.database_url is None:
            url = (self.data_dir.absolute() / "attachments").as_uri()
        types = tuple(item.lower() for item in _listed(self.attachment_types))
        return StorageSettings(url, self.attachment_max_bytes, types)

    @property
    def embedded_directory(self) -> Path | None:
        """Where the embedded database is, or would be; None where the database is another."""
        return self.data_dir.absolute() if self.database_url is None else None

    def secrets(self) -> tuple[str, ...]:
        """The secret key, and those before it (comma-separated) that are still accepted."""
        earlier = self.previous_secret_keys.get_secret_value() if self.previous_secret_keys else ""
        return (self.secret(), *(key.strip() for key in earlier.split(",") if key.strip()))

    def secret(self) -> str:
        """The secret key.

        One that is missing is made and kept in the data directory, for the embedded database only.
        For any other, all processes must share one: SettingsError says so.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        if self.database_url is not None:
            raise SettingsError(
                "set ROWCAST_SECRET_KEY (32 characters or more, the same for every process), "
                "for example to the output of: openssl rand -hex 32"
            )
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            return _kept_secret(self.data_dir / "secret-key")
        except OSError as error:
            raise self.unusable(error) from error

    def unusable(self, error: OSError) -> SettingsError:
        """What is to be said of a data directory that can't be read or written."""
        return SettingsError(
            f"the data directory {self.data_dir} can't be used ({error.strerror});"
            " set ROWCAST_DATA_DIR to one that can"
        )


def _listed(text: str) -> list[str]:
    """The items of a comma-separated list."""
    return [item.strip().rstrip("/") for item in text.split(",") if item.strip()]


def _origin(url: str) -> str:
    """The origin of a URL as browsers write it: no path, small letters, no port of the scheme."""
    parts = urlsplit(url.lower())
    standard = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(standard) if standard else parts.netloc}"


def _kept_secret(path: Path) -> str:
    """The secret in a file, which is made where it is missing: whole, and by one process only."""
    if not path.exists():
        descriptor, name = tempfile.mkstemp(prefix="secret-key-", dir=path.parent)  # 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(name, path)
        os.unlink(name)
    return path.read_text()


def server_password(secret: str) -> str:
    """The password of rowcast_server where no server URL says one: derived from the secret key."""
    return hmac.new(secret.encode(), b"rowcast_server password", hashlib.sha256).hexdigest()


def server_conninfo(admin_url: str, secret: str) -> str:
    """The administrator's URL as rowcast_server, with its derived password."""
    return make_conninfo(admin_url, user="rowcast_server", password=server_password(secret))
