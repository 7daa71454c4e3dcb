"""Files of messages (.xlsx, .csv, .tsv) as a platform: read row by row, mapped to items, refused in plain words."""

from connectors.files.columns import Field, Mapping, suggest
from connectors.files.rows import RowError, to_item
from connectors.files.source import FileRefused, Row, RowSource, read

# The platforms whose items are brought in as files.
BROUGHT = frozenset({"file", "manual"})

__all__ = ["BROUGHT", "Field", "FileRefused", "Mapping", "Row", "RowError", "RowSource", "read", "suggest", "to_item"]
