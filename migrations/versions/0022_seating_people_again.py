"""Runs that rematch: what they propose for cohorts and learners, and when a course does so by itself.

Revision: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
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


def number(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=optional)


def share(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=True)


def upgrade() -> None:
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("kind", sa.String(20), nullable=False, server_default="match"))
        table.add_column(sa.Column("wishes", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("signups") as table:
        table.add_column(sa.Column("wants_another_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "cohort_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        key_of("runs", "cohort_changes", "run_id", optional=False),
        number("number"),
        key_of("cohorts", "cohort_changes", "cohort_id"),
        key_of("cohort_changes", "cohort_changes", "into_id", kept=True),
        sa.Column("fate", sa.String(20), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        number("n_before"),
        number("n_after"),
        share("score_before"),
        share("score_after"),
        sa.Column("meetings", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=True),
        sa.Column("meeting_moves", sa.Boolean(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohort_changes")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_cohort_changes_run_id_number")),
    )
    op.create_index(op.f("ix_cohort_changes_cohort_id"), "cohort_changes", ["cohort_id"])
    op.create_index(op.f("ix_cohort_changes_into_id"), "cohort_changes", ["into_id"])
    op.create_table(
        "reseatings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        key_of("runs", "reseatings", "run_id", optional=False),
        key_of("signups", "reseatings", "signup_id", optional=False),
        key_of("cohort_changes", "reseatings", "left_id"),
        key_of("cohort_changes", "reseatings", "joined_id"),
        number("bundle"),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        share("score_before"),
        share("score_after"),
        number("n_known"),
        sa.Column("was_waiting", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        key_of("users", "reseatings", "decided_by_id", kept=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reseatings")),
        sa.UniqueConstraint("key", name=op.f("uq_reseatings_key")),
        sa.UniqueConstraint("run_id", "signup_id", name=op.f("uq_reseatings_run_id_signup_id")),
    )
    for column in ("signup_id", "left_id", "joined_id", "decided_by_id"):
        op.create_index(op.f(f"ix_reseatings_{column}"), "reseatings", [column])
    op.create_table(
        "rematch_rules",
        key_of("courses", "rematch_rules", "course_id", optional=False),
        sa.Column("trigger", sa.String(20), nullable=False),
        number("act_within", optional=True),
        sa.Column("move_meetings", sa.Boolean(), nullable=False),
        sa.Column("keep_small", sa.Boolean(), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=True),
        sa.Column("seen", sa.String(), nullable=False),
        sa.CheckConstraint("act_within IS NULL OR act_within >= 0", name=op.f("ck_rematch_rules_act_within")),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_rematch_rules")),
    )


def downgrade() -> None:
    for table in ("rematch_rules", "reseatings", "cohort_changes"):
        op.drop_table(table)
    with op.batch_alter_table("signups") as signups:
        signups.drop_column("wants_another_at")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("wishes")
        runs.drop_column("kind")
