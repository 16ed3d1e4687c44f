"""What tells of connections: imported interactions, denials, how fast they fade, and counts that stay.

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("interaction_imports", "interactions", "connection_denials", "erased_ties")


def reference(column: str, table: str, ondelete: str, of: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{of}_{column}_{table}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "interaction_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.Column(f"n_{name}", sa.Integer(), nullable=False)
            for name in ("kept", "repeated", "unknown", "own", "wrong", "erased")
        ),
        reference("course_id", "courses", "CASCADE", "interaction_imports"),
        reference("user_id", "users", "SET NULL", "interaction_imports"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interaction_imports")),
        sa.UniqueConstraint("key", name=op.f("uq_interaction_imports_key")),
    )
    op.create_index(op.f("ix_interaction_imports_course_id"), "interaction_imports", ["course_id"])
    op.create_index(op.f("ix_interaction_imports_user_id"), "interaction_imports", ["user_id"])
    op.create_table(
        "interactions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        reference("import_id", "interaction_imports", "CASCADE", "interactions"),
        reference("from_id", "signups", "CASCADE", "interactions"),
        reference("to_id", "signups", "CASCADE", "interactions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions")),
        sa.UniqueConstraint(
            "from_id", "to_id", "at", "kind", name=op.f("uq_interactions_from_id_to_id_at_kind")
        ),
    )
    op.create_index(op.f("ix_interactions_import_id"), "interactions", ["import_id"])
    op.create_index(op.f("ix_interactions_to_id"), "interactions", ["to_id"])
    op.create_table(
        "connection_denials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("signup_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        reference("signup_id", "signups", "CASCADE", "connection_denials"),
        reference("other_id", "signups", "CASCADE", "connection_denials"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_denials")),
        sa.UniqueConstraint("signup_id", "other_id", name=op.f("uq_connection_denials_signup_id_other_id")),
    )
    op.create_index(op.f("ix_connection_denials_other_id"), "connection_denials", ["other_id"])
    op.create_table(
        "erased_ties",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("across", sa.Boolean(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        reference("course_id", "courses", "CASCADE", "erased_ties"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erased_ties")),
    )
    op.create_index(op.f("ix_erased_ties_course_id"), "erased_ties", ["course_id"])
    op.add_column("courses", sa.Column("half_life_days", sa.Integer(), nullable=False, server_default="28"))
    with op.batch_alter_table("courses") as courses:
        courses.create_check_constraint(op.f("ck_courses_half_life"), "half_life_days BETWEEN 1 AND 365")


def downgrade() -> None:
    with op.batch_alter_table("courses") as courses:
        courses.drop_constraint(op.f("ck_courses_half_life"), type_="check")
        courses.drop_column("half_life_days")
    for table in reversed(TABLES):
        op.drop_table(table)
