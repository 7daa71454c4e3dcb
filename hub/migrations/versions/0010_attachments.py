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


TEXT = sqlmodel.sql.sqltypes.AutoString
COLUMNS = {
    'post': lambda: (sa.Column('pictures', sa.JSON(), server_default='[]', nullable=False),),
    'posttarget': lambda: (
        sa.Column('form', TEXT(length=32), server_default='', nullable=False),
        sa.Column('title', TEXT(length=200), server_default='', nullable=False),
        sa.Column('pictures', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('assignee_id', BIG, sa.ForeignKey('person.id'), nullable=True),
    ),
    'delivery': lambda: (
        sa.Column('form', TEXT(length=32), server_default='', nullable=False),
        sa.Column('title', TEXT(length=200), server_default='', nullable=False),
        sa.Column('attachments', sa.JSON(), server_default='[]', nullable=False),
        sa.Column('extra', sa.JSON(), server_default='{}', nullable=False),
        sa.Column('assignee_id', BIG, sa.ForeignKey('person.id'), nullable=True),
        sa.Column('steps', sa.JSON(), server_default='[]', nullable=False),
        sa.Column('reminders', sa.Integer(), server_default='0', nullable=False),
    ),
}


def _columns() -> None:
    """Column by column, never through a copy: SQLite does not let a table go that others refer to."""
    for table, made in COLUMNS.items():
        for column in made():
            op.add_column(table, column, inline_references=True)
    op.create_index('ix_delivery_assignee_id', 'delivery', ['assignee_id'])


def downgrade() -> None:
    op.drop_index('ix_delivery_assignee_id', 'delivery')
    for table, made in COLUMNS.items():
        for column in made():
            op.drop_column(table, column.name)

    op.drop_table('pictureuse')
    op.drop_table('picturebytes')
    op.drop_table('picture')
