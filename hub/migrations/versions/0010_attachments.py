"""Pictures of posts and work by hand

Revision: 0010
After: 0009
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    _pictures()
    _columns()


def _pictures() -> None:
    op.create_table('picture',
    sa.Column('id', BIG, nullable=False),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
    sa.Column('mime', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('thumb', sa.LargeBinary(), nullable=False),
    sa.Column('by_id', BIG, nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('by_id', 'sha256')
    )
    with op.batch_alter_table('picture', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_picture_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_picture_sha256'), ['sha256'], unique=False)

    op.create_table('picturebytes',
    sa.Column('picture_id', BIG, nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['picture_id'], ['picture.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('picture_id')
    )
    op.create_table('pictureuse',
    sa.Column('picture_id', BIG, nullable=False),
    sa.Column('post_id', BIG, nullable=False),
    sa.ForeignKeyConstraint(['picture_id'], ['picture.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('picture_id', 'post_id')
    )
    with op.batch_alter_table('pictureuse', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pictureuse_post_id'), ['post_id'], unique=False)


def _columns() -> None:
    with op.batch_alter_table('post', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pictures', sa.JSON(), server_default='[]', nullable=False))

    with op.batch_alter_table('posttarget', schema=None) as batch_op:
        batch_op.add_column(sa.Column('form', sqlmodel.sql.sqltypes.AutoString(length=32), server_default='', nullable=False))
        batch_op.add_column(sa.Column('title', sqlmodel.sql.sqltypes.AutoString(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('pictures', sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column('assignee_id', BIG, nullable=True))
        batch_op.create_foreign_key('fk_posttarget_assignee', 'person', ['assignee_id'], ['id'])

    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.add_column(sa.Column('form', sqlmodel.sql.sqltypes.AutoString(length=32), server_default='', nullable=False))
        batch_op.add_column(sa.Column('title', sqlmodel.sql.sqltypes.AutoString(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('attachments', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('extra', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('assignee_id', BIG, nullable=True))
        batch_op.add_column(sa.Column('steps', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('reminders', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_foreign_key('fk_delivery_assignee', 'person', ['assignee_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_delivery_assignee_id'), ['assignee_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_delivery_assignee_id'))
        batch_op.drop_constraint('fk_delivery_assignee', type_='foreignkey')
        for name in ('reminders', 'steps', 'assignee_id', 'extra', 'attachments', 'title', 'form'):
            batch_op.drop_column(name)

    with op.batch_alter_table('posttarget', schema=None) as batch_op:
        batch_op.drop_constraint('fk_posttarget_assignee', type_='foreignkey')
        for name in ('assignee_id', 'pictures', 'title', 'form'):
            batch_op.drop_column(name)

    with op.batch_alter_table('post', schema=None) as batch_op:
        batch_op.drop_column('pictures')

    op.drop_table('pictureuse')
    op.drop_table('picturebytes')
    op.drop_table('picture')
