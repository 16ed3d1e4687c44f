"""Check-ins, connections, help requests, blocks of people, departures, pauses, being findable, old enough.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("check_ins", "connections", "help_requests", "person_blocks", "departures")


def reference(column: str, table: str, ondelete: str, of: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{of}_{column}_{table}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=ondelete)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "check_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("signup_id", sa.Integer(), nullable=False),
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("met", sa.String(20), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("social", "cognitive", "teaching")),
        moment("created_at"),
        moment("updated_at"),
        *(
            sa.CheckConstraint(f"{name} BETWEEN 1 AND 5", name=op.f(f"ck_check_ins_{name}"))
            for name in ("social", "cognitive", "teaching")
        ),
        reference("signup_id", "signups", "CASCADE", "check_ins"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_ins")),
        sa.UniqueConstraint("signup_id", "week", name=op.f("uq_check_ins_signup_id_week")),
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=True),
        sa.Column("to_address", sa.String(), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        moment("at"),
        sa.CheckConstraint("(to_id IS NULL) = (to_address <> '')", name=op.f("ck_connections_one_addressee")),
        reference("course_id", "courses", "CASCADE", "connections"),
        reference("from_id", "signups", "CASCADE", "connections"),
        reference("to_id", "signups", "CASCADE", "connections"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
    )
    op.create_index(op.f("ix_connections_course_id"), "connections", ["course_id"])
    op.create_index("ix_connections_from_id_at", "connections", ["from_id", "at"])
    op.create_index(op.f("ix_connections_to_id"), "connections", ["to_id"])
    op.create_index(op.f("ix_connections_to_address"), "connections", ["to_address"])
    op.create_table(
        "help_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("signup_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        moment("at"),
        moment("answered_at", nullable=True),
        reference("signup_id", "signups", "CASCADE", "help_requests"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_requests")),
        sa.UniqueConstraint("key", name=op.f("uq_help_requests_key")),
    )
    op.create_index(op.f("ix_help_requests_signup_id"), "help_requests", ["signup_id"])
    op.create_table(
        "person_blocks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("signup_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        moment("at"),
        reference("signup_id", "signups", "CASCADE", "person_blocks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_blocks")),
        sa.UniqueConstraint("key", name=op.f("uq_person_blocks_key")),
        sa.UniqueConstraint("signup_id", "digest", name=op.f("uq_person_blocks_signup_id_digest")),
    )
    op.create_index(op.f("ix_person_blocks_digest"), "person_blocks", ["digest"])
    op.create_table(
        "departures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("signup_id", sa.Integer(), nullable=True),
        sa.Column("whole_course", sa.Boolean(), nullable=False),
        sa.Column("because", sa.String(20), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        moment("at"),
        reference("course_id", "courses", "CASCADE", "departures"),
        reference("signup_id", "signups", "SET NULL", "departures"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departures")),
    )
    op.create_index(op.f("ix_departures_course_id"), "departures", ["course_id"])
    op.create_index(op.f("ix_departures_signup_id"), "departures", ["signup_id"])
    op.add_column("signups", sa.Column("paused_until", sa.Date(), nullable=True))
    op.add_column("signups", sa.Column("findable", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("signups") as signups:
        for column in ("findable", "paused_until"):
            signups.drop_column(column)
    for table in reversed(TABLES):
        op.drop_table(table)
