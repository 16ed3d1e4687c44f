"""Roles of organisers, invitations, the audit log, letters to learners, and matches that only rehearse.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def key_of(table: str, of: str, column: str, *, kept: bool = False, optional: bool = True) -> sa.Column[int]:
    """Return a column that names a row of ``table``; ``kept`` rows outlive it."""
    return sa.Column(
        column,
        sa.Integer(),
        sa.ForeignKey(
            f"{table}.id",
            name=op.f(f"fk_{of}_{column}_{table}"),
            ondelete="SET NULL" if kept else "CASCADE",
        ),
        nullable=optional,
    )


def moment(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def upgrade() -> None:
    with op.batch_alter_table("course_organisers") as table:
        table.add_column(sa.Column("role", sa.String(20), nullable=False, server_default="owner"))
    with op.batch_alter_table("course_organisers") as table:
        table.alter_column("role", server_default=None)
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("rehearsal", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("tally", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("runs") as table:
        table.alter_column("rehearsal", server_default=None)
        table.alter_column("tally", server_default=None)
    op.create_table(
        "facilitated_cohorts",
        key_of("users", "facilitated_cohorts", "user_id", optional=False),
        key_of("cohorts", "facilitated_cohorts", "cohort_id", optional=False),
        sa.PrimaryKeyConstraint("user_id", "cohort_id", name=op.f("pk_facilitated_cohorts")),
    )
    op.create_index(op.f("ix_facilitated_cohorts_cohort_id"), "facilitated_cohorts", ["cohort_id"])
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer(), nullable=False),
        text("key"),
        key_of("courses", "invitations", "course_id", optional=False),
        text("email"),
        text("role", 20),
        sa.Column("cohorts", sa.JSON(), nullable=False),
        text("locale"),
        key_of("users", "invitations", "invited_by_id", kept=True),
        moment("created_at"),
        moment("expires_at"),
        moment("accepted_at", optional=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("key", name=op.f("uq_invitations_key")),
    )
    op.create_index(op.f("ix_invitations_course_id"), "invitations", ["course_id"])
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), nullable=False),
        key_of("courses", "audit_log", "course_id", optional=False),
        key_of("users", "audit_log", "user_id", kept=True),
        moment("at"),
        text("action"),
        text("subject"),
        text("detail"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_course_id"), "audit_log", ["course_id"])
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        text("key"),
        key_of("courses", "messages", "course_id", optional=False),
        key_of("users", "messages", "author_id", kept=True),
        text("audience", 20),
        key_of("cohorts", "messages", "cohort_id"),
        text("subject"),
        sa.Column("text", sa.Text(), nullable=False),
        moment("created_at"),
        moment("sent_at", optional=True),
        sa.Column("n_sent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
    )
    op.create_index(op.f("ix_messages_course_id"), "messages", ["course_id"])
    with op.batch_alter_table("outbox") as table:
        table.add_column(key_of("invitations", "outbox", "invitation_id"))
        table.add_column(key_of("messages", "outbox", "message_id"))
    op.create_index(op.f("ix_outbox_invitation_id"), "outbox", ["invitation_id"])
    op.create_index(op.f("ix_outbox_message_id"), "outbox", ["message_id"])


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE invitation_id IS NOT NULL OR message_id IS NOT NULL")
    op.execute("DELETE FROM runs WHERE rehearsal")
    op.execute("DELETE FROM course_organisers WHERE role NOT IN ('owner', 'organiser')")
    for column in ("invitation_id", "message_id"):
        op.drop_index(op.f(f"ix_outbox_{column}"), "outbox")
    with op.batch_alter_table("outbox") as table:
        table.drop_column("invitation_id")
        table.drop_column("message_id")
    for name in ("messages", "audit_log", "invitations", "facilitated_cohorts"):
        op.drop_table(name)
    with op.batch_alter_table("runs") as table:
        table.drop_column("rehearsal")
        table.drop_column("tally")
    with op.batch_alter_table("course_organisers") as table:
        table.drop_column("role")
