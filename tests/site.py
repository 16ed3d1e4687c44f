"""A real site for tests: web server, worker, database and mail server."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from smtpdfix import SMTPDFix

from cohorts.database import Database
from cohorts.links import Links
from cohorts.models import User
from tests.factories import make_user

SECRET = "a secret key that is used by tests alone"


@dataclass(frozen=True)
class Site:
    """A running site."""

    url: str
    database: Database
    links: Links
    smtpd: SMTPDFix

    def organiser(self) -> User:
        """Return a new organiser."""
        with self.database.transaction() as session:
            return make_user(session)

    def mails(self, address: str) -> list[EmailMessage]:
        """Return what the mail server has received for an address, oldest first."""
        received = [
            message_from_bytes(each.as_bytes(), policy=policy.default) for each in list(self.smtpd.messages)
        ]
        return [mail for mail in received if address in str(mail["To"])]

    def mail(self, address: str, subject: str) -> EmailMessage:
        """Wait for a mail to an address whose subject contains some words."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for mail in reversed(self.mails(address)):
                if subject in mail["Subject"]:
                    return mail
            time.sleep(0.1)
        subjects = [mail["Subject"] for mail in self.mails(address)]
        raise AssertionError(f"no mail {subject!r} to {address}; there are {subjects}")


def link_in(mail: EmailMessage) -> str:
    """Return the personal link in a mail."""
    found = re.search(r"https?://\S+/(?:l|sign-in)/\S+", mail.get_content())
    assert found is not None, mail.get_content()
    return found[0]


@pytest.fixture
def site(database: Database, smtpd: SMTPDFix, tmp_path: Path) -> Iterator[Site]:
    """Serve the test's database with a worker beside it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with database.transaction() as session:
        make_user(session, email="first@example.org")  # a database in use gets no sample course
    environ = {
        **os.environ,
        "COHORTS_SECRET_KEY": SECRET,
        "COHORTS_DATA_DIR": str(tmp_path),
        "COHORTS_PUBLIC_URL": url,
        "COHORTS_MAIL_URL": f"smtp://{smtpd.hostname}:{smtpd.port}",
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
    }
    command = [sys.executable, "-m", "web", "serve", "--port", str(port), "--with-worker"]
    server = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
    try:
        wait_until_served(server, url)
        yield Site(url, database, Links(SECRET, url), smtpd)
    finally:
        server.terminate()
        try:
            server.communicate(timeout=60)
        finally:
            server.kill()


def wait_until_served(server: "subprocess.Popen[bytes]", url: str) -> None:
    """Wait until a site answers; fail when its server ends or a minute has passed."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, f"the server ended with status {server.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer within a minute")
