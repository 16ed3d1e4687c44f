"""Meetings that are chosen: votes, fixed times, reminders, attendance, a channel and a calendar address.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def reference(
    table: str, column: str, to: str, *, optional: bool = False
) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    """Return a column and the constraint that it names a row of another table."""
    return (
        sa.Column(column, sa.Integer(), nullable=optional),
        sa.ForeignKeyConstraint(
            [column],
            [f"{to}.id"],
            name=op.f(f"fk_{table}_{column}_{to}"),
            ondelete="SET NULL" if optional else "CASCADE",
        ),
    )


def upgrade() -> None:
    with op.batch_alter_table("signups", schema=None) as batch_op:
        batch_op.add_column(sa.Column("calendar_version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("cohorts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("ticks", sa.JSON(), nullable=False, server_default="[]"))
    # The defaults were for the rows that are there; the program gives its own.
    with op.batch_alter_table("signups", schema=None) as batch_op:
        batch_op.alter_column("calendar_version", server_default=None)
    with op.batch_alter_table("cohorts", schema=None) as batch_op:
        batch_op.alter_column("channel", server_default=None)
        batch_op.alter_column("ticks", server_default=None)
    op.create_table(
        "fixed_meetings",
        sa.Column("id", sa.Integer(), nullable=False),
        *reference("fixed_meetings", "cohort_id", "cohorts"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=False),
        *reference("fixed_meetings", "signup_id", "signups", optional=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixed_meetings")),
        sa.UniqueConstraint("cohort_id", "sequence", name=op.f("uq_fixed_meetings_cohort_id_sequence")),
    )
    op.create_index(op.f("ix_fixed_meetings_signup_id"), "fixed_meetings", ["signup_id"])
    op.create_table(
        "meeting_votes",
        *reference("meeting_votes", "cohort_id", "cohorts"),
        *reference("meeting_votes", "signup_id", "signups"),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("cohort_id", "signup_id", "zone", "slot", name=op.f("pk_meeting_votes")),
    )
    op.create_index(op.f("ix_meeting_votes_signup_id"), "meeting_votes", ["signup_id"])
    op.create_table(
        "attendances",
        sa.Column("id", sa.Integer(), nullable=False),
        *reference("attendances", "cohort_id", "cohorts"),
        *reference("attendances", "signup_id", "signups"),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(20), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("was_there", sa.Boolean(), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True),
        *reference("attendances", "noted_by_id", "signups", optional=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendances")),
        sa.UniqueConstraint(
            "cohort_id",
            "starts_at",
            "signup_id",
            name=op.f("uq_attendances_cohort_id_starts_at_signup_id"),
        ),
    )
    op.create_index(op.f("ix_attendances_signup_id"), "attendances", ["signup_id"])
    op.create_index(op.f("ix_attendances_noted_by_id"), "attendances", ["noted_by_id"])
    op.create_table(
        "reminders",
        sa.Column("id", sa.Integer(), nullable=False),
        *reference("reminders", "cohort_id", "cohorts"),
        *reference("reminders", "signup_id", "signups"),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        *reference("reminders", "mail_id", "outbox", optional=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        sa.UniqueConstraint(
            "cohort_id", "starts_at", "signup_id", name=op.f("uq_reminders_cohort_id_starts_at_signup_id")
        ),
    )
    op.create_index(op.f("ix_reminders_signup_id"), "reminders", ["signup_id"])
    op.create_index(op.f("ix_reminders_mail_id"), "reminders", ["mail_id"])


def downgrade() -> None:
    for table in ("reminders", "attendances", "meeting_votes", "fixed_meetings"):
        op.drop_table(table)
    with op.batch_alter_table("cohorts", schema=None) as batch_op:
        batch_op.drop_column("ticks")
        batch_op.drop_column("channel")
    with op.batch_alter_table("signups", schema=None) as batch_op:
        batch_op.drop_column("calendar_version")
