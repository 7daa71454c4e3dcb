"""The check of texts before they go out, with the office's own lists: what is found, in the reader's words; what
blocks."""

from workflows.checking.gate import Told, judge, red_lines
from workflows.checking.policy import policy_of

__all__ = ["Told", "judge", "policy_of", "red_lines"]
