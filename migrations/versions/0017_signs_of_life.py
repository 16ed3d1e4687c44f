"""Signs of life, and a history of memberships that cannot overlap.

Revision: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COUNTS = ("nudge_after", "remove_after")
MOMENTS = ("seen_at", "nudged_at", "removed_at", "bounced_at")
SHORTEN = """
    UPDATE memberships SET until = next.since
    FROM (SELECT id, lead(since) OVER (PARTITION BY signup_id ORDER BY since, id) AS since FROM memberships)
    AS next
    WHERE next.id = memberships.id AND next.since IS NOT NULL
    AND (memberships.until IS NULL OR memberships.until > next.since)
"""
"""Whoever came somewhere else had left by then, whatever the clocks of two machines said."""
EXCLUDE = """
    ALTER TABLE memberships ADD CONSTRAINT history EXCLUDE USING gist
    (int4range(signup_id, signup_id, '[]') WITH &&, tstzrange(since, until) WITH &&)
"""


def upgrade() -> None:
    op.create_table(
        "presences",
        sa.Column("signup_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in MOMENTS),
        sa.ForeignKeyConstraint(
            ["signup_id"], ["signups.id"], name=op.f("fk_presences_signup_id_signups"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("signup_id", name=op.f("pk_presences")),
    )
    for name in COUNTS:
        op.add_column("courses", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE memberships SET until = since WHERE until < since")
    op.execute(SHORTEN)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(EXCLUDE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE memberships DROP CONSTRAINT history")
    with op.batch_alter_table("courses") as courses:
        for name in COUNTS:
            courses.drop_column(name)
    op.drop_table("presences")
