"""What is wrong with an installation, and how to mend it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from cohorts import jobs, mailers, vitals
from cohorts.database import Database
from cohorts.mailers import MailError, SmtpMailer
from cohorts.models import Role, User, now
from config import Settings

LEAST_DISK: Final = 500 * 2**20
LONGEST_SILENCE: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(minutes=15)
LARGEST_SKEW: Final = timedelta(seconds=5)
SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what is the matter, and what to do; nothing to do where all is well."""

    what: str
    to_do: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything an installation needs, one thing after the other."""
    yield from _settings(settings)
    database = Database(settings.database_url)
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        yield Finding(f"The database does not answer: {reason}", "Start it, and look at DATABASE_URL.")
    else:
        yield from _database(database)
    finally:
        database.engine.dispose()
    yield _queue(settings)
    yield _mail(settings)
    yield _address(settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    if not settings.production:
        yield Finding("The settings are those of development; for real people set COHORTS_ENV=production.")
        return
    yield Finding("The settings are those of production.")
    if not settings.public_url.startswith("https://"):
        yield Finding(
            f"COHORTS_PUBLIC_URL is {settings.public_url}: personal links travel in the open.",
            "Put a reverse proxy with HTTPS in front, and let the address begin with https://.",
        )
    elif settings.trusted_proxies == 0:
        yield Finding(
            "No reverse proxy is trusted, so that everybody seems to come from one address.",
            "Set COHORTS_TRUSTED_PROXIES to the number of proxies in front, usually 1.",
        )
    key_file = os.environ.get("COHORTS_SECRET_KEY_FILE")
    if key_file and Path(key_file).stat().st_mode & 0o077:
        yield Finding(f"Others can read {key_file}.", f"chmod 600 {key_file}")


def _database(database: Database) -> Iterator[Finding]:
    if not database.is_current():
        yield Finding("The tables are those of another version.", "Run: cohorts db upgrade")
        return
    yield Finding(f"The database answers ({database.url.get_backend_name()}), and its tables are current.")
    if database.is_sqlite:
        yield from _file(Path(database.url.database or ""))
    else:
        yield _clock(database)
    with database.reading() as session:
        admins = select(func.count()).where(User.role == Role.ADMIN, User.active.is_(True))
        if not session.scalar(admins):
            yield Finding("There is no administrator.", "Run: cohorts user add EMAIL --role admin")
        yield from _waiting(vitals.read(session, now()))


def _file(file: Path) -> Iterator[Finding]:
    if file.stat().st_mode & 0o077:
        yield Finding(f"Others can read {file}.", f"chmod 600 {file}")
    if not os.access(file.parent, os.W_OK):
        yield Finding(f"Nothing can be written in {file.parent}.", "Give this user the right to write there.")
    free = shutil.disk_usage(file.parent).free
    if free < LEAST_DISK:
        yield Finding(
            f"Only {free // 2**20} MB are free where the database is.", "Make room, or move the database."
        )


def _clock(database: Database) -> Finding:
    with database.engine.connect() as connection:
        skew = abs(connection.execute(select(func.clock_timestamp())).scalar_one() - now())
    if skew > LARGEST_SKEW:
        return Finding(
            f"The clocks of this machine and of the database are {skew.total_seconds():.0f} seconds apart.",
            "Let both take their time from the network (NTP).",
        )
    return Finding("The clocks of this machine and of the database agree.")


def _waiting(found: vitals.Vitals) -> Iterator[Finding]:
    if found.worker_seen is None or found.worker_seen > LONGEST_SILENCE:
        yield Finding(
            "No worker is alive: nothing is matched, and no mail leaves.",
            "Run: cohorts worker (or cohorts serve --with-worker)",
        )
    else:
        yield Finding("A worker is alive.")
    if found.oldest_mail is not None and found.oldest_mail > LONGEST_WAIT:
        yield Finding(
            f"{found.n_mails} mails wait, one for {found.oldest_mail.total_seconds() / 60:.0f} minutes.",
            "Look at the worker's log, and at whether the mail server takes mails.",
        )


def _queue(settings: Settings) -> Finding:
    try:
        jobs.Queue(settings.queue_url, settings.secret_key).waiting()
    except Exception as error:
        return Finding(f"The queue cannot be used: {error}", "Look at COHORTS_QUEUE_URL.")
    return Finding("The queue can be used.")


def _mail(settings: Settings) -> Finding:
    mailer = mailers.from_url(settings.mail_url)
    if not isinstance(mailer, SmtpMailer):
        to_do = "Set COHORTS_MAIL_URL to an SMTP server." if settings.production else ""
        return Finding("Mails are printed by the worker and not sent.", to_do)
    server = f"{urlsplit(settings.mail_url).hostname}"
    try:
        with mailer:
            mailer.greet()
    except MailError as error:
        return Finding(f"The mail server {server} does not take mails: {error}", "Look at COHORTS_MAIL_URL.")
    return Finding(f"The mail server {server} answers.")


def _address(settings: Settings) -> Finding:
    page = f"{settings.public_url}/healthz"
    try:
        with urlopen(page, timeout=SECONDS) as answer:  # noqa: S310 (config takes http and https alone)
            is_ours = b'"ok"' in answer.read(200)
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        return Finding(
            f"{page} cannot be reached from here: {reason}",
            "Run: cohorts serve, and look at the reverse proxy and COHORTS_PUBLIC_URL.",
        )
    if not is_ours:
        return Finding(
            f"Something else answers at {page}.", "Look at the reverse proxy and COHORTS_PUBLIC_URL."
        )
    return Finding(f"The site answers at {settings.public_url}.")
