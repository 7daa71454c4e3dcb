"""Every setting of the hub: environment variables ``HUB_*``, then ``hub.env`` in the data folder, then defaults."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Field descriptions are printed in the reference; each names its unit."""

    model_config = SettingsConfigDict(env_prefix="HUB_", extra="ignore", frozen=True)

    data: Path = Field(Path("hub-data"), description="Data folder: database, queue files, uploads, key file.")
    db_url: str = Field("", description="SQLAlchemy async URL; empty: SQLite in the data folder.")
    redis_url: str = Field(
        "", description="Redis or Valkey URL; empty: the embedded server's socket in the data folder."
    )
    host: str = Field("127.0.0.1", description="Address the web process listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the web process listens on.")
    base_url: str = Field("", description="Address people use; empty: http://host:port.")
    sandbox_url: str = Field("", description="Base address of the sandbox platform; empty: none is running.")
    live: bool = Field(False, description="True: real platforms are contacted. False: only addresses on this machine.")
    inner_networks: str = Field(
        "",
        description="Networks of the office's own that mailbox and work-order accounts may connect to in live mode, "
        "like 10.1.0.0/16, separated by commas; empty: none.",
    )
    captcha_script: str = Field(
        "", description="Script of a captcha service (hCaptcha, Turnstile and their kin) for letter pages; empty: none."
    )
    captcha_class: str = Field("h-captcha", description="Class of the element that script fills.")
    captcha_field: str = Field("h-captcha-response", description="Field in which the form brings the answer.")
    captcha_key: str = Field("", description="Our public key with that service.")
    captcha_secret: str = Field("", description="Our secret with that service.")
    captcha_verify: str = Field("", description="Address at which that service is asked whether the answer is good.")
    keep_pictures: Literal["private", "all", "none"] = Field(
        "private",
        description="Which citizens' pictures that are only linked to are fetched and kept in the database: those of "
        "private messages and letters (private), those of everything that waits for an answer (all), or none. People "
        "may have single ones kept in any case. Reckon with 0.3 MB a picture.",
    )
    keep_files_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Days after which kept pictures of public messages that never became a case are cleared, at night; "
        "0: never. Files of letters, of private messages and of cases are records and are never cleared.",
    )
    public_feed: bool = Field(False, description="True: what was published is offered to all at /feeds/posts.atom.")
    demo: bool = Field(False, description="True: demonstration banner, logins shown on the sign-in page.")
    secret_key: str = Field(
        "", description="Key for secrets at rest, 32 bytes url-safe base64; empty: key file in data."
    )
    old_keys: str = Field(
        "",
        description="Earlier values of HUB_SECRET_KEY, separated by commas: what was sealed with them is still read, "
        "until `hub key rotate` has sealed it anew.",
    )
    cookie_secure: bool = Field(False, description="True behind HTTPS: cookies carry Secure.")
    idle_minutes: int = Field(30, ge=1, description="Minutes without a request after which a session ends.")
    session_hours: int = Field(12, ge=1, description="Hours after which a session ends in any case.")
    lockout_tries: int = Field(5, ge=1, description="Wrong passwords in a row that lock an account.")
    lockout_minutes: int = Field(15, ge=1, description="Minutes an account stays locked.")
    max_body_mb: int = Field(20, ge=1, description="Largest request body in MiB; uploads of import files included.")
    most_video_mb: int = Field(
        500,
        ge=1,
        le=8192,
        description="Largest video of a post in MiB. Videos lie in the folder videos below the data folder.",
    )
    keep_videos_days: int = Field(
        90,
        ge=1,
        description="Days after which the file of a video whose post is out is removed; what is known of it stays.",
    )
    office_name: str = Field("", description="Name of the office in the page head; empty: the product's name.")
    timezone: str = Field("Asia/Shanghai", description="Zone in which people see times. Stored times are UTC.")
    language: str = Field(
        "", description="Language where the person chose none: zh_CN, zh_TW or en; empty: as the browser."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["json", "console"] = Field("json", description="json or console.")
    metrics_token: str = Field("", description="Bearer token for /metrics; empty: only requests from this machine.")
    audit_hash: Literal["sha256", "sm3"] = Field("sha256", description="Digest of the audit chain: sha256 or sm3.")
    tag_batch: int = Field(200, ge=1, description="Messages tagged in one batch.")
    sweep_seconds: int = Field(5, ge=1, description="Seconds between two sweeps of due rows.")
    overdue_per_minute: int = Field(6, ge=1, description="Late posts sent per account and minute after an outage.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(value) from error
        return value

    @field_validator("inner_networks")
    @classmethod
    def _known_networks(cls, value: str) -> str:
        for part in filter(None, (one.strip() for one in value.split(","))):
            ip_network(part)
        return value

    @property
    def inner(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """``inner_networks`` as networks."""
        return tuple(ip_network(part.strip()) for part in self.inner_networks.split(",") if part.strip())

    model_url: str = Field(
        "", description="OpenAI-compatible address of a language model, up to /v1; empty: no model is ever asked."
    )
    model_name: str = Field("", description="Name of the model at that address.")
    model_key: str = Field("", description="Key for that address, where it wants one.")
    model_outside: bool = Field(
        False, description="True: the model may be outside the office's own network; personal data are hidden first."
    )
    model_seconds: int = Field(60, description="Seconds after which a model's answer is waited for no longer.")

    @cached_property
    def database(self) -> str:
        """The database URL in force."""
        return self.db_url or f"sqlite+aiosqlite:///{self.data.resolve() / 'hub.db'}"

    @cached_property
    def queue(self) -> str:
        """The queue URL in force; the embedded server writes its address into ``queue.url``."""
        if self.redis_url:
            return self.redis_url
        note = self.data / "queue.url"
        return note.read_text().strip() if note.exists() else f"unix://{self.data.resolve() / 'valkey.sock'}"

    @cached_property
    def address(self) -> str:
        """Where people reach the hub, without a trailing slash."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    @cached_property
    def key(self) -> bytes:
        """The key for secrets at rest; made on first use, readable by the owner only."""
        if self.secret_key:
            return self.secret_key.encode()
        path = self.data / "secret.key"
        if not path.exists():
            self.make_folder()
            _write_private(path, secrets.token_urlsafe(32))
        return path.read_text().strip().encode()

    def make_folder(self) -> None:
        """The data folder, where there is none yet: nobody else of the machine looks into it."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """The key in force, then earlier ones: those named in the settings, and those replaced in the data folder."""
        replaced = self.data / "secret.key.old"
        lines = replaced.read_text().splitlines() if not self.secret_key and replaced.exists() else []
        earlier = [key.strip() for key in (*self.old_keys.split(","), *lines)]
        return tuple(dict.fromkeys([self.key, *(key.encode() for key in earlier if key)]))

    def replace_key_file(self) -> None:
        """A new key in the data folder; the present one goes to the earlier ones. For a hub that stands still.

        OSError when the folder cannot be written; ValueError when the key stands in the settings instead.
        """
        if self.secret_key:
            raise ValueError("the key stands in HUB_SECRET_KEY")
        was, path, replaced = self.key.decode(), self.data / "secret.key", self.data / "secret.key.old"
        if not replaced.exists():
            _write_private(replaced, "")
        earlier = replaced.read_text()
        replaced.write_text(f"{was}\n{earlier}")
        fresh = self.data / "secret.key.new"
        fresh.unlink(missing_ok=True)
        _write_private(fresh, secrets.token_urlsafe(32))
        fresh.replace(path)


def _write_private(path: Path, text: str) -> None:
    """Create the file once, mode 600; a race between two processes leaves the first one's content."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(text)


def load(data: Path | None = None, **given: object) -> Settings:
    """Settings in force. ``data`` and ``given`` win over the environment, ``hub.env`` stands below it."""
    folder = Path(data or os.environ.get("HUB_DATA") or "hub-data")
    values = {name: value for name, value in given.items() if value is not None}
    return Settings(_env_file=folder / "hub.env", data=folder, **values)  # type: ignore[call-arg, arg-type]
