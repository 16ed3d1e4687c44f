"""Half hours that would do if nothing else fits, beside those in which a learner is free.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NONE = "0" * 84


def upgrade() -> None:
    with op.batch_alter_table("signups") as table:
        table.add_column(sa.Column("if_needed", sa.String(84), nullable=False, server_default=NONE))
    with op.batch_alter_table("signups") as table:
        table.alter_column("if_needed", existing_type=sa.String(84), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("signups") as table:
        table.drop_column("if_needed")
