"""What is known of a sender's habits, the maps of its codes and units, and the codes that nobody has mapped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    pass
