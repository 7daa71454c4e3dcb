"""Letters written on our own page

Revision: 0009
After: 0008
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table('letter',
    sa.Column('id', BIG, nullable=False),
    sa.Column('account_id', BIG, nullable=False),
    sa.Column('external_id', TEXT(length=64), nullable=False),
    sa.Column('ticket', TEXT(length=64), nullable=False),
    sa.Column('code', TEXT(length=64), nullable=True),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('sender', TEXT(length=64), nullable=False),
    sa.Column('first_id', BIG, nullable=True),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], ),
    sa.ForeignKeyConstraint(['first_id'], ['letter.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('code'),
    sa.UniqueConstraint('ticket')
    )
    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_letter_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_external_id'), ['external_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_first_id'), ['first_id'], unique=False)

    op.create_table('letterfile',
    sa.Column('id', BIG, nullable=False),
    sa.Column('letter_id', BIG, nullable=False),
    sa.Column('name', TEXT(length=200), nullable=False),
    sa.Column('mime', TEXT(length=64), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['letter_id'], ['letter.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('letterfile', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_letterfile_letter_id'), ['letter_id'], unique=False)

    op.create_table('letterbytes',
    sa.Column('file_id', BIG, nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['letterfile.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('file_id')
    )


def downgrade() -> None:
    op.drop_table('letterbytes')
    op.drop_table('letterfile')
    op.drop_table('letter')
