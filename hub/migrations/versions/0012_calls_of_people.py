"""Calls that people made, counted apart

Revision: 0012
After: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('spending', sa.Column('by_people', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    op.drop_column('spending', 'by_people')
