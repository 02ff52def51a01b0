"""Which studies wait to be read, newest first. Of those that came before: read where a final report speaks of them."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = "0090"

_LISTED = ["observed_at", "id", "modalities", "organization_id"]
_ELSEWHERE = """UPDATE study SET read_at = received_at WHERE report_id IN
  (SELECT id FROM report WHERE category <> 'imaging')"""
_FINAL = """SELECT s.id, v.document FROM study s
  JOIN report r ON r.study_instance_uid = s.study_instance_uid
  JOIN report_version v ON v.report_id = r.id AND v.version = r.version
  WHERE r.category = 'imaging' AND r.status IN ('final', 'amended', 'corrected')"""


def upgrade() -> None:
    op.add_column("study", sa.Column("read_at", sa.BigInteger(), nullable=True))
    op.execute(_ELSEWHERE)
    _settle_read()
    op.create_index("ix_study_observed_at", "study", _LISTED, unique=False)
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_study_unread", "study", _LISTED, unique=False, sqlite_where=unread, postgresql_where=unread)


def _settle_read() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text(_FINAL))
    # Dose and measurements stand beside a reading and are none.
    read = {row[0] for row in rows if "supplement" not in json.loads(bytes(row[1])).get("flags", ())}
    if read:
        update = sa.text("UPDATE study SET read_at = received_at WHERE id = :id")
        connection.execute(update, [{"id": study_id} for study_id in sorted(read)])
