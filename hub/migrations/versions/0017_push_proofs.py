"""A signature of a push that covers no content is good for one content

Revision: 0017
After: 0016
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('pushproof',
    sa.Column('id', BIG, nullable=False),
    sa.Column('proof', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('content', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('seen_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('proof')
    )
    op.create_index('ix_pushproof_seen_at', 'pushproof', ['seen_at'], unique=False)


def downgrade() -> None:
    op.drop_table('pushproof')
