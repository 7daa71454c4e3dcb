"""Drives the Weibo simulator with somebody else's client; run as ``python weibo_client.py BASE_URL`` in an environment
where one of ``sinaweibopy3``, ``sinaweibopy-ng`` and ``weibo`` is installed (all three call their module ``weibo``).

Prints one JSON object: what the client got. Needs nothing of this project, so that it can run anywhere.
"""

from __future__ import annotations

import collections
import collections.abc
import io
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

# Two of the clients were written when this name still stood there.
collections.Iterable = collections.abc.Iterable

import weibo  # noqa: E402

BACK = "http://127.0.0.1:9/back"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\x00" * 2000


class _Stay(urllib.request.HTTPRedirectHandler):
    """Looks at where it is sent and does not go there."""

    def redirect_request(self, *given: object, **named: object) -> None:
        return None


def control(base: str, path: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def code_from_page(authorise_url: str, uid: str) -> str:
    """A person agrees on the page."""
    place = urllib.parse.urlsplit(authorise_url)
    form = dict(urllib.parse.parse_qsl(place.query)) | {"account": uid, "answer": "yes"}
    request = urllib.request.Request(place._replace(query="").geturl(), data=urllib.parse.urlencode(form).encode())
    try:
        urllib.request.build_opener(_Stay).open(request, timeout=10)
    except urllib.error.HTTPError as answer:
        target = urllib.parse.urlsplit(answer.headers["location"])
        return dict(urllib.parse.parse_qsl(target.query))["code"]
    raise SystemExit("the page did not send anybody back")


class Sinaweibopy:
    """sinaweibopy3 and sinaweibopy-ng."""

    def __init__(self, base: str, app: dict) -> None:
        self.client = weibo.APIClient(app["key"], app["secret"], BACK)
        # The addresses are fixed to https; the simulator speaks http on this machine.
        self.client.auth_url, self.client.api_url = f"{base}/oauth2/", f"{base}/2/"

    def authorise_url(self) -> str:
        return self.client.get_authorize_url()

    def enter(self, code: str) -> str:
        got = self.client.request_access_token(code)
        self.client.set_access_token(got.access_token, got.expires_in)
        return str(got.uid)

    def get(self, path: str, **values: str) -> object:
        return self._walk(path).get(**values)

    def post(self, path: str, **values: object) -> object:
        return self._walk(path).post(**values)

    def _walk(self, path: str) -> object:
        at = self.client
        for part in path.split("/"):
            at = getattr(at, part)
        return at

    @staticmethod
    def code_of(error: Exception) -> int:
        return int(error.error_code)

    Error = getattr(weibo, "APIError", None)


class Lxyu:
    """weibo 0.2.2."""

    def __init__(self, base: str, app: dict) -> None:
        self.client = weibo.Client(app["key"], app["secret"], BACK)
        self.client.authorization_url = f"{base}/oauth2/authorize"
        self.client.token_url, self.client.api_url = f"{base}/oauth2/access_token", f"{base}/2/"

    def authorise_url(self) -> str:
        return self.client.authorize_url

    def enter(self, code: str) -> str:
        self.client.set_code(code)
        assert self.client.alive
        return str(self.client.uid)

    def get(self, path: str, **values: str) -> object:
        return self.client.get(path, **values)

    def post(self, path: str, **values: object) -> object:
        return self.client.post(path, **values)

    @staticmethod
    def code_of(error: Exception) -> int:
        return int(str(error).split(" ")[0])

    Error = RuntimeError


def walk(client: object, since: str) -> list[int]:
    """Everything above ``since``, page by page, as the platform's pages describe it."""
    found: list[int] = []
    upper = {}
    while True:
        page = client.get("statuses/mentions", since_id=since, count="10", **upper)
        found += [status["id"] for status in page["statuses"]]
        if not page["next_cursor"]:
            return found
        upper = {"max_id": str(page["next_cursor"])}


def refusals(client: object) -> dict[str, int]:
    """The codes that come when something is not allowed."""
    calls = {
        "no link": lambda: client.post("statuses/share", status="no link"),
        "too long": lambda: client.post("statuses/share", status="字" * 200 + " https://www.example.gov.cn/1"),
        "empty": lambda: client.post("comments/create", id="1", comment=" "),
        "no post": lambda: client.post("comments/create", id="1", comment="x"),
        "no such call": lambda: client.get("statuses/nonsense"),
        "wrong method": lambda: client.get("statuses/share"),
    }
    found = {}
    for name, call in calls.items():
        try:
            call()
        except client.Error as error:
            found[name] = client.code_of(error)
    return found


def main(base: str) -> dict:
    app = control(base, "/control/apps")["apps"][0]
    account = control(base, "/control/accounts", {"screen_name": "临江发布"})
    uid = account["uid"]
    client = Sinaweibopy(base, app) if hasattr(weibo, "APIClient") else Lxyu(base, app)
    entered = client.enter(code_from_page(client.authorise_url(), uid))
    made = control(base, "/control/mentions", {"account": uid, "author": "小赵", "text": "路灯 {n}", "count": 25})[
        "ids"
    ]
    counters = client.get("remind/unread_count", uid=uid)
    first = int(made[0])
    walked = walk(client, str(first - 1))
    link = "https://www.example.gov.cn/1"
    post = client.post("statuses/share", status=f"通知一 {link}")
    pictured = client.post("statuses/share", status=f"通知二 {link}", pic=io.BytesIO(PICTURE))
    comment = client.post("comments/create", id=made[0], comment="马上去修")
    below = control(base, "/control/comments", {"post": str(post["id"]), "author": "小钱", "text": "几点？"})["ids"][0]
    to_me = client.get("comments/to_me")
    reply = client.post("comments/reply", cid=below, id=str(post["id"]), comment="十点")
    by_me = client.get("comments/by_me")
    counts = client.get("statuses/count", ids=f"{post['id']},{pictured['id']}")
    shown = client.get("statuses/show", id=str(post["id"]))
    refused = refusals(client)
    removed = client.post("statuses/destroy", id=str(post["id"]))
    try:
        client.get("statuses/show", id=str(post["id"]))
    except client.Error as error:
        refused["gone"] = client.code_of(error)
    return {
        "uid": [uid, entered, str(client.get("account/get_uid")["uid"])],
        "unread": counters["mention_status"],
        "walked": [str(one) for one in walked],
        "made": made,
        "post": [post["text"], str(post["id"]) == post["idstr"] == post["mid"], post["user"]["screen_name"]],
        "picture": [len(pictured["pic_urls"]), bool(pictured["original_pic"])],
        "comment": [comment["status"]["idstr"], comment["text"]],
        "to_me": [one["text"] for one in to_me["comments"]],
        "reply": [reply["reply_comment"]["idstr"] == below, reply["text"]],
        "by_me": [one["text"] for one in by_me["comments"]],
        "counts": [one["comments"] for one in counts],
        "shown": shown["text"],
        "removed": removed["idstr"] == post["idstr"],
        "refused": refused,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1]), ensure_ascii=False))
