"""How the columns of a file are read: chosen for one that waits, and kept for the next like it.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("uploads") as table:
        table.add_column(sa.Column("recipe", sa.JSON(), nullable=True))
    op.create_table(
        "kept_recipes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_kept_recipes_course_id_courses"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_recipes")),
        sa.UniqueConstraint("course_id", "digest", name=op.f("uq_kept_recipes_course_id_digest")),
    )


def downgrade() -> None:
    op.drop_table("kept_recipes")
    with op.batch_alter_table("uploads") as table:
        table.drop_column("recipe")
