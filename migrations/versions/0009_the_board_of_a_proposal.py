"""The board of a proposal: pins, changes that can be undone, what they would do; publishing in part.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

REFERENCES = (("runs", "based_on_id"), ("runs", "part_of_id"), ("outbox", "run_id"))
"""Columns that name a run."""

TABLES = ("adjustments", "seat_changes", "weighings")


def reference(column: str, table: str, ondelete: str, of: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{of}_{column}_{table}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=ondelete)


def indexed(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def upgrade() -> None:
    for name, column in REFERENCES:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column(column, sa.Integer(), nullable=True))
            table.create_foreign_key(
                op.f(f"fk_{name}_{column}_runs"), "runs", [column], ["id"], ondelete="SET NULL"
            )
            table.create_index(op.f(f"ix_{name}_{column}"), [column])
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("course_was", sa.String(20), nullable=True))
    with op.batch_alter_table("cohorts") as table:
        table.add_column(sa.Column("set_aside", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("seats") as table:
        table.add_column(sa.Column("size_max", sa.Integer(), nullable=True))
        table.add_column(sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, columns in (("cohorts", ("set_aside", "pinned")), ("seats", ("pinned",))):
        with op.batch_alter_table(name) as table:
            for column in columns:
                table.alter_column(column, server_default=None)
    op.create_table(
        "adjustments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(20), nullable=False),
        sa.Column("of_id", sa.Integer(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cohorts", sa.JSON(), nullable=False),
        sa.Column("gain", sa.Double(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        reference("run_id", "runs", "CASCADE", "adjustments"),
        reference("of_id", "adjustments", "CASCADE", "adjustments"),
        reference("by_id", "users", "SET NULL", "adjustments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustments")),
        sa.UniqueConstraint("run_id", "number", name=op.f("uq_adjustments_run_id_number")),
    )
    indexed("adjustments", "of_id", "by_id")
    op.create_table(
        "seat_changes",
        sa.Column("adjustment_id", sa.Integer(), nullable=False),
        sa.Column("signup_id", sa.Integer(), nullable=False),
        sa.Column("left_id", sa.Integer(), nullable=True),
        sa.Column("joined_id", sa.Integer(), nullable=True),
        sa.Column("was_pinned", sa.Boolean(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        reference("adjustment_id", "adjustments", "CASCADE", "seat_changes"),
        reference("signup_id", "signups", "CASCADE", "seat_changes"),
        reference("left_id", "cohorts", "CASCADE", "seat_changes"),
        reference("joined_id", "cohorts", "CASCADE", "seat_changes"),
        sa.PrimaryKeyConstraint("adjustment_id", "signup_id", name=op.f("pk_seat_changes")),
    )
    indexed("seat_changes", "signup_id", "left_id", "joined_id")
    op.create_table(
        "weighings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signup_id", sa.Integer(), nullable=False),
        sa.Column("cohort_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("weighed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effects", sa.JSON(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        reference("run_id", "runs", "CASCADE", "weighings"),
        reference("signup_id", "signups", "CASCADE", "weighings"),
        reference("cohort_id", "cohorts", "CASCADE", "weighings"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weighings")),
        sa.UniqueConstraint("key", name=op.f("uq_weighings_key")),
    )
    indexed("weighings", "run_id", "signup_id", "cohort_id", "weighed_at")


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
    with op.batch_alter_table("seats") as table:
        table.drop_column("pinned")
        table.drop_column("size_max")
    with op.batch_alter_table("cohorts") as table:
        table.drop_column("pinned")
        table.drop_column("set_aside")
    with op.batch_alter_table("runs") as table:
        table.drop_column("course_was")
    for name, column in reversed(REFERENCES):
        with op.batch_alter_table(name) as table:
            table.drop_index(op.f(f"ix_{name}_{column}"))
            table.drop_constraint(op.f(f"fk_{name}_{column}_runs"), type_="foreignkey")
            table.drop_column(column)
