"""Calls that people made, counted apart

Revision: 0011
After: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('spending', sa.Column('by_people', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    op.drop_column('spending', 'by_people')
