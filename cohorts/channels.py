"""The address where a cohort talks: a room, a chat or a forum somewhere else."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import urlsplit

from .exceptions import InvalidInput
from .language import gettext as _

LENGTH: Final = 500


def checked(address: str) -> str:
    """Return an address that may be shown as a link.

    Raises:
        ValueError: It is no plain https address; the message says what is wrong with it.
    """
    if len(address) > LENGTH:
        raise ValueError(_("The address is longer than %(length)s characters.", length=LENGTH))
    if any(each.isspace() or unicodedata.category(each).startswith("C") for each in address):
        raise ValueError(_("The address contains a space or a character that cannot be seen."))
    try:
        parts = urlsplit(address)
        named, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(_("This is not an address. Copy it from your browser.")) from None
    if parts.scheme != "https":
        raise ValueError(_("The address must start with https://. Copy it from your browser."))
    if not named or "." not in named.strip(".") or "\\" in address:
        raise ValueError(_("This is not an address. Copy it from your browser."))
    if parts.username is not None or parts.password is not None:
        raise ValueError(_("The address must not contain a name or a password before an @."))
    try:
        host(address)
    except UnicodeError:
        raise ValueError(_("This is not an address. Copy it from your browser.")) from None
    return address


def read(address: str) -> str:
    """Return the address that a form gives, checked; an empty one says that there is none.

    Raises:
        InvalidInput: It is no plain https address.
    """
    address = address.strip()
    try:
        return checked(address) if address else ""
    except ValueError as error:
        raise InvalidInput({"channel": [str(error)]}) from error


def host(address: str) -> str:
    """Return where an address leads, the way no look-alike letters can hide."""
    return (urlsplit(address).hostname or "").encode("idna").decode("ascii")
