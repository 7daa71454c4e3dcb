"""Kept pictures know since when, so that a rule of retention may clear them

Revision: 0016
After: 0015
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('outsidepicture', sa.Column('since', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))


def downgrade() -> None:
    """What was cleared can be asked for again as if it had been given up."""
    op.execute("UPDATE outsidepicture SET state = 'given_up' WHERE state = 'cleared'")
    op.drop_column('outsidepicture', 'since')
