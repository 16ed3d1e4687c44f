"""A file is read once, by the worker if it is large; what was found is kept for its pages.

Revision: 0020
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TEXTS = {"book": sa.String(), "sheet": sa.String(), "worker": sa.String(), "trouble": sa.Text()}
_OTHERS: dict[str, tuple[sa.types.TypeEngine[Any], Any]] = {
    "stage": (sa.String(20), "unread"),
    "leave_out": (sa.Boolean(), sa.false()),
    "progress": (sa.Double(), "0"),
    "attempts": (sa.Integer(), "0"),
}
_ALL: dict[str, tuple[sa.types.TypeEngine[Any], Any]] = {
    **{name: (kind, "") for name, kind in _TEXTS.items()},
    **_OTHERS,
}


def upgrade() -> None:
    with op.batch_alter_table("uploads") as table:
        for name, (kind, default) in _ALL.items():
            table.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        table.add_column(sa.Column("reading", sa.JSON(), nullable=True))
        table.add_column(sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE uploads SET book = key")
    with op.batch_alter_table("uploads") as table:
        for name, (kind, _default) in _ALL.items():
            table.alter_column(name, existing_type=kind, server_default=None)
        table.create_index(op.f("ix_uploads_book"), ["book"])
    op.create_table(
        "upload_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_upload_rows_upload_id_uploads"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_rows")),
    )
    op.create_index("ix_upload_rows_list", "upload_rows", ["upload_id", "kind", "place"])


def downgrade() -> None:
    op.drop_table("upload_rows")
    with op.batch_alter_table("uploads") as table:
        table.drop_index(op.f("ix_uploads_book"))
        for name in (*_ALL, "reading", "lease_until"):
            table.drop_column(name)
