"""Tell somebody that a scheduled job failed: by mail, by a webhook, or both, as the settings say.

A message says in Chinese and English what failed, why, and the line that does the same by hand. The same failure is
told once, and again only after a while, since a job of each minute fails each minute.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import NoticeSettings, Settings, WebhookForm

# A server that does not answer by then is down.
PATIENCE_S = 20.0
# What was told is forgotten after so long.
REMEMBERED_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Failure:
    """What failed. Empty where it is not known.

    Attributes:
        where: the DAG and the task, or the part of the platform.
        why: one line.
        command: the line that does the same by hand.
        log: where its log is read.
    """

    where: str
    mine: str = ""
    run: str = ""
    why: str = ""
    command: str = ""
    log: str = ""

    @property
    def subject(self) -> str:
        return f"minefusion 失败 · failed: {self.where}" + (f", {self.mine}" if self.mine else "")

    @property
    def text(self) -> str:
        """The message, Chinese and then English."""
        told = (
            ("失败", "Failed", self.where),
            ("煤矿", "Mine", self.mine),
            ("运行", "Run", self.run),
            ("原因", "Why", self.why),
            ("修好后手工重跑", "When mended, run again by hand", self.command),
            ("日志", "Log", self.log),
        )
        halves = (
            "\n".join(f"{line[i]}{colon}{line[2]}" for line in told if line[2]) for i, colon in ((0, "："), (1, ": "))
        )
        return "\n\n".join(halves)

    @property
    def identity(self) -> str:
        """The same for the same failure; times and counts in the reason make no other one of it."""
        told = json.dumps([self.where, self.mine, re.sub(r"\d+", "#", self.why)])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def tell(settings: Settings, failure: Failure, *, now: Callable[[], float] = time.time) -> list[str]:
    """Send the message by every way that is set; returns these ways, none where the failure was told lately.

    Raises:
        InputError: no way is set.
        MissingError: a way did not work; the others were used.
    """
    notice = settings.notice
    ways: dict[str, Callable[[NoticeSettings, Failure], None]] = {}
    if notice.webhook:
        ways["webhook"] = post
    if notice.mail_to:
        ways["mail"] = mail
    if not ways:
        raise InputError(
            "expected a way to tell of failures, found none; set MINEFUSION_NOTICE_WEBHOOK or MINEFUSION_NOTICE_MAIL_TO"
        )
    told = _told(settings.home / "notices", failure, now())
    if told.is_file() and now() - told.stat().st_mtime < 60 * notice.repeat_min:
        return []
    broken = []
    for name, send in ways.items():
        try:
            send(notice, failure)
        except (OSError, smtplib.SMTPException, MissingError) as error:
            broken.append(f"{name}: {' '.join(str(error).split()) or type(error).__name__}")
    if len(broken) < len(ways):
        told.touch()
        os.utime(told, (now(), now()))
    if broken:
        raise MissingError(f"expected to tell of {failure.where}, got: {'; '.join(broken)}; mend the notice settings")
    return list(ways)


def post(notice: NoticeSettings, failure: Failure) -> None:
    """Post the message to the webhook.

    Raises:
        MissingError: it was not taken; the address is not named, since it is a secret.
    """
    body = json.dumps(_FORMS[notice.webhook_form](failure), ensure_ascii=False).encode()
    request = urllib.request.Request(notice.webhook, body, {"Content-Type": "application/json; charset=utf-8"})
    host = urlsplit(notice.webhook).hostname
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            told = answer.read(65_536)
    except urllib.error.HTTPError as error:
        raise MissingError(f"expected {host} to take the message, it answered {error.code}") from None
    except urllib.error.URLError as error:
        raise MissingError(f"expected {host} to answer, got {error.reason}") from None
    if notice.webhook_form != "json" and (refusal := _refusal(told)):
        raise MissingError(f"expected {host} to take the message, it answered {refusal}")


def mail(notice: NoticeSettings, failure: Failure) -> None:
    """Send the message by SMTP.

    Raises:
        MissingError: a password would go over the line as it is.
    """
    if notice.smtp_user and notice.smtp_security == "none":
        raise MissingError("expected notice_smtp_security starttls or tls where a user logs in, got none")
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = failure.subject, notice.mail_from, ", ".join(notice.mail_to)
    message.set_content(failure.text)
    where = (notice.smtp_host, notice.smtp_port)
    checked = ssl.create_default_context()
    opened = (
        smtplib.SMTP_SSL(*where, timeout=PATIENCE_S, context=checked)
        if notice.smtp_security == "tls"
        else smtplib.SMTP(*where, timeout=PATIENCE_S)
    )
    with opened as server:
        if notice.smtp_security == "starttls":
            server.starttls(context=checked)
        if notice.smtp_user:
            server.login(notice.smtp_user, notice.smtp_password)
        server.send_message(message)


def _told(folder: Path, failure: Failure, now: float) -> Path:
    """The mark that says when this failure was told last; marks of long ago go."""
    folder.mkdir(parents=True, exist_ok=True)
    for mark in folder.iterdir():
        if now - mark.stat().st_mtime > REMEMBERED_S:
            mark.unlink(missing_ok=True)
    return folder / failure.identity


def _refusal(told: bytes) -> str:
    """Robots of work chats answer 200 and say in the body whether they took a message."""
    try:
        answer = json.loads(told)
    except ValueError:
        return ""
    code = answer.get("errcode", answer.get("code", 0)) if isinstance(answer, dict) else 0
    return f"{code} {answer.get('errmsg', answer.get('msg', ''))}".strip() if code else ""


def _chat_text(failure: Failure) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": f"{failure.subject}\n\n{failure.text}"}}


_FORMS: Mapping[WebhookForm, Callable[[Failure], dict[str, Any]]] = {
    "json": lambda failure: {"title": failure.subject, "text": failure.text, **asdict(failure)},
    "wecom": _chat_text,
    "dingtalk": _chat_text,
    "feishu": lambda failure: {"msg_type": "text", "content": {"text": f"{failure.subject}\n\n{failure.text}"}},
}
