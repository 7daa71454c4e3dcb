"""Connections: tokens, budgets, circuits

Revision: 0008
After: 0007
"""

from datetime import datetime

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
MOMENT = sqlmodel.sql.sqltypes.UTCDateTime
MOMENTS = ('disconnected_at', 'expires_at', 'renew_at', 'renew_lease', 'renewed_at', 'circuit_since', 'probe_at')
NUMBERS = ('renew_failures', 'failures', 'trips')
TEXTS = ('renew_error', 'circuit_reason')
CIRCUIT = sa.Enum('closed', 'open', name='circuitstate', native_enum=False, length=32)
# The little that the move of old data needs to know of the table.
ACCOUNT = sa.table(
    'account', sa.column('id', BIG), sa.column('options', sa.JSON()), sa.column('disconnected_at', MOMENT()))


def upgrade() -> None:
    _accounts()
    with op.batch_alter_table('stream', schema=None) as batch_op:
        batch_op.add_column(sa.Column(
            'listener', sqlmodel.sql.sqltypes.AutoString(length=100), server_default='', nullable=False))
        batch_op.add_column(sa.Column('listen_until', MOMENT(), nullable=True))
    _spending()
    _authorisation()
    _move_disconnected()


def _accounts() -> None:
    with op.batch_alter_table('account', schema=None) as batch_op:
        for name in MOMENTS:
            batch_op.add_column(sa.Column(name, MOMENT(), nullable=True))
        for name in NUMBERS:
            batch_op.add_column(sa.Column(name, sa.Integer(), server_default='0', nullable=False))
        for name in TEXTS:
            batch_op.add_column(sa.Column(name, sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('is_renewable', sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column('circuit', CIRCUIT, server_default='closed', nullable=False))
        batch_op.add_column(sa.Column(
            'circuit_kind', sqlmodel.sql.sqltypes.AutoString(length=32), server_default='', nullable=False))
        for name in ('renew_at', 'probe_at'):
            batch_op.create_index(batch_op.f(f'ix_account_{name}'), [name], unique=False)


def _spending() -> None:
    op.create_table('spending',
    sa.Column('id', BIG, nullable=False),
    sa.Column('owner', sqlmodel.sql.sqltypes.AutoString(length=160), nullable=False),
    sa.Column('calls', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('ends_at', MOMENT(), nullable=False),
    sa.Column('used', sa.Integer(), nullable=False),
    sa.Column('told', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('owner', 'calls', 'seconds')
    )


def _authorisation() -> None:
    op.create_table('authorisation',
    sa.Column('id', BIG, nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('sign_in_id', BIG, nullable=False),
    sa.Column('user_id', BIG, nullable=False),
    sa.Column('platform', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('account_id', BIG, nullable=True),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('created_at', MOMENT(), nullable=False),
    sa.Column('expires_at', MOMENT(), nullable=False),
    sa.Column('used_at', MOMENT(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('state')
    )
    with op.batch_alter_table('authorisation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_authorisation_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_authorisation_expires_at'), ['expires_at'], unique=False)


def _move_disconnected() -> None:
    """When an account was disconnected stood among its options."""
    connection = op.get_bind()
    for number, options in connection.execute(sa.select(ACCOUNT.c.id, ACCOUNT.c.options)).all():
        if at := (options or {}).get('disconnected'):
            kept = {name: value for name, value in options.items() if name != 'disconnected'}
            values = {'options': kept, 'disconnected_at': datetime.fromisoformat(at)}
            connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.id == number).values(**values))


def downgrade() -> None:
    op.drop_table('authorisation')
    op.drop_table('spending')
    with op.batch_alter_table('stream', schema=None) as batch_op:
        batch_op.drop_column('listen_until')
        batch_op.drop_column('listener')
    with op.batch_alter_table('account', schema=None) as batch_op:
        for name in ('probe_at', 'renew_at'):
            batch_op.drop_index(batch_op.f(f'ix_account_{name}'))
        for name in ('circuit_kind', 'circuit', 'is_renewable', *TEXTS, *NUMBERS, *MOMENTS):
            batch_op.drop_column(name)
