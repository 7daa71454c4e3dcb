"""Fuller tags

Revision: 0007
After: 0006
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


# What a tagging says beside what it said before. Rows made before know nothing of it, until they are tagged again.
TEXTS = {
    'emotion': 16, 'emotion_second': 16, 'sentiment_second': 16, 'request_second': 16, 'subtopic': 64,
    'urgency_second': 16,
}
NUMBERS = (
    'emotion_p', 'emotion_second_p', 'sentiment_second_p', 'request_p', 'request_second_p', 'subtopic_p', 'urgency_p',
    'sensitive_p')
LISTS = ('emotion_words', 'request_words', 'subtopic_words', 'departments', 'persons', 'times', 'personal')


def upgrade() -> None:
    _lists_of_departments()
    _fuller_tags()


def downgrade() -> None:
    _shorter_tags()
    _lists_of_the_office()


def _fuller_tags() -> None:
    """Column by column, never through a copy: on SQLite dropping the old table would take what refers to it along."""
    for name, length in TEXTS.items():
        op.add_column('tagging', sa.Column(name, sqlmodel.sql.sqltypes.AutoString(length=length), nullable=True))
    for name in NUMBERS:
        op.add_column('tagging', sa.Column(name, sa.Float(), nullable=True))
    for name in LISTS:
        op.add_column('tagging', sa.Column(name, sa.JSON(), nullable=True))
    for name in ('emotion', 'subtopic'):
        kind = sqlmodel.sql.sqltypes.AutoString(length=TEXTS[name])
        op.add_column('message', sa.Column(name, kind, server_default='', nullable=False))


def _shorter_tags() -> None:
    for name in ('subtopic', 'emotion'):
        op.drop_column('message', name)
    for name in (*LISTS, *NUMBERS, *TEXTS):
        op.drop_column('tagging', name)


# SQLite names no constraint: this is what PostgreSQL calls it.
NAMES = {'uq': '%(table_name)s_%(column_0_N_name)s_key'}


def _lists_of_departments() -> None:
    """An entry holds for the whole office (no department), or for one department and those below it."""
    with op.batch_alter_table('office_word', schema=None, naming_convention=NAMES) as batch_op:
        batch_op.add_column(sa.Column('department_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.drop_constraint('office_word_kind_word_key', type_='unique')
        batch_op.create_foreign_key('office_word_department_id_fkey', 'department', ['department_id'], ['id'])
        batch_op.create_unique_constraint('office_word_kind_word_department_id_key', ['kind', 'word', 'department_id'])
        batch_op.create_index(
            'ix_office_word_whole', ['kind', 'word'], unique=True, sqlite_where=sa.text('department_id IS NULL'),
            postgresql_where=sa.text('department_id IS NULL'))


def _lists_of_the_office() -> None:
    op.execute('DELETE FROM office_word WHERE department_id IS NOT NULL')
    with op.batch_alter_table('office_word', schema=None, naming_convention=NAMES) as batch_op:
        batch_op.drop_index('ix_office_word_whole')
        batch_op.drop_constraint('office_word_kind_word_department_id_key', type_='unique')
        batch_op.drop_constraint('office_word_department_id_fkey', type_='foreignkey')
        batch_op.create_unique_constraint('office_word_kind_word_key', ['kind', 'word'])
        batch_op.drop_column('department_id')
