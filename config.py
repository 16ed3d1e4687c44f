"""Settings from the environment, with safe defaults; what is not understood is refused."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PREFIX: Final = "COHORTS_"
ROOT: Final = Path(__file__).resolve().parent


class InvalidSettings(Exception):
    """A setting is missing or is not understood."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one installation.

    Attributes:
        production: True refuses insecure defaults and marks cookies as secure.
        secret_key: Signs sessions, personal links and queued jobs.
        public_url: Address under which learners reach the site, without a trailing slash.
        database_url: SQLAlchemy URL of the database.
        queue_url: Where the worker's queue lives: ``sqlite:///FILE`` or ``postgresql://…``.
        mail_url: ``terminal:`` prints mails; ``smtp://user:password@host:port`` sends them
            (``smtp+starttls://`` and ``smtps://`` encrypt).
        mail_from: Sender address of every mail.
        mails_per_second: How many mails that nobody waits for a worker sends at most; 0 is any number.
        trusted_proxies: Number of reverse proxies in front whose forwarded headers count.
        log_level: Level name for the standard logging module.
        log_format: ``text`` for people, ``json`` for programs, one object a line.
        metrics_token: What a program shows to read ``/metrics``; without one there is no such page.
    """

    production: bool
    secret_key: str
    public_url: str
    database_url: str
    queue_url: str
    mail_url: str
    mail_from: str
    mails_per_second: int
    trusted_proxies: int
    log_level: str
    log_format: str
    metrics_token: str


NAMES: Final = {
    "COHORTS_ENV": "development (default) or production",
    "COHORTS_SECRET_KEY": "long random text that signs sessions and links; production requires it",
    "COHORTS_SECRET_KEY_FILE": "a file that holds the secret key, instead of COHORTS_SECRET_KEY",
    "COHORTS_PUBLIC_URL": "address learners use, such as https://cohorts.example.org; production requires it",
    "COHORTS_DATA_DIR": "where the SQLite files and the development key live (default: var)",
    "DATABASE_URL": "database to use (default: SQLite in the data directory)",
    "COHORTS_QUEUE_URL": "queue of the worker (default: SQLite in the data directory)",
    "COHORTS_MAIL_URL": "terminal: (default), smtp://…, smtp+starttls://… or smtps://…",
    "COHORTS_MAIL_FROM": "sender of all mail (default: cohorts@ the host of the public address)",
    "COHORTS_MAILS_PER_SECOND": "how many mails a worker sends at most (default: 10; 0: any number)",
    "COHORTS_TRUSTED_PROXIES": "number of reverse proxies in front (default: 0)",
    "COHORTS_LOG_LEVEL": "DEBUG, INFO (default), WARNING or ERROR",
    "COHORTS_LOG_FORMAT": "text (default in development) or json (default in production)",
    "COHORTS_METRICS_TOKEN": "what a program shows to read /metrics (default: none may)",
}
"""Every setting and what it means; the reference in docs/ is checked against it."""


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        InvalidSettings: A name that starts with ``COHORTS_`` is unknown, a value is not
            understood, or production lacks its secret key or public address.
    """
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in NAMES)
    if unknown:
        raise InvalidSettings(f"Unknown setting {unknown[0]}. Known are: {', '.join(NAMES)}.")
    production = _one_of(environ, "COHORTS_ENV", ("development", "production")) == "production"
    data = Path(environ.get("COHORTS_DATA_DIR") or ROOT / "var").resolve()
    public_url = _public_url(environ, production)
    return Settings(
        production=production,
        secret_key=_secret_key(environ, production, data),
        public_url=public_url,
        database_url=environ.get("DATABASE_URL") or f"sqlite:///{data / 'cohorts.sqlite3'}",
        queue_url=environ.get("COHORTS_QUEUE_URL") or f"sqlite:///{data / 'queue.sqlite3'}",
        mail_url=_mail_url(environ),
        mail_from=environ.get("COHORTS_MAIL_FROM") or f"cohorts@{urlsplit(public_url).hostname}",
        mails_per_second=_whole_number(environ, "COHORTS_MAILS_PER_SECOND", 10),
        trusted_proxies=_whole_number(environ, "COHORTS_TRUSTED_PROXIES", 0),
        log_level=_one_of(environ, "COHORTS_LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
        log_format=_one_of(
            environ, "COHORTS_LOG_FORMAT", ("json", "text") if production else ("text", "json")
        ),
        metrics_token=_metrics_token(environ),
    )


def _one_of(environ: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """Return a setting that must be one of a few words; the first is the default."""
    value = environ.get(name) or allowed[0]
    if value not in allowed:
        raise InvalidSettings(f"{name} is {value!r}, but must be one of: {', '.join(allowed)}.")
    return value


def _whole_number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name) or str(default)
    if not value.isdecimal():
        raise InvalidSettings(f"{name} is {value!r}, but must be a whole number.")
    return int(value)


def _metrics_token(environ: Mapping[str, str]) -> str:
    value = environ.get("COHORTS_METRICS_TOKEN") or ""
    if value and len(value) < 16:
        raise InvalidSettings("COHORTS_METRICS_TOKEN is shorter than 16 characters.")
    return value


def _public_url(environ: Mapping[str, str], production: bool) -> str:
    value = (environ.get("COHORTS_PUBLIC_URL") or "").rstrip("/")
    if not value and production:
        raise InvalidSettings("Set COHORTS_PUBLIC_URL to the address learners use, such as https://…")
    value = value or "http://127.0.0.1:8000"
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSettings(f"COHORTS_PUBLIC_URL is {value!r}, but must start with https:// and a host.")
    return value


def _mail_url(environ: Mapping[str, str]) -> str:
    value = environ.get("COHORTS_MAIL_URL") or "terminal:"
    if urlsplit(value).scheme not in ("terminal", "smtp", "smtp+starttls", "smtps"):
        raise InvalidSettings(
            "COHORTS_MAIL_URL must start with terminal:, smtp://, smtp+starttls:// or smtps://."
        )
    return value


def _secret_key(environ: Mapping[str, str], production: bool, data: Path) -> str:
    value = environ.get("COHORTS_SECRET_KEY") or ""
    file = environ.get("COHORTS_SECRET_KEY_FILE")
    if file:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InvalidSettings(f"COHORTS_SECRET_KEY_FILE cannot be read: {error}") from error
    if value:
        if production and len(value) < 32:
            raise InvalidSettings("COHORTS_SECRET_KEY is shorter than 32 characters.")
        return value
    if production:
        raise InvalidSettings("Set COHORTS_SECRET_KEY (or COHORTS_SECRET_KEY_FILE) in production.")
    return _development_key(data / "secret_key")


def _development_key(path: Path) -> str:
    """Return the key kept beside the development database; make it at the first start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key)
    return key
