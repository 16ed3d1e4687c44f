"""Blocking a person: privately, one-sided, and for every later match too.

The other is known by the digest of their address alone. So a block never shows an address, and still
holds when they sign up again or meet the learner in another course.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session, aliased

from .answers import Answers, address, answers_of, is_address
from .database import is_empty
from .exceptions import InvalidInput, NotFound
from .language import gettext as _
from .models import Membership, PersonBlock, Signup

MOST: Final = 100


def digest(email: str) -> str:
    """Return what an address is recognised by."""
    return sha256(email.encode()).hexdigest()


def knew(session: Session, signup: Signup) -> list[Signup]:
    """Return whoever was in a cohort with a learner at the same time, now or before, by name."""
    mine, theirs = aliased(Membership), aliased(Membership)
    together = (
        select(theirs.signup_id)
        .join(mine, mine.cohort_id == theirs.cohort_id)
        .where(mine.signup_id == signup.id)
        .where(or_(mine.until.is_(None), theirs.since < mine.until))
        .where(or_(theirs.until.is_(None), mine.since < theirs.until))
    )
    people = select(Signup).where(Signup.id.in_(together), Signup.id != signup.id)
    return list(session.scalars(people.order_by(Signup.name, Signup.id)))


def of(session: Session, signup: Signup) -> list[PersonBlock]:
    """Return whom a learner has blocked, latest first."""
    mine = select(PersonBlock).where(PersonBlock.signup_id == signup.id).order_by(PersonBlock.id.desc())
    return list(session.scalars(mine))


def block(session: Session, signup: Signup, *, key: str = "", email: str = "", at: datetime) -> PersonBlock:
    """Block somebody: by the ``key`` of their sign-up if the learner knew them, else by address.

    What comes back does not depend on whether the address is signed up. Blocking twice is once.

    Raises:
        InvalidInput: The text is no address, or their own; or they have blocked very many.
        NotFound: The learner never was in a cohort with them.
    """
    if key:
        other = next((each for each in knew(session, signup) if each.key == key), None)
        if other is None:
            raise NotFound
        return _block(session, signup, other.email, other.name, at)
    email = address(email)
    if not is_address(email):
        raise InvalidInput({"email": [_("This is not an e-mail address. It looks like name@example.org.")]})
    if email == signup.email:
        raise InvalidInput({"email": [_("This is your own address.")]})
    return _block(session, signup, email, email, at)


def unblock(session: Session, signup: Signup, key: str) -> None:
    """Take a block back; one that is gone already is no error."""
    mine = select(PersonBlock).where(PersonBlock.signup_id == signup.id, PersonBlock.key == key)
    found = session.scalar(mine)
    if found is not None:
        session.delete(found)
        session.flush()


def _block(session: Session, signup: Signup, email: str, label: str, at: datetime) -> PersonBlock:
    session.refresh(signup, ["works_with"], with_for_update=True)
    mine = of(session, signup)
    known = next((each for each in mine if each.digest == digest(email)), None)
    if known is not None:
        return known
    if len(mine) >= MOST:
        raise InvalidInput({"email": [_("You have blocked %(most)s people already.", most=MOST)]})
    found = PersonBlock(signup_id=signup.id, digest=digest(email), label=label, at=at)
    signup.works_with = [each for each in signup.works_with if each != email]
    session.add(found)
    session.flush()
    return found


def keep_apart(session: Session, signup: Signup, email: str, at: datetime) -> None:
    """Keep a wish to be apart from somebody who erases themselves, without any word of who it was."""
    if not any(each.digest == digest(email) for each in of(session, signup)):
        session.add(PersonBlock(signup_id=signup.id, digest=digest(email), label="", at=at))


def apart(session: Session, signup: Signup, others: Iterable[Signup]) -> set[int]:
    """Return the ids of those whom a learner is to be apart from, whoever of the two wished it.

    Two queries, whatever the number of others.
    """
    mine = set(session.scalars(select(PersonBlock.digest).join(Signup).where(Signup.email == signup.email)))
    blockers = set(
        session.scalars(
            select(Signup.email).join(PersonBlock).where(PersonBlock.digest == digest(signup.email))
        )
    )
    return {
        each.id
        for each in others
        if each.email in blockers
        or each.email in signup.avoids
        or signup.email in each.avoids
        or digest(each.email) in mine
    }


def pairs(session: Session, course_id: int) -> set[tuple[int, int]]:
    """Return the sign-ups of a course that are to be apart, as pairs of ids in order, in three queries."""
    here = Signup.course_id == course_id
    avoiding = session.execute(select(Signup.id, Signup.avoids).where(here, ~is_empty(Signup.avoids))).all()
    blocks = _blocks(session, course_id)
    if not avoiding and not blocks:
        return set()
    ids = {email: each for each, email in session.execute(select(Signup.id, Signup.email).where(here))}
    wishes = [(each, ids[other]) for each, avoids in avoiding for other in avoids if other in ids]
    hidden = {digest(email): each for email, each in ids.items()} if blocks else {}
    blocked = [(ids[owner], hidden[other]) for owner, other in blocks if other in hidden]
    return {(min(pair), max(pair)) for pair in (*wishes, *blocked)}


def _blocks(session: Session, course_id: int) -> Sequence[Row[str, str]]:
    """Return what the learners of a course have blocked, here or in another one: address and digest."""
    here = select(Signup.email).where(Signup.course_id == course_id)
    found = select(Signup.email, PersonBlock.digest).join(PersonBlock, PersonBlock.signup_id == Signup.id)
    return session.execute(found.where(Signup.email.in_(here))).all()


def answers_with_blocks(session: Session, rows: Sequence[Signup]) -> list[Answers]:
    """Return the answers of sign-ups of one course; whom somebody blocked counts as avoided."""
    emails = {digest(row.email): row.email for row in rows}
    blocked: dict[str, list[str]] = defaultdict(list)
    for owner, hidden in _blocks(session, rows[0].course_id) if rows else ():
        if hidden in emails:
            blocked[owner].append(emails[hidden])
    return [_apart(answers_of(row), blocked.get(row.email, [])) for row in rows]


def _apart(answers: Answers, blocked: Sequence[str]) -> Answers:
    if not blocked:
        return answers
    together = tuple(each for each in answers.works_with if each not in blocked)
    return replace(answers, works_with=together, avoids=(*answers.avoids, *blocked))
