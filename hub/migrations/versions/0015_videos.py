"""Videos of posts

Revision: 0015
After: 0014
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TEXT = sqlmodel.sql.sqltypes.AutoString
AT = sqlmodel.sql.sqltypes.UTCDateTime
COLUMNS = {
    'post': lambda: (sa.Column('video', sa.JSON(none_as_null=True), nullable=True),),
    'posttarget': lambda: (sa.Column('without_video', sa.Boolean(), server_default=sa.false(), nullable=False),),
    'delivery': lambda: (sa.Column('video', sa.JSON(none_as_null=True), nullable=True),),
}


def upgrade() -> None:
    """Column by column, never through a copy: SQLite does not let a table go that others refer to."""
    _kept()
    _on_the_way()
    for table, made in COLUMNS.items():
        for column in made():
            op.add_column(table, column)


def _kept() -> None:
    op.create_table('video',
    sa.Column('id', BIG, nullable=False),
    sa.Column('sha256', TEXT(length=64), nullable=False),
    sa.Column('name', TEXT(length=200), nullable=False),
    sa.Column('mime', TEXT(length=32), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('codec', TEXT(length=32), nullable=False),
    sa.Column('poster', sa.LargeBinary(), nullable=False),
    sa.Column('by_id', BIG, nullable=False),
    sa.Column('created_at', AT(), nullable=False),
    sa.Column('dropped_at', AT(), nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('by_id', 'sha256')
    )
    op.create_index('ix_video_created_at', 'video', ['created_at'], unique=False)
    op.create_index('ix_video_sha256', 'video', ['sha256'], unique=False)
    op.create_table('videouse',
    sa.Column('video_id', BIG, nullable=False),
    sa.Column('post_id', BIG, nullable=False),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('video_id', 'post_id')
    )
    op.create_index('ix_videouse_post_id', 'videouse', ['post_id'], unique=False)


def _on_the_way() -> None:
    op.create_table('incomingvideo',
    sa.Column('token', TEXT(length=32), nullable=False),
    sa.Column('by_id', BIG, nullable=False),
    sa.Column('name', TEXT(length=200), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Enum('coming', 'checking', 'done', 'refused', name='incomingstate', native_enum=False,
                               length=32), nullable=False),
    sa.Column('lease_until', AT(), nullable=True),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('video_id', BIG, nullable=True),
    sa.Column('created_at', AT(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token')
    )
    op.create_index('ix_incomingvideo_by_id', 'incomingvideo', ['by_id'], unique=False)
    op.create_table('videojourney',
    sa.Column('delivery_id', BIG, nullable=False),
    sa.Column('state', sa.JSON(), nullable=False),
    sa.Column('done', sa.BigInteger(), nullable=False),
    sa.Column('ref', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('until', AT(), nullable=True),
    sa.Column('uploaded_at', AT(), nullable=True),
    sa.Column('next_at', AT(), nullable=False),
    sa.Column('holder', TEXT(length=32), nullable=False),
    sa.Column('lease_until', AT(), nullable=True),
    sa.Column('stamp', TEXT(length=100), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('error_kind', TEXT(length=32), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('delivery_id')
    )
    op.create_index('ix_videojourney_next', 'videojourney', ['next_at'], unique=False)


def downgrade() -> None:
    """The files stay in the data folder."""
    for table, made in COLUMNS.items():
        for column in made():
            op.drop_column(table, column.name)
    for table in ('videojourney', 'incomingvideo', 'videouse', 'video'):
        op.drop_table(table)
