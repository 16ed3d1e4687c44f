"""Meetings that are chosen on the board of a proposal, and whom languages keep out.

Revision: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cohorts") as table:
        table.add_column(sa.Column("chosen", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("seats") as table:
        table.add_column(sa.Column("language", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("seats") as table:
        table.drop_column("language")
    with op.batch_alter_table("cohorts") as table:
        table.drop_column("chosen")
