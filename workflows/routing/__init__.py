"""Routing beyond one message: the office's rules, what is learnt from its dispatches, how both have done."""
