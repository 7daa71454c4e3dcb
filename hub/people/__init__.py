"""People of the office: signing in, sessions, users, departments, personal tokens. See the modules for the doors."""

from hub.people.actors import Identity, actor_of, load_actor
from hub.people.desk import add_user, find_or_make_department, set_password
from hub.people.sessions import SignedIn, sign_in, sign_out

__all__ = [
    "Identity", "SignedIn", "actor_of", "add_user", "find_or_make_department", "load_actor", "set_password",
    "sign_in", "sign_out",
]  # fmt: skip
