"""The language people are spoken to in: a locale for each sign-up and user, empty where nobody said.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("signups", "users"):
        op.add_column(table, sa.Column("locale", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("signups", "users"):
        op.drop_column(table, "locale")
