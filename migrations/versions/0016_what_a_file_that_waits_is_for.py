"""What a file that waits is to be imported as.

Revision: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("uploads", sa.Column("purpose", sa.String(20), nullable=False, server_default="sign-ups"))


def downgrade() -> None:
    with op.batch_alter_table("uploads") as uploads:
        uploads.drop_column("purpose")
