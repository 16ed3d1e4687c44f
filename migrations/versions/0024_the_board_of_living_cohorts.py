"""Changes by hand of cohorts that are published, and the mails that tell of them.

Revision: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("adjustments") as table:
        table.add_column(sa.Column("living", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("outbox") as table:
        table.add_column(sa.Column("adjustment_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_outbox_adjustment_id_adjustments"),
            "adjustments",
            ["adjustment_id"],
            ["id"],
            ondelete="SET NULL",
        )
        table.create_index(op.f("ix_outbox_adjustment_id"), ["adjustment_id"])


def downgrade() -> None:
    with op.batch_alter_table("outbox") as table:
        table.drop_index(op.f("ix_outbox_adjustment_id"))
        table.drop_constraint(op.f("fk_outbox_adjustment_id_adjustments"), type_="foreignkey")
        table.drop_column("adjustment_id")
    with op.batch_alter_table("adjustments") as table:
        table.drop_column("living")
