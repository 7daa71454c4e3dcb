"""How published posts do: readings of their figures

Revision: 0018
After: 0017
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TEXT = sqlmodel.sql.sqltypes.AutoString
AT = sqlmodel.sql.sqltypes.UTCDateTime
WAITS = sa.text('figures_at IS NOT NULL')


def upgrade() -> None:
    op.create_table('figurereading',
    sa.Column('id', BIG, nullable=False),
    sa.Column('delivery_id', BIG, nullable=False),
    sa.Column('step', sa.Integer(), nullable=True),
    sa.Column('read_at', AT(), nullable=False),
    sa.Column('reads', BIG, nullable=True),
    sa.Column('likes', BIG, nullable=True),
    sa.Column('comments', BIG, nullable=True),
    sa.Column('reposts', BIG, nullable=True),
    sa.Column('by_id', BIG, nullable=True),
    sa.Column('by_name', TEXT(length=100), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], ),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('delivery_id', 'step')
    )
    op.create_table('figureround',
    sa.Column('account_id', BIG, nullable=False),
    sa.Column('due_at', AT(), nullable=False),
    sa.Column('lease_until', AT(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('error_kind', TEXT(length=32), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id')
    )
    op.add_column('delivery', sa.Column('figures_at', AT(), nullable=True))
    op.create_index('ix_delivery_figures', 'delivery', ['figures_at', 'account_id'], unique=False,
                    sqlite_where=WAITS, postgresql_where=WAITS)
    _begin_with_recent_posts()


def _begin_with_recent_posts() -> None:
    """What went out lately is read once at the age it has now, and goes on from there."""
    sent = sa.table('delivery', sa.column('kind'), sa.column('state'), sa.column('remote_id'), sa.column('sent_at', AT()),
                    sa.column('figures_at', AT()))
    recent = sent.c.sent_at >= datetime.now(UTC) - timedelta(days=30)
    op.execute(
        sa.update(sent).values(figures_at=sent.c.sent_at)
        .where(sent.c.kind == 'post', sent.c.state == 'sent', sent.c.remote_id != '', recent)
    )


def downgrade() -> None:
    """What was read is gone."""
    op.drop_index('ix_delivery_figures', 'delivery')
    op.drop_column('delivery', 'figures_at')
    op.drop_table('figureround')
    op.drop_table('figurereading')
