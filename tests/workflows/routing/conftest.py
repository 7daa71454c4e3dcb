"""The town of casework: three departments in a tree, one person per role."""

from tests.workflows.cases.conftest import any_town, at_work, town

__all__ = ["any_town", "at_work", "town"]
