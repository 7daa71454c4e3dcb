"""Matters

Revision: 0005
After: 0004
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('matter',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('state', sa.Enum('open', 'dismissed', 'merged', name='matterstate', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('is_named', sa.Boolean(), nullable=False),
    sa.Column('is_kept', sa.Boolean(), nullable=False),
    sa.Column('merged_into_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('people', sa.Integer(), nullable=False),
    sa.Column('likes', sa.Integer(), nullable=False),
    sa.Column('reposts', sa.Integer(), nullable=False),
    sa.Column('heat', sa.Float(), nullable=False),
    sa.Column('first_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('last_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('opened_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('profile', sa.LargeBinary(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('summary', sa.JSON(), nullable=False),
    sa.Column('summed_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('summed_messages', sa.Integer(), nullable=False),
    sa.Column('is_stale', sa.Boolean(), nullable=False),
    sa.Column('counted_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['merged_into_id'], ['matter.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('matter', schema=None) as batch_op:
        batch_op.create_index('ix_matter_heat', ['state', 'heat', 'id'], unique=False)
        batch_op.create_index('ix_matter_last', ['last_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_matter_merged_into_id'), ['merged_into_id'], unique=False)
        batch_op.create_index('ix_matter_stale', ['counted_at'], unique=False, sqlite_where=sa.text('is_stale'), postgresql_where=sa.text('is_stale'))

    op.create_table('wordshare',
    sa.Column('token', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('per_million', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('token')
    )
    op.create_table('wordtally',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('documents', sa.Integer(), nullable=False),
    sa.Column('counts', sa.LargeBinary(), nullable=False),
    sa.Column('lease_until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('lease', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('matterevent',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('matter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_name', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.ForeignKeyConstraint(['matter_id'], ['matter.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('matterevent', schema=None) as batch_op:
        batch_op.create_index('ix_matter_event_thread', ['matter_id', 'id'], unique=False)

    op.create_table('modeldraft',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('task', sa.Enum('reply', 'summary', name='modeltask', native_enum=False, length=32), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'running', 'done', 'failed', name='modelstate', native_enum=False, length=32), nullable=False),
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('matter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('by_name', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('asked_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('lease_until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('finished_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('model', sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('masked', sa.Integer(), nullable=False),
    sa.Column('sources', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.ForeignKeyConstraint(['case_id'], ['case.id'], ),
    sa.ForeignKeyConstraint(['matter_id'], ['matter.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('modeldraft', schema=None) as batch_op:
        batch_op.create_index('ix_model_draft_case', ['case_id', 'id'], unique=False)
        batch_op.create_index('ix_model_draft_matter', ['matter_id', 'id'], unique=False)
        batch_op.create_index('ix_model_draft_waiting', ['id'], unique=False, sqlite_where=sa.text('finished_at IS NULL'), postgresql_where=sa.text('finished_at IS NULL'))

    op.create_table('mattermessage',
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('matter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('placed_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('fingerprint', sa.BigInteger(), nullable=False),
    sa.Column('is_copy', sa.Boolean(), nullable=False),
    sa.Column('is_held', sa.Boolean(), nullable=False),
    sa.Column('near', sa.Float(), nullable=False),
    sa.Column('reposts', sa.Integer(), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('vector', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['matter_id'], ['matter.id'], ),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id')
    )
    with op.batch_alter_table('mattermessage', schema=None) as batch_op:
        batch_op.create_index('ix_matter_message_alone', ['at'], unique=False, sqlite_where=sa.text('matter_id IS NULL'), postgresql_where=sa.text('matter_id IS NULL'))
        batch_op.create_index('ix_matter_message_copy', ['fingerprint'], unique=False)
        batch_op.create_index('ix_matter_message_matter', ['matter_id', 'at', 'message_id'], unique=False)
        batch_op.create_index('ix_matter_message_waiting', ['message_id'], unique=False, sqlite_where=sa.text('placed_at IS NULL'), postgresql_where=sa.text('placed_at IS NULL'))

    with op.batch_alter_table('reply', schema=None) as batch_op:
        batch_op.add_column(sa.Column('generated_by', sqlmodel.sql.sqltypes.AutoString(length=100), server_default='', nullable=False))

    # What citizens wrote before is placed like everything new, the oldest first.
    op.execute(sa.text(
        "INSERT INTO mattermessage (message_id, at, fingerprint, is_copy, is_held, near, reposts, words)"
        " SELECT id, created_at, 0, false, false, 0, 0, '[]' FROM message WHERE tagged_at IS NOT NULL AND NOT is_own"
    ))


def downgrade() -> None:
    with op.batch_alter_table('reply', schema=None) as batch_op:
        batch_op.drop_column('generated_by')

    with op.batch_alter_table('mattermessage', schema=None) as batch_op:
        batch_op.drop_index('ix_matter_message_waiting', sqlite_where=sa.text('placed_at IS NULL'), postgresql_where=sa.text('placed_at IS NULL'))
        batch_op.drop_index('ix_matter_message_matter')
        batch_op.drop_index('ix_matter_message_copy')
        batch_op.drop_index('ix_matter_message_alone', sqlite_where=sa.text('matter_id IS NULL'), postgresql_where=sa.text('matter_id IS NULL'))

    op.drop_table('mattermessage')
    with op.batch_alter_table('modeldraft', schema=None) as batch_op:
        batch_op.drop_index('ix_model_draft_waiting', sqlite_where=sa.text('finished_at IS NULL'), postgresql_where=sa.text('finished_at IS NULL'))
        batch_op.drop_index('ix_model_draft_matter')
        batch_op.drop_index('ix_model_draft_case')

    op.drop_table('modeldraft')
    with op.batch_alter_table('matterevent', schema=None) as batch_op:
        batch_op.drop_index('ix_matter_event_thread')

    op.drop_table('matterevent')
    op.drop_table('wordtally')
    op.drop_table('wordshare')
    with op.batch_alter_table('matter', schema=None) as batch_op:
        batch_op.drop_index('ix_matter_stale', sqlite_where=sa.text('is_stale'), postgresql_where=sa.text('is_stale'))
        batch_op.drop_index(batch_op.f('ix_matter_merged_into_id'))
        batch_op.drop_index('ix_matter_last')
        batch_op.drop_index('ix_matter_heat')

    op.drop_table('matter')
