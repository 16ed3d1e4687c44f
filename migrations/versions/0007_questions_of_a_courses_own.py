"""Questions that a course has thought of itself, and what of each answer a cohort sees.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SEEN_SO_FAR = '["interests", "goal", "can_help_with", "convenor"]'

QUESTION = (
    ("kind", sa.String(20), None),
    ("label", sa.String(), ""),
    ("help", sa.String(), ""),
    ("options", sa.JSON(), "[]"),
    ("points", sa.Integer(), "5"),
    ("counts", sa.String(20), None),
    ("may_mind", sa.Boolean(), sa.false()),
)
SIGNUP = (
    ("custom", sa.JSON(), "{}"),
    ("not_alone", sa.JSON(), "[]"),
    ("shown", sa.JSON(), SEEN_SO_FAR),
)
"""Each column's name, its type, and what the rows before get; those with nothing may stay empty."""


def upgrade() -> None:
    for name, columns in (("course_questions", QUESTION), ("signups", SIGNUP)):
        with op.batch_alter_table(name) as table:
            for column, kind, before in columns:
                table.add_column(sa.Column(column, kind, nullable=before is None, server_default=before))
        with op.batch_alter_table(name) as table:
            for column, _kind, before in columns:
                if before is not None:
                    table.alter_column(column, server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM course_questions WHERE kind IS NOT NULL")
    for name, columns in (("signups", SIGNUP), ("course_questions", QUESTION)):
        with op.batch_alter_table(name) as table:
            for column, _kind, _before in columns:
                table.drop_column(column)
