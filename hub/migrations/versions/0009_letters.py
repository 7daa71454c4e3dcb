"""Letters of the mailbox form

Revision: 0009
After: 0008
"""

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
