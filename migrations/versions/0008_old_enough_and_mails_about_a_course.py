"""Which age a learner said they have reached, and mails that are about another course than their addressee's.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ADDED = (
    ("courses", "asks_age", sa.Boolean(), sa.false()),
    ("course_organisers", "stopped_mails", sa.JSON(), "[]"),
    ("signups", "of_age", sa.Integer(), None),
    ("signups", "of_age_at", sa.DateTime(timezone=True), None),
)
"""Table, column, type, and what the rows before get: no course asks the age until its organiser says so."""

COURSE = "fk_outbox_course_id_courses"


def upgrade() -> None:
    for name, column, kind, before in ADDED:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column(column, kind, nullable=before is None, server_default=before))
        if before is not None:
            with op.batch_alter_table(name) as table:
                table.alter_column(column, server_default=None)
    with op.batch_alter_table("outbox") as table:
        table.add_column(sa.Column("course_id", sa.Integer(), nullable=True))
        table.create_foreign_key(COURSE, "courses", ["course_id"], ["id"], ondelete="CASCADE")
        table.create_index(op.f("ix_outbox_course_id"), ["course_id"])


def downgrade() -> None:
    with op.batch_alter_table("outbox") as table:
        table.drop_index(op.f("ix_outbox_course_id"))
        table.drop_constraint(COURSE, type_="foreignkey")
        table.drop_column("course_id")
    for name, column, _kind, _before in reversed(ADDED):
        with op.batch_alter_table(name) as table:
            table.drop_column(column)
