"""All tables and the states their rows can be in."""

from __future__ import annotations

import enum
import secrets
import uuid
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from .database import Moment, Stored, WeekSlots
from .language import Sentence
from .questions import Counts, Experience, Kind


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def new_key() -> str:
    """Return a new random name for a row that the outside may see."""
    return uuid.uuid4().hex


class Base(DeclarativeBase):
    """Common ground of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        datetime: Moment,
        frozenset[int]: WeekSlots,
        list[str]: JSON,
        dict[str, Any]: JSON,
    }


def state_type(kind: type[enum.StrEnum]) -> Enum:
    """Return a column type that keeps the values (not the names) of a state as text."""
    return Enum(kind, native_enum=False, length=20, values_callable=lambda k: [member.value for member in k])


class Role(enum.StrEnum):
    """What a user may do on this site."""

    ORGANISER = "organiser"
    ADMIN = "admin"


class CourseRole(enum.StrEnum):
    """What a user is in one course (see ``cohorts.policies``)."""

    OWNER = "owner"
    ORGANISER = "organiser"
    FACILITATOR = "facilitator"
    READER = "reader"


class CourseState(enum.StrEnum):
    """How far a course has come."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    RUNNING = "running"
    FINISHED = "finished"


class SignupState(enum.StrEnum):
    """Whether a sign-up counts: only a confirmed one is ever matched."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class RunState(enum.StrEnum):
    """How far a run has come."""

    QUEUED = "queued"
    RUNNING = "running"
    PROPOSED = "proposed"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RunKind(enum.StrEnum):
    """What a run does: it matches everybody, or seats people again around the cohorts that stand."""

    MATCH = "match"
    REMATCH = "rematch"


class Fate(enum.StrEnum):
    """What a rematch proposes for a cohort: that others join or leave it, that it merges, and so on."""

    GOES_ON = "goes on"
    STAYS_SMALL = "stays small"
    MERGES = "merges"
    CLOSES = "closes"
    OPENS = "opens"


class Cause(enum.StrEnum):
    """Why a rematch gives somebody another seat."""

    NO_COHORT = "no cohort"
    ASKED = "asked"
    TOO_SMALL = "too small"
    ALONG = "along"


class Decision(enum.StrEnum):
    """What became of a proposed seat; what the world has overtaken is ``outdated``."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    OUTDATED = "outdated"


class RematchWhen(enum.StrEnum):
    """When a course is rematched by itself."""

    NEVER = "never"
    NIGHTLY = "nightly"
    TOO_SMALL = "too small"


class MailState(enum.StrEnum):
    """Whether a mail in the outbox still has to go."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"


class Change(enum.StrEnum):
    """What an organiser did to a proposal by hand."""

    MOVE = "move"
    SWAP = "swap"
    PIN = "pin"
    NAME = "name"
    MEETING = "meeting"
    CHANNEL = "channel"
    UNDO = "undo"
    REDO = "redo"


class Answer(enum.StrEnum):
    """What a learner says about one meeting beforehand."""

    COMING = "coming"
    ABSENT = "absent"


class Met(enum.StrEnum):
    """Whether a learner met their cohort in a week."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not yet"


class Source(enum.StrEnum):
    """What tells of a connection between two learners.

    They said so, were at a meeting together, one asked to be with the other when signing up, or their
    interactions elsewhere came in a file or from a program.
    """

    TALKED_WITH = "talked with"
    GO_ON_WITH = "go on with"
    MET = "met"
    INVITED_BY = "invited by"
    IMPORTED = "imported"
    API = "api"


SAID: Final = (Source.TALKED_WITH, Source.GO_ON_WITH)
"""What a learner says of others in a check-in."""


class Leaving(enum.StrEnum):
    """Why somebody leaves a cohort or a course."""

    TIMES = "times"
    PACE = "pace"
    SILENT = "silent"
    UNCOMFORTABLE = "uncomfortable"
    LIFE = "life"


class User(Base):
    """Somebody who signs in: an organiser or an administrator. Learners need no account."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    role: Mapped[Role] = mapped_column(state_type(Role), default=Role.ORGANISER)
    locale: Mapped[str] = mapped_column(default="", server_default="")
    active: Mapped[bool] = mapped_column(default=True)
    sign_in_nonce: Mapped[str] = mapped_column(default=lambda: secrets.token_urlsafe(16))
    signed_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class BrowserSession(Base):
    """That somebody is signed in in a browser, until they sign out there or it runs out."""

    __tablename__ = "browser_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class SecondFactor(Base):
    """What a user's app proves itself with (see ``cohorts.second_factors``); it counts once confirmed.

    ``used_step`` is the half minute of the last code that was taken, ``paper`` the digests of codes on paper.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    used_step: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    paper: Mapped[list[str]] = mapped_column(default=list)


