"""Learning

Revision: 0006
After: 0005
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

FIELDS = ('topic', 'sentiment', 'is_sensitive', 'request')


def upgrade() -> None:
    op.create_table('learnrun',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'running', 'done', 'failed', name='learnstate', native_enum=False, length=32), nullable=False),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_name', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('night', sa.Date(), nullable=True),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('started_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('finished_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('lease_until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('step', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('notes', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('night')
    )
    with op.batch_alter_table('learnrun', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_learnrun_state'), ['state'], unique=False)

    op.create_table('modelchange',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('task', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('from_number', sa.Integer(), nullable=False),
    sa.Column('to_number', sa.Integer(), nullable=False),
    sa.Column('is_held', sa.Boolean(), nullable=False),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_name', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('modelchange', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_modelchange_task'), ['task'], unique=False)

    op.create_table('learntmodel',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('task', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('is_accepted', sa.Boolean(), nullable=False),
    sa.Column('base', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('digest', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.Column('corrections', sa.Integer(), nullable=False),
    sa.Column('confirmations', sa.Integer(), nullable=False),
    sa.Column('report', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['learnrun.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('run_id', 'task'),
    sa.UniqueConstraint('task', 'number')
    )
    op.create_table('livemodel',
    sa.Column('task', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('learnt_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('is_held', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['learnt_id'], ['learntmodel.id'], ),
    sa.PrimaryKeyConstraint('task')
    )
    op.create_table('correction',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tagging_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('field', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('before', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('after', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('because', sa.Enum('subject', 'tone', 'irony', 'quote', 'local', 'mixed', 'rule', 'slip', 'other', 'right', name='because', native_enum=False, length=32), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('p', sa.Float(), nullable=False),
    sa.Column('version', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('withdrawn_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('withdrawn_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('withdrawn_why', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tagging_id'], ['tagging.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['withdrawn_by_id'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('correction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_correction_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_correction_by_id'), ['by_id'], unique=False)
        batch_op.create_index('ix_correction_field', ['field', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_correction_message_id'), ['message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_correction_tagging_id'), ['tagging_id'], unique=False)

    _keep_what_was_corrected()


def _keep_what_was_corrected() -> None:
    """Corrections made before there was a table for them: each tagging by a person against the one before it."""
    db = op.get_bind()
    tagging = sa.table('tagging', *(sa.column(name) for name in (
        'id', 'message_id', 'by_id', 'reason', 'version', 'topic_p', 'sentiment_p', *FIELDS)),
        sa.column('at', sqlmodel.sql.sqltypes.UTCDateTime()))
    correction = sa.table('correction', *(sa.column(name) for name in (
        'message_id', 'tagging_id', 'by_id', 'field', 'before', 'after', 'because', 'reason', 'p', 'version',
        'withdrawn_why')), sa.column('at', sqlmodel.sql.sqltypes.UTCDateTime()))
    said = db.execute(sa.select(tagging).where(tagging.c.message_id.in_(
        sa.select(tagging.c.message_id).where(tagging.c.by_id.is_not(None)))).order_by(tagging.c.message_id, tagging.c.id))
    before = None
    rows = []
    for now in said.mappings():
        if before is not None and now['by_id'] is not None and before['message_id'] == now['message_id']:
            rows += [_row(field, before, now) for field in FIELDS if before[field] != now[field]]
        before = now
    if rows:
        op.bulk_insert(correction, rows)


def _row(field, before, now) -> dict:
    text = str if field != 'is_sensitive' else lambda value: '1' if value else '0'
    return {
        'message_id': now['message_id'], 'tagging_id': now['id'], 'by_id': now['by_id'], 'at': now['at'],
        'field': field, 'before': text(before[field]), 'after': text(now[field]), 'because': 'other',
        'reason': now['reason'], 'p': before.get(field + '_p', 0.0), 'version': before['version'], 'withdrawn_why': '',
    }


def downgrade() -> None:
    with op.batch_alter_table('correction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_correction_tagging_id'))
        batch_op.drop_index(batch_op.f('ix_correction_message_id'))
        batch_op.drop_index('ix_correction_field')
        batch_op.drop_index(batch_op.f('ix_correction_by_id'))
        batch_op.drop_index(batch_op.f('ix_correction_at'))

    op.drop_table('correction')
    op.drop_table('livemodel')
    op.drop_table('learntmodel')
    with op.batch_alter_table('modelchange', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_modelchange_task'))

    op.drop_table('modelchange')
    with op.batch_alter_table('learnrun', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_learnrun_state'))

    op.drop_table('learnrun')
