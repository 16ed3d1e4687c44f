"""Links: only the right one opens, and a sign-in link opens once."""

import pytest
from sqlalchemy.orm import Session

from cohorts import links as links_module
from cohorts.exceptions import InvalidLink
from cohorts.links import Links
from tests.factories import make_course, make_signup, make_user


def token(address: str) -> str:
    return address.rsplit("/", 1)[1]


def test_learner_link_finds_its_own_signup(session: Session, links: Links) -> None:
    course = make_course(session)
    first, second = make_signup(session, course), make_signup(session, course)
    assert links.read_learner(session, token(links.learner(first))) is first
    assert links.read_learner(session, token(links.learner(second))) is second


def test_learner_link_replaced_is_refused(session: Session, links: Links) -> None:
    signup = make_signup(session, make_course(session))
    old = links.learner_token(signup)
    signup.link_version += 1
    session.flush()
    with pytest.raises(InvalidLink):
        links.read_learner(session, old)


@pytest.mark.parametrize("spoil", [lambda t: t + "x", lambda t: t[1:], lambda t: "", lambda t: "é.ü"])
def test_learner_link_spoilt_is_refused(session: Session, links: Links, spoil) -> None:
    signup = make_signup(session, make_course(session))
    with pytest.raises(InvalidLink):
        links.read_learner(session, spoil(links.learner_token(signup)))


def test_learner_link_signed_elsewhere_is_refused(session: Session, links: Links) -> None:
    signup = make_signup(session, make_course(session))
    other = Links("another secret key", links.public_url)
    with pytest.raises(InvalidLink):
        links.read_learner(session, other.learner_token(signup))


def test_sign_in_link_is_no_learner_link(session: Session, links: Links) -> None:
    user = make_user(session)
    with pytest.raises(InvalidLink):
        links.read_learner(session, token(links.sign_in(user)))


def test_sign_in_link_works_once(session: Session, links: Links) -> None:
    user = make_user(session)
    link = token(links.sign_in(user))
    assert links.read_sign_in(session, link) == (user, True)
    assert links.read_sign_in(session, token(links.mailed_sign_in(user))) == (user, False)
    assert links.spend_sign_in(session, link) is user
    with pytest.raises(InvalidLink):
        links.spend_sign_in(session, link)


def test_sign_in_link_spent_kills_earlier_ones(session: Session, links: Links) -> None:
    user = make_user(session)
    earlier, later = token(links.sign_in(user)), token(links.sign_in(user))
    links.spend_sign_in(session, later)
    with pytest.raises(InvalidLink):
        links.read_sign_in(session, earlier)


def test_sign_in_link_of_inactive_user_is_refused(session: Session, links: Links) -> None:
    user = make_user(session, active=False)
    with pytest.raises(InvalidLink):
        links.read_sign_in(session, token(links.sign_in(user)))


def test_sign_in_link_expires(session: Session, links: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    link = token(links.sign_in(make_user(session)))
    monkeypatch.setattr(links_module, "SIGN_IN_SECONDS", -1)
    with pytest.raises(InvalidLink):
        links.read_sign_in(session, link)