class Course(Base):
    """A course that learners sign up for.

    Whoever misses ``nudge_after`` check-ins or meetings in a row is asked whether they are still there, and
    loses their seat after ``remove_after`` more (see ``cohorts.signals``); 0 is never.
    """

    __tablename__ = "courses"
    __table_args__ = (
        CheckConstraint(
            "2 <= size_min AND size_min <= target_size AND target_size <= size_max", name="sizes"
        ),
        CheckConstraint("weeks BETWEEN 1 AND 52", name="weeks"),
        CheckConstraint("meeting_minutes BETWEEN 30 AND 480", name="meeting"),
        CheckConstraint("capacity IS NULL OR capacity > 0", name="capacity"),
        CheckConstraint("half_life_days BETWEEN 1 AND 365", name="half_life"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[CourseState] = mapped_column(state_type(CourseState), default=CourseState.DRAFT)
    start: Mapped[date]
    weeks: Mapped[int] = mapped_column(default=8)
    meeting_minutes: Mapped[int] = mapped_column(default=90)
    size_min: Mapped[int] = mapped_column(default=4)
    size_max: Mapped[int] = mapped_column(default=8)
    target_size: Mapped[int] = mapped_column(default=6)
    capacity: Mapped[int | None]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    asks_age: Mapped[bool] = mapped_column(default=False)
    half_life_days: Mapped[int] = mapped_column(default=28, server_default="28")
    nudge_after: Mapped[int] = mapped_column(default=0, server_default="0")
    remove_after: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=now)

    questions: Mapped[list[CourseQuestion]] = relationship(
        back_populates="course", cascade="all, delete-orphan", order_by="CourseQuestion.position"
    )
    interests: Mapped[list[Interest]] = relationship(
        back_populates="course", cascade="all, delete-orphan", order_by="Interest.label"
    )


class CourseOrganiser(Base):
    """Which users organise which course, as what, and which mails about it they have stopped."""

    __tablename__ = "course_organisers"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    stopped_mails: Mapped[list[str]] = mapped_column(default=list)
    role: Mapped[CourseRole] = mapped_column(state_type(CourseRole), default=CourseRole.OWNER)

    user: Mapped[User] = relationship()


class FacilitatedCohort(Base):
    """Which cohorts a facilitator looks after."""

    __tablename__ = "facilitated_cohorts"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    cohort_id: Mapped[int] = mapped_column(
        ForeignKey("cohorts.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Invitation(Base):
    """A letter that makes whoever has this address an organiser of a course; it is good once.

    ``cohorts`` are the keys of those that a facilitator is to look after.
    """

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    email: Mapped[str]
    role: Mapped[CourseRole] = mapped_column(state_type(CourseRole))
    cohorts: Mapped[list[str]] = mapped_column(default=list)
    locale: Mapped[str] = mapped_column(default="")
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]

    course: Mapped[Course] = relationship()
    invited_by: Mapped[User | None] = relationship()


class AuditEntry(Base):
    """That somebody did something to a course, written in the transaction that did it.

    It holds no words of anybody: ``subject`` is the key of the row that was acted on, ``detail`` one of a few
    known words (see ``web.logbook``).
    """

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(default=now)
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(default="")

    user: Mapped[User | None] = relationship()


class UploadStage(enum.StrEnum):
    """What a file waits for: that it is read, that somebody decides, that it is imported, or nothing more."""

    UNREAD = "unread"
    READ = "read"
    IMPORTING = "importing"
    IMPORTED = "imported"


class Audience(enum.StrEnum):
    """Whom an organiser writes to."""

    EVERYONE = "everyone"
    UNPLACED = "unplaced"
    COHORT = "cohort"


class Message(Base):
    """A letter from the organisers of a course to some of its learners; a draft until it is sent.

    ``text`` may have ``{name}`` and the like (see ``cohorts.letters``); each mail is worded when it leaves.
    """

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    audience: Mapped[Audience] = mapped_column(state_type(Audience))
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"))
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    n_sent: Mapped[int] = mapped_column(default=0)

    course: Mapped[Course] = relationship()
    author: Mapped[User | None] = relationship()
    cohort: Mapped[Cohort | None] = relationship()


class CourseQuestion(Base):
    """One question of the sign-up form as a course asks it (see ``cohorts.questions``).

    Those every course can ask have no kind; from ``kind`` on everything is about the course's own.
    """

    __tablename__ = "course_questions"
    __table_args__ = (CheckConstraint("weight BETWEEN 0 AND 10", name="weight"),)

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    asked: Mapped[bool] = mapped_column(default=True)
    required: Mapped[bool] = mapped_column(default=False)
    weight: Mapped[float] = mapped_column(default=1.0)
    position: Mapped[int] = mapped_column(default=0)
    kind: Mapped[Kind | None] = mapped_column(state_type(Kind))
    label: Mapped[str] = mapped_column(default="")
    help: Mapped[str] = mapped_column(default="")
    options: Mapped[list[str]] = mapped_column(default=list)
    points: Mapped[int] = mapped_column(default=5)
    counts: Mapped[Counts | None] = mapped_column(state_type(Counts))
    may_mind: Mapped[bool] = mapped_column(default=False)

    course: Mapped[Course] = relationship(back_populates="questions")


class Interest(Base):
    """An interest learners of a course can pick; ``listed`` ones were given by its organiser."""

    __tablename__ = "interests"
    __table_args__ = (UniqueConstraint("course_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    key: Mapped[str]
    label: Mapped[str]
    listed: Mapped[bool] = mapped_column(default=False)

    course: Mapped[Course] = relationship(back_populates="interests")


signup_interests = Table(
    "signup_interests",
    Base.metadata,
    Column("signup_id", ForeignKey("signups.id", ondelete="CASCADE"), primary_key=True),
    Column("interest_id", ForeignKey("interests.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Signup(Base):
    """One learner's sign-up for one course, with all their answers.

    ``paused_until`` is the first day they are back; ``findable`` says that others in the course, also
    outside their cohort, may find them by name. ``of_age`` is the age that they said, at ``of_age_at``, they
    have reached, if their course asks; when they were born is not kept.
    ``wants_another_at`` is when they asked for another cohort than the one they were in.
    ``custom`` holds the answers to the course's own questions by key (see ``cohorts.kinds``), ``not_alone``
    the keys of those with whose answer they do not want to be the only one, and ``shown`` the keys of all
    questions whose answer their cohort sees.
    """

    __tablename__ = "signups"
    __table_args__ = (
        UniqueConstraint("course_id", "email"),
        Index("ix_signups_course_id_state", "course_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    state: Mapped[SignupState] = mapped_column(state_type(SignupState), default=SignupState.PENDING)
    waiting: Mapped[bool] = mapped_column(default=False)
    link_version: Mapped[int] = mapped_column(default=1)
    calendar_version: Mapped[int] = mapped_column(default=1)
    email: Mapped[str]
    name: Mapped[str]
    locale: Mapped[str] = mapped_column(default="", server_default="")
    time_zone: Mapped[str]
    availability: Mapped[frozenset[int]]
    if_needed: Mapped[frozenset[int]] = mapped_column(default=frozenset())
    languages: Mapped[list[str]] = mapped_column(default=list)
    experience: Mapped[Experience | None] = mapped_column(state_type(Experience))
    hours_per_week: Mapped[float | None]
    goal: Mapped[str] = mapped_column(Text, default="")
    can_help_with: Mapped[list[str]] = mapped_column(default=list)
    wants_help_with: Mapped[list[str]] = mapped_column(default=list)
    works_with: Mapped[list[str]] = mapped_column(default=list)
    avoids: Mapped[list[str]] = mapped_column(default=list)
    convenor: Mapped[bool] = mapped_column(default=False)
    stopped_mails: Mapped[list[str]] = mapped_column(default=list)
    custom: Mapped[dict[str, Any]] = mapped_column(default=dict)
    not_alone: Mapped[list[str]] = mapped_column(default=list)
    shown: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    confirmed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    paused_until: Mapped[date | None]
    wants_another_at: Mapped[datetime | None]
    findable: Mapped[bool] = mapped_column(default=False)
    of_age: Mapped[int | None]
    of_age_at: Mapped[datetime | None]

    course: Mapped[Course] = relationship()
    interests: Mapped[list[Interest]] = relationship(secondary=signup_interests, order_by="Interest.label")
    presence: Mapped[Presence | None] = relationship(passive_deletes="all")


class Presence(Base):
    """Whether somebody is still there; who never gave a sign has no row.

    A sign of life, at ``seen_at``, clears the rest: when they were asked whether they are still there, when
    their seat was released because they did not say so, and when a mail server said that their address
    takes no mail.
    """

    __tablename__ = "presences"

    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[datetime | None]
    nudged_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]


class Purpose(enum.StrEnum):
    """What a file that waits is to be imported as."""

    SIGNUPS = "sign-ups"
    INTERACTIONS = "interactions"


class Upload(Base):
    """A sheet between its dry run and its import, as CSV; ``recipe`` says how columns of sign-ups are read.

    The sheets of one workbook have the same ``book``. ``reading`` is what was found in the sheet, and its
    rows are the dry run's. A worker that reads or imports it holds it until ``lease_until``.
    """

    __tablename__ = "uploads"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    book: Mapped[str] = mapped_column(default=new_key, index=True)
    sheet: Mapped[str] = mapped_column(default="")
    content: Mapped[bytes]
    purpose: Mapped[Purpose] = mapped_column(
        state_type(Purpose), default=Purpose.SIGNUPS, server_default=Purpose.SIGNUPS.value
    )
    recipe: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(default=now)
    stage: Mapped[UploadStage] = mapped_column(state_type(UploadStage), default=UploadStage.UNREAD)
    reading: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    leave_out: Mapped[bool] = mapped_column(default=False)
    trouble: Mapped[str] = mapped_column(Text, default="")
    progress: Mapped[float] = mapped_column(default=0.0)
    worker: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)

    user: Mapped[User] = relationship()
    course: Mapped[Course] = relationship()


class UploadRow(Base):
    """What an import would do with one row of a file, as it stood when the file was read.

    ``kind`` says in which list it is, ``place`` where in that list.
    """

    __tablename__ = "upload_rows"
    __table_args__ = (Index("ix_upload_rows_list", "upload_id", "kind", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"))
    kind: Mapped[str]
    place: Mapped[int]
    line: Mapped[int]
    action: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    waiting: Mapped[bool] = mapped_column(default=False)
    problems: Mapped[list[Any]] = mapped_column(JSON, default=list)
    changes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    notes: Mapped[list[Any]] = mapped_column(JSON, default=list)


class KeptRecipe(Base):
    """How the columns of a file were read, for the next one of the course with the same headings."""

    __tablename__ = "kept_recipes"
    __table_args__ = (UniqueConstraint("course_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    digest: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    kept_at: Mapped[datetime] = mapped_column(default=now)


class Run(Base):
    """One request to match, and the proposal it led to.

    ``lease_until`` is pushed on by the worker that executes the run; when it has passed, the
    worker is taken for dead and another may claim the run. What is pinned in the run ``based_on_id``
    is kept. ``part_of_id`` is the run that was published in part when this one was left over, and
    ``course_was`` the state of the course before this one was published.
    ``learnt`` tells what earlier connections taught about the weights (see ``cohorts.learning``).
    A ``rehearsal`` proposes nothing: it only leaves in ``tally`` how many would be unplaced, by reason.
    One of the kind ``rematch`` proposes reseatings, and ``wishes`` says what it may do (see
    ``cohorts.rematches``). It is published from the first of them that is accepted.
    """

    __tablename__ = "runs"
    __table_args__ = (
        # At most one run of a course is under way; two requests at once cannot both win.
        Index(
            "uq_runs_course_id_active",
            "course_id",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running')"),
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index("ix_runs_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    kind: Mapped[RunKind] = mapped_column(
        state_type(RunKind), default=RunKind.MATCH, server_default=RunKind.MATCH.value
    )
    state: Mapped[RunState] = mapped_column(state_type(RunState), default=RunState.QUEUED)
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    wishes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    random_state: Mapped[int] = mapped_column(default=0)
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    based_on_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    part_of_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    course_was: Mapped[CourseState | None] = mapped_column(state_type(CourseState))
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    stage: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    rehearsal: Mapped[bool] = mapped_column(default=False)
    tally: Mapped[list[Any]] = mapped_column(JSON, default=list)
    learnt: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    n_learners: Mapped[int | None]
    n_placed: Mapped[int | None]
    objective: Mapped[float | None]
    bound: Mapped[float | None]
    seconds: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]

    course: Mapped[Course] = relationship()
    cohorts: Mapped[list[Cohort]] = relationship(
        back_populates="run", cascade="all, delete-orphan", order_by="Cohort.position"
    )
    seats: Mapped[list[Seat]] = relationship(back_populates="run", cascade="all, delete-orphan")


class Cohort(Base):
    """A small set of learners with a common meeting; official once its run is published.

    ``meetings`` lists the common blocks, best first, each ``[zone, slot]``: the same wall-clock
    start in that zone in every week of the course. ``channel`` is the address where they talk,
    ``ticks`` what their convenor has seen to. ``set_aside`` names the rules that an organiser let it
    break, and ``pinned`` keeps it as it is in the next run. ``chosen`` is the block ``[zone, slot]`` that an
    organiser wants to be its weekly time before it is published; empty, its members choose. ``parts`` holds
    for each goal what it adds to the score and the most that it could add; None where that is not known.
    """

    __tablename__ = "cohorts"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    score: Mapped[float]
    parts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    meetings: Mapped[list[Any]] = mapped_column(JSON, default=list)
    reasons: Mapped[list[str | Sentence]] = mapped_column(JSON, default=list)
    channel: Mapped[str] = mapped_column(default="")
    ticks: Mapped[list[str]] = mapped_column(default=list)
    set_aside: Mapped[list[str]] = mapped_column(default=list)
    pinned: Mapped[bool] = mapped_column(default=False)
    chosen: Mapped[list[Any]] = mapped_column(JSON, default=list)
    ended_at: Mapped[datetime | None]

    run: Mapped[Run] = relationship(back_populates="cohorts")
    fixed: Mapped[list[FixedMeeting]] = relationship(order_by="FixedMeeting.sequence", lazy="selectin")
    seats: Mapped[list[Seat]] = relationship(back_populates="cohort", order_by="Seat.id")
    memberships: Mapped[list[Membership]] = relationship(back_populates="cohort", order_by="Membership.id")


class Seat(Base):
    """Where a proposal puts a learner; without a cohort they are unplaced, for a reason.

    With ``size_max`` as the largest size there would be a seat for them; ``language`` says that the languages
    they speak keep them out. Who is ``pinned`` stays with the
    others pinned in the same cohort when the course is matched again.
    """

    __tablename__ = "seats"
    __table_args__ = (UniqueConstraint("run_id", "signup_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str | Sentence] = mapped_column(Stored, default="")
    remedy: Mapped[str | Sentence] = mapped_column(Stored, default="")
    size_max: Mapped[int | None]
    language: Mapped[bool] = mapped_column(default=False)
    pinned: Mapped[bool] = mapped_column(default=False)

    run: Mapped[Run] = relationship(back_populates="seats")
    cohort: Mapped[Cohort | None] = relationship(back_populates="seats")
    signup: Mapped[Signup] = relationship()


class Adjustment(Base):
    """One thing that was done to a proposal by hand; ``number`` counts them, and is the board's version.

    Rows are only ever added: undoing or redoing an adjustment is one, too, and ``of_id`` says which it was
    about. Of two people who change a board at once only one can add the next row. ``living`` ones changed
    cohorts that were published already: their members, not the seats of the proposal. ``cohorts`` has the
    figures of every cohort it touched before and after, by id; ``gain`` is what all are worth more.
    """

    __tablename__ = "adjustments"
    __table_args__ = (UniqueConstraint("run_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    number: Mapped[int]
    change: Mapped[Change] = mapped_column(state_type(Change))
    of_id: Mapped[int | None] = mapped_column(ForeignKey("adjustments.id", ondelete="CASCADE"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    living: Mapped[bool] = mapped_column(default=False)
    cohorts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    gain: Mapped[float] = mapped_column(default=0.0)
    because: Mapped[str] = mapped_column(default="")

    by: Mapped[User | None] = relationship()
    of: Mapped[Adjustment | None] = relationship(remote_side=[id])
    seats: Mapped[list[SeatChange]] = relationship(
        cascade="all, delete-orphan", order_by="SeatChange.signup_id"
    )


class SeatChange(Base):
    """What an adjustment did to the seat of one learner."""

    __tablename__ = "seat_changes"

    adjustment_id: Mapped[int] = mapped_column(
        ForeignKey("adjustments.id", ondelete="CASCADE"), primary_key=True
    )
    signup_id: Mapped[int] = mapped_column(
        ForeignKey("signups.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    left_id: Mapped[int | None] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), index=True)
    joined_id: Mapped[int | None] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), index=True)
    was_pinned: Mapped[bool]
    is_pinned: Mapped[bool]

    signup: Mapped[Signup] = relationship()


class Weighing(Base):
    """The question where else in a proposal a learner could sit, and what each change would do.

    The web asks, the worker answers. With ``cohort_id`` it is about that cohort alone, and about changing
    places with each of its members.
    """

    __tablename__ = "weighings"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    version: Mapped[int]
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), index=True)
    asked_at: Mapped[datetime] = mapped_column(default=now)
    weighed_at: Mapped[datetime | None] = mapped_column(index=True)
    effects: Mapped[list[Any]] = mapped_column(JSON, default=list)
    trouble: Mapped[str] = mapped_column(Text, default="")

    run: Mapped[Run] = relationship()
    signup: Mapped[Signup] = relationship()
    cohort: Mapped[Cohort | None] = relationship()


class Membership(Base):
    """A learner was in a cohort from ``since`` to ``until`` (open while it lasts)."""

    __tablename__ = "memberships"
    __table_args__ = (
        # Nobody is in two living cohorts of a course at once.
        Index(
            "uq_memberships_signup_id_open",
            "signup_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        # And nobody ever was: PostgreSQL refuses a history that overlaps (see ``cohorts.history``).
        ExcludeConstraint(
            (text("int4range(signup_id, signup_id, '[]')"), "&&"),
            (text("tstzrange(since, until)"), "&&"),
            name="history",
        ).ddl_if(dialect="postgresql"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"))
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), index=True)
    since: Mapped[datetime] = mapped_column(default=now)
    until: Mapped[datetime | None]
    ended_because: Mapped[str] = mapped_column(default="")

    signup: Mapped[Signup] = relationship()
    cohort: Mapped[Cohort] = relationship(back_populates="memberships")


class CohortChange(Base):
    """What a rematch proposes for one cohort; one that is opened is a cohort only once that is accepted.

    ``into_id`` is what it merges into. ``meetings``, ``reasons``, ``parts`` and ``score_after`` are as they
    will be when all about it is accepted; ``meeting_moves`` says that it then meets at another time. ``was``
    keeps what accepting it wrote over.
    """

    __tablename__ = "cohort_changes"
    __table_args__ = (UniqueConstraint("run_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    number: Mapped[int]
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), index=True)
    into_id: Mapped[int | None] = mapped_column(
        ForeignKey("cohort_changes.id", ondelete="SET NULL"), index=True
    )
    fate: Mapped[Fate] = mapped_column(state_type(Fate))
    name: Mapped[str]
    n_before: Mapped[int] = mapped_column(default=0)
    n_after: Mapped[int] = mapped_column(default=0)
    score_before: Mapped[float | None]
    score_after: Mapped[float | None]
    meetings: Mapped[list[Any]] = mapped_column(JSON, default=list)
    reasons: Mapped[list[str | Sentence]] = mapped_column(JSON, default=list)
    parts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    meeting_moves: Mapped[bool] = mapped_column(default=False)
    was: Mapped[dict[str, Any]] = mapped_column(default=dict)

    cohort: Mapped[Cohort | None] = relationship()
    into: Mapped[CohortChange | None] = relationship(remote_side=[id])


class Reseating(Base):
    """Another seat that a rematch proposes for a learner; those with the same ``bundle`` go together.

    ``left_id`` and ``joined_id`` are the changes of the cohorts concerned, None for no cohort. ``reasons``
    name nobody. ``was_waiting`` says that they got a place in the course along with the seat.
    """

    __tablename__ = "reseatings"
    __table_args__ = (UniqueConstraint("run_id", "signup_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    left_id: Mapped[int | None] = mapped_column(
        ForeignKey("cohort_changes.id", ondelete="CASCADE"), index=True
    )
    joined_id: Mapped[int | None] = mapped_column(
        ForeignKey("cohort_changes.id", ondelete="CASCADE"), index=True
    )
    bundle: Mapped[int]
    cause: Mapped[Cause] = mapped_column(state_type(Cause))
    reasons: Mapped[list[str | Sentence]] = mapped_column(JSON, default=list)
    score_before: Mapped[float | None]
    score_after: Mapped[float | None]
    n_known: Mapped[int] = mapped_column(default=0)
    was_waiting: Mapped[bool] = mapped_column(default=False)
    state: Mapped[Decision] = mapped_column(state_type(Decision), default=Decision.PROPOSED)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)

    run: Mapped[Run] = relationship()
    signup: Mapped[Signup] = relationship()
    left: Mapped[CohortChange | None] = relationship(foreign_keys=[left_id])
    joined: Mapped[CohortChange | None] = relationship(foreign_keys=[joined_id])


class RematchRule(Base):
    """When a course is rematched by itself, and what may then be done without asking.

    Up to ``act_within`` moves of members are carried out at once; None only proposes. ``looked_on`` is the
    last night it was seen to, ``seen`` a digest of who had no cohort or a small one when a rematch was last
    asked for.
    """

    __tablename__ = "rematch_rules"
    __table_args__ = (CheckConstraint("act_within IS NULL OR act_within >= 0", name="act_within"),)

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    trigger: Mapped[RematchWhen] = mapped_column(state_type(RematchWhen), default=RematchWhen.NEVER)
    act_within: Mapped[int | None]
    move_meetings: Mapped[bool] = mapped_column(default=False)
    keep_small: Mapped[bool] = mapped_column(default=True)
    looked_on: Mapped[date | None]
    seen: Mapped[str] = mapped_column(default="")

    course: Mapped[Course] = relationship()


class FixedMeeting(Base):
    """A weekly time that a cohort was given at ``fixed_at``; the one with the highest ``sequence`` holds.

    Of two people who fix a time at once only one can add the next row.
    """

    __tablename__ = "fixed_meetings"
    __table_args__ = (UniqueConstraint("cohort_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    zone: Mapped[str]
    slot: Mapped[int]
    fixed_at: Mapped[datetime] = mapped_column(default=now)
    signup_id: Mapped[int | None] = mapped_column(ForeignKey("signups.id", ondelete="SET NULL"), index=True)

    signup: Mapped[Signup | None] = relationship()


class MeetingVote(Base):
    """A common block that suits a member of a cohort."""

    __tablename__ = "meeting_votes"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"), primary_key=True)
    signup_id: Mapped[int] = mapped_column(
        ForeignKey("signups.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    zone: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)


class Attendance(Base):
    """What is known of one learner and one meeting: what they said before, and whether they were there.

    ``noted_by_id`` is the member who said so afterwards.
    """

    __tablename__ = "attendances"
    __table_args__ = (UniqueConstraint("cohort_id", "starts_at", "signup_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"))
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime]
    answer: Mapped[Answer | None] = mapped_column(state_type(Answer))
    answered_at: Mapped[datetime | None]
    was_there: Mapped[bool | None]
    noted_at: Mapped[datetime | None]
    noted_by_id: Mapped[int | None] = mapped_column(ForeignKey("signups.id", ondelete="SET NULL"), index=True)


class Reminder(Base):
    """That a learner is reminded of a meeting: one row, and so one mail, for each of both."""

    __tablename__ = "reminders"
    __table_args__ = (UniqueConstraint("cohort_id", "starts_at", "signup_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohorts.id", ondelete="CASCADE"))
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime]
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id", ondelete="SET NULL"), index=True)

    mail: Mapped[Mail | None] = relationship()


class CheckIn(Base):
    """What a learner said of one week of the course; every answer may be left out."""

    __tablename__ = "check_ins"
    __table_args__ = (
        UniqueConstraint("signup_id", "week"),
        *(
            CheckConstraint(f"{name} BETWEEN 1 AND 5", name=name)
            for name in ("social", "cognitive", "teaching")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"))
    week: Mapped[int]
    met: Mapped[Met | None] = mapped_column(state_type(Met))
    social: Mapped[int | None]
    cognitive: Mapped[int | None]
    teaching: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Connection(Base):
    """One learner's word about another: that they talked, or want to go on together.

    Whoever was named by an address is kept by it, not by their sign-up: nothing then tells whether
    that address is signed up.
    """

    __tablename__ = "connections"
    __table_args__ = (
        CheckConstraint("(to_id IS NULL) = (to_address <> '')", name="one_addressee"),
        Index("ix_connections_from_id_at", "from_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    to_address: Mapped[str] = mapped_column(default="", index=True)
    source: Mapped[Source] = mapped_column(state_type(Source))
    at: Mapped[datetime] = mapped_column(default=now)

    to: Mapped[Signup | None] = relationship(foreign_keys=[to_id])


class InteractionImport(Base):
    """A file, or a message of a program, that told who had to do with whom; what came of it is counted.

    Who was not known is counted too, and kept in no other way. ``n_erased`` are those interactions that
    went when somebody erased themselves.
    """

    __tablename__ = "interaction_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    source: Mapped[Source] = mapped_column(state_type(Source))
    tool: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    n_kept: Mapped[int] = mapped_column(default=0)
    n_repeated: Mapped[int] = mapped_column(default=0)
    n_unknown: Mapped[int] = mapped_column(default=0)
    n_own: Mapped[int] = mapped_column(default=0)
    n_wrong: Mapped[int] = mapped_column(default=0)
    n_erased: Mapped[int] = mapped_column(default=0)


class Interaction(Base):
    """One learner had to do with another somewhere else: replied, mentioned, reacted.

    The same one is kept once, however often files tell of it.
    """

    __tablename__ = "interactions"
    __table_args__ = (UniqueConstraint("from_id", "to_id", "at", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(
        ForeignKey("interaction_imports.id", ondelete="CASCADE"), index=True
    )
    from_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"))
    to_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(default="")


class ConnectionDenial(Base):
    """A learner says that they are not connected with another; nothing uses that connection any more."""

    __tablename__ = "connection_denials"
    __table_args__ = (UniqueConstraint("signup_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)

    other: Mapped[Signup] = relationship(foreign_keys=[other_id])


class TieStudy(Base):
    """The question what predicts connections in a course, and the worker's answer.

    ``powers`` are as ``cohorts.predictors`` reads them; ``n_ties`` are the connections they were told from.
    """

    __tablename__ = "tie_studies"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None] = mapped_column(index=True)
    n_ties: Mapped[int] = mapped_column(default=0)
    powers: Mapped[list[Any]] = mapped_column(JSON, default=list)
    trouble: Mapped[str] = mapped_column(Text, default="")


class ErasedTies(Base):
    """How many connections, first seen in one week, went when somebody erased themselves.

    ``week`` is its Monday; ``across`` says whether they were between two cohorts, None if not both were
    in one.
    """

    __tablename__ = "erased_ties"

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    week: Mapped[date]
    across: Mapped[bool | None]
    n: Mapped[int]


class HelpRequest(Base):
    """A learner's words to the organisers of their course; ``answered_at`` closes it."""

    __tablename__ = "help_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]

    signup: Mapped[Signup] = relationship()


class PersonBlock(Base):
    """Somebody a learner does not want to be with; nobody else ever sees it.

    The other is known by the digest of their address, so that the block outlives their sign-up;
    ``label`` is how the learner knows them, and empty once they have erased what is known of them.
    """

    __tablename__ = "person_blocks"
    __table_args__ = (UniqueConstraint("signup_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    signup_id: Mapped[int] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(index=True)
    label: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)


class Departure(Base):
    """Somebody left a cohort or the course; after an erasure the reason remains, without the person."""

    __tablename__ = "departures"

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    signup_id: Mapped[int | None] = mapped_column(ForeignKey("signups.id", ondelete="SET NULL"), index=True)
    whole_course: Mapped[bool]
    because: Mapped[Leaving | None] = mapped_column(state_type(Leaving))
    words: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(default=now)


class Erasure(Base):
    """That a sign-up was erased, by the key it had, so that it is erased again when a backup is put back."""

    __tablename__ = "erasures"

    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class WorkerBeat(Base):
    """When a worker was last known to be alive."""

    __tablename__ = "worker_beats"

    worker: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


class Mail(Base):
    """An outbox row: the kind of a mail and its addressee.

    It is put into words only when it is sent, so that an erasure reaches it and no link lies in
    the database. ``course_id`` is the course it is about where the addressee does not tell, ``run_id`` the
    run whose publication it tells of, ``adjustment_id`` the change by hand.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_state_not_before", "state", "not_before"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    kind: Mapped[str]
    signup_id: Mapped[int | None] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(
        ForeignKey("invitations.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    adjustment_id: Mapped[int | None] = mapped_column(
        ForeignKey("adjustments.id", ondelete="SET NULL"), index=True
    )
    state: Mapped[MailState] = mapped_column(state_type(MailState), default=MailState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(default=now)
    last_error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]

    signup: Mapped[Signup | None] = relationship()
    user: Mapped[User | None] = relationship()
    course: Mapped[Course | None] = relationship()
    invitation: Mapped[Invitation | None] = relationship()
    message: Mapped[Message | None] = relationship()


class ExportPreset(Base):
    """A way to export the rosters of a course that somebody will want again, under a name."""

    __tablename__ = "export_presets"
    __table_args__ = (UniqueConstraint("course_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    name: Mapped[str]
    format: Mapped[str]
    choice: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ApiToken(Base):
    """What a program shows to act for a user; only its digest is kept.

    ``minute`` and ``uses`` count the requests of the minute that began last.
    """

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=new_key)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    minute: Mapped[int] = mapped_column(default=0)
    uses: Mapped[int] = mapped_column(default=0)
