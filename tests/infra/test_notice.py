"""Notices: what is sent by each way, how often, and that a broken way is told without its secrets."""

from __future__ import annotations

import email.policy
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from minefusion.cli import app, call
from minefusion.notice import Failure, tell
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import NoticeSettings, Settings, load_settings

FAILURE = Failure(
    where="ingest_safety_monitoring / one_mine.ingest",
    mine="140000000002",
    run="scheduled__2026-03-01",
    why="140000000002.site.yaml line 12: expected severe_hazard as true or false, got 'perhaps'; mend it",
    command="minefusion ingest landing --mine 140000000002 --engine light",
)


@dataclass
class Listener:
    """A server on this machine that keeps what it is sent."""

    port: int = 0
    status: int = 200
    answer: bytes = b"{}"
    received: list[bytes] = field(default_factory=list)


def serving(server: socketserver.BaseServer, heard: Listener) -> Iterator[Listener]:
    heard.port = server.server_address[1]  # type: ignore[index]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield heard
    server.shutdown()
    server.server_close()


@pytest.fixture
def webhook() -> Iterator[Listener]:
    heard = Listener()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(heard.status)
            self.end_headers()
            self.wfile.write(heard.answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    yield from serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler), heard)


@pytest.fixture
def mailbox() -> Iterator[Listener]:
    """As much of an SMTP server as takes a message."""
    heard = Listener()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    heard.received.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                if verb == b"QUIT":
                    return

    yield from serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler), heard)


def telling(settings: Settings, home: Path, **notice: object) -> Settings:
    return replace(settings, home=home, notice=NoticeSettings(**notice))  # type: ignore[arg-type]


def by_webhook(settings: Settings, home: Path, heard: Listener, **notice: object) -> Settings:
    return telling(settings, home, webhook=f"http://127.0.0.1:{heard.port}/robot?key=top-secret", **notice)


def test_nobody_is_told_unless_the_settings_say_whom(settings: Settings):
    assert not load_settings().notice.is_on
    with pytest.raises(InputError, match="MINEFUSION_NOTICE_WEBHOOK or MINEFUSION_NOTICE_MAIL_TO"):
        tell(settings, FAILURE)


def test_a_message_says_what_failed_why_and_what_runs_it_again_in_both_languages():
    chinese, english = FAILURE.text.split("\n\n")
    assert chinese.startswith("失败：ingest_safety_monitoring / one_mine.ingest\n煤矿：140000000002\n")
    assert english.startswith("Failed: ingest_safety_monitoring / one_mine.ingest\nMine: 140000000002\n")
    for half in (chinese, english):
        assert "line 12: expected severe_hazard" in half
        assert half.endswith("minefusion ingest landing --mine 140000000002 --engine light")
    assert "Log" not in english  # what is not known is left out


@pytest.mark.parametrize(
    ("form", "path"),
    [("json", "text"), ("wecom", "text.content"), ("dingtalk", "text.content"), ("feishu", "content.text")],
)
def test_a_webhook_gets_the_message_in_the_form_it_takes(
    settings: Settings, tmp_path: Path, webhook: Listener, form: str, path: str
):
    assert tell(by_webhook(settings, tmp_path, webhook, webhook_form=form), FAILURE) == ["webhook"]
    told = json.loads(webhook.received[0])
    if form == "json":
        assert (told["mine"], told["command"], told["title"]) == (FAILURE.mine, FAILURE.command, FAILURE.subject)
    for key in path.split("."):
        told = told[key]
    assert FAILURE.text in told


def test_a_mail_reaches_everybody_named(settings: Settings, tmp_path: Path, mailbox: Listener):
    to = ("chief@mine.example", "duty@mine.example")
    given = telling(settings, tmp_path, mail_to=to, smtp_host="127.0.0.1", smtp_port=mailbox.port)
    assert tell(given, FAILURE) == ["mail"]
    message = email.message_from_bytes(mailbox.received[0], policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message["To"] == ", ".join(to)
    assert message["Subject"] == FAILURE.subject
    assert message.get_content().replace("\r\n", "\n").strip() == FAILURE.text


def test_the_same_failure_is_told_once_and_again_after_a_while(settings: Settings, tmp_path: Path, webhook: Listener):
    told = by_webhook(settings, tmp_path, webhook, repeat_min=30)
    start = 1_800_000_000.0

    def at(minute: float, failure: Failure = FAILURE) -> bool:
        return bool(tell(told, failure, now=lambda: start + 60 * minute))

    assert at(0)
    assert not at(1)
    assert not at(2, replace(FAILURE, run="another", why=FAILURE.why.replace("12", "13")))
    assert at(3, replace(FAILURE, mine="140000000003"))
    assert at(3, replace(FAILURE, why="expected a landing folder, got nowhere"))
    assert not at(29)
    assert at(30)
    assert len(webhook.received) == 4
    assert at(30 * 24 * 60)
    assert len(list((tmp_path / "notices").iterdir())) == 1  # what was told long ago is forgotten


@pytest.mark.parametrize(("status", "answer"), [(500, b""), (200, b'{"errcode": 93000, "errmsg": "invalid key"}')])
def test_a_webhook_that_refuses_is_told_without_its_address(
    settings: Settings, tmp_path: Path, webhook: Listener, mailbox: Listener, status: int, answer: bytes
):
    webhook.status, webhook.answer = status, answer
    given = by_webhook(settings, tmp_path, webhook, webhook_form="wecom")
    with pytest.raises(
        MissingError, match=r"127.0.0.1 to take the message, it answered (500|93000 invalid key)"
    ) as told:
        tell(given, FAILURE)
    assert "top-secret" not in str(told.value)
    assert "top-secret" not in repr(given)
    with pytest.raises(MissingError):  # told to nobody, so it is told again at once
        tell(given, FAILURE)
    both = replace(given, notice=replace(given.notice, mail_to=("a@b",), smtp_host="127.0.0.1", smtp_port=mailbox.port))
    with pytest.raises(MissingError, match="webhook: "):
        tell(both, FAILURE)
    assert len(mailbox.received) == 1  # the way that works is used


def test_a_password_never_goes_over_the_line_as_it_is(settings: Settings, tmp_path: Path, mailbox: Listener):
    given = telling(
        settings, tmp_path, mail_to=("a@b",), smtp_port=mailbox.port, smtp_user="duty", smtp_password="hunter2"
    )
    with pytest.raises(MissingError, match="smtp_security starttls or tls"):
        tell(given, FAILURE)
    assert mailbox.received == []
    assert "hunter2" not in repr(given)


def test_the_command_tells_and_is_one_line_where_nobody_listens(
    webhook: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    line = [
        "notice",
        "--why",
        "--quiet is no reason",
        "--mine",
        "140000000002",
        "--output",
        "json",
        "--",
        "rebuild_day",
    ]

    def run(port: int) -> tuple[int, str, str]:
        monkeypatch.setenv("MINEFUSION_NOTICE_WEBHOOK", f"http://127.0.0.1:{port}/")
        vars(call.call).update(vars(call.Call()))
        call.settings.cache_clear()
        return app.run(line), *capsys.readouterr()

    code, out, _ = run(webhook.port)
    assert (code, json.loads(out)) == (0, {"sent": ["webhook"]})
    assert json.loads(webhook.received[0])["where"] == "rebuild_day"
    assert json.loads(run(webhook.port)[1]) == {"sent": []}
    line[-1] = "another"
    code, _, err = run(1)
    assert code == 3
    assert "expected 127.0.0.1 to answer" in err
    assert err.count("\n") == 1
