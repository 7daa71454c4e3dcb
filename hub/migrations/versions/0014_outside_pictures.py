"""Pictures that items only point to, to be fetched and kept; messages found by their arrival

Revision: 0014
After: 0013
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('outsidepicture',
    sa.Column('id', BIG, nullable=False),
    sa.Column('arrival_id', BIG, nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'kept', 'given_up', name='picturestate', native_enum=False, length=32),
              nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('error', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['arrival_id'], ['arrival.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('arrival_id', 'number')
    )
    with op.batch_alter_table('outsidepicture', schema=None) as batch_op:
        batch_op.create_index('ix_outsidepicture_due', ['due_at', 'id'], unique=False,
                              sqlite_where=sa.text('due_at IS NOT NULL'),
                              postgresql_where=sa.text('due_at IS NOT NULL'))
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index('ix_message_arrival', ['arrival_id'], unique=False)


def downgrade() -> None:
    """What was kept goes on being kept with the files of its item."""
    op.drop_index('ix_message_arrival', table_name='message')
    op.drop_table('outsidepicture')
