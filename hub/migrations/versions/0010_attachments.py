"""Pictures of posts and work by hand

Revision: 0010
After: 0009
"""

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
