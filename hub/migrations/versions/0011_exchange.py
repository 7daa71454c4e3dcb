"""Exchange of work orders: it came to need nothing of the database, and databases bear this number

Revision: 0011
After: 0010
"""

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
