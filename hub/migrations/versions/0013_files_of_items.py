"""Files belong to the item they came with, whatever door it took

Revision: 0013
After: 0012
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TEXT = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    """The numbers of files stay: messages name them by it."""
    _files('arrival', sa.Column('number', sa.Integer(), nullable=False),
           sa.UniqueConstraint('arrival_id', 'number'))
    op.execute(
        'INSERT INTO arrivalfile (id, arrival_id, number, name, mime, bytes) '
        'SELECT f.id, MIN(a.id), f.id, f.name, f.mime, f.bytes FROM letterfile f JOIN letter l ON l.id = f.letter_id '
        'JOIN arrival a ON a.account_id = l.account_id AND a.external_id = l.external_id '
        'GROUP BY f.id, f.name, f.mime, f.bytes'
    )
    _move('letter', 'arrival')


def downgrade() -> None:
    """What came through other doors than the letter form had no place before."""
    _files('letter')
    op.create_index('ix_letterfile_letter_id', 'letterfile', ['letter_id'], unique=False)
    op.execute(
        'INSERT INTO letterfile (id, letter_id, name, mime, bytes) '
        'SELECT f.id, MIN(l.id), f.name, f.mime, f.bytes FROM arrivalfile f JOIN arrival a ON a.id = f.arrival_id '
        'JOIN letter l ON a.account_id = l.account_id AND a.external_id = l.external_id '
        'GROUP BY f.id, f.name, f.mime, f.bytes'
    )
    _move('arrival', 'letter')


def _files(owner: str, *more: sa.Column | sa.UniqueConstraint) -> None:
    op.create_table(f'{owner}file',
    sa.Column('id', BIG, nullable=False),
    sa.Column(f'{owner}_id', BIG, nullable=False),
    *more,
    sa.Column('name', TEXT(length=200), nullable=False),
    sa.Column('mime', TEXT(length=64), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint([f'{owner}_id'], [f'{owner}.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table(f'{owner}bytes',
    sa.Column('file_id', BIG, nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], [f'{owner}file.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('file_id')
    )


def _move(old: str, new: str) -> None:
    op.execute(
        f'INSERT INTO {new}bytes (file_id, data) SELECT b.file_id, b.data FROM {old}bytes b '
        f'JOIN {new}file f ON f.id = b.file_id'
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            f"SELECT setval(pg_get_serial_sequence('{new}file', 'id'), COALESCE((SELECT MAX(id) FROM {new}file), 0) + 1, "
            'false)'
        )
    op.drop_table(f'{old}bytes')
    op.drop_table(f'{old}file')
