"""Telling people: what failed, in words, by log, webhook or e-mail.

Here: the settings ($DAGSTER_HOME/notices.yaml), the message, its ways out.
Not here: noticing that something failed (alerts.py).

Secrets never stand in the file: it names environment variables that hold them.
"""

from __future__ import annotations

import json
import os
import re
import smtplib
import ssl
import threading
import time
import urllib.error
import urllib.request
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from logging import Logger
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mmm_engine.client.validation import Draft, Frozen, PlainText, refused
from mmm_engine.errors import ConfigError
from mmm_engine.files.yaml_document import read_document, shorten

FILE_NAME = "notices.yaml"
TIMEOUT_SECONDS = 20.0  # without a byte from a server
DELIVERY_SECONDS = 30.0  # for all channels together: a tick that takes a minute is given up by Dagster
MOST_LINES = 200  # a message is read on a phone; the UI has the rest

EnvironmentName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_MAILBOX = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,255}")


def _checked_host(text: str) -> str:
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split(".")):
        raise refused(shorten(text), "the name or the address of a host", "write it as in smtp.example.org")
    return text


def _checked_mailbox(text: str) -> str:
    addresses = [address for _, address in getaddresses([text])]
    if len(addresses) != 1 or not _MAILBOX.fullmatch(addresses[0]):
        wanted = "one mail address"
        raise refused(shorten(text), wanted, "write it as in me@example.org or Me <me@example.org>")
    return text


Host = Annotated[PlainText, AfterValidator(_checked_host)]
Mailbox = Annotated[PlainText, AfterValidator(_checked_mailbox)]


def _as_tuple(value: object) -> object:
    """YAML has lists where frozen settings have tuples."""
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Notice:
    """What failed since the last notice.

    Attributes:
        title: One line.
        lines: One line a failure, worst first.
    """

    title: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole message."""
        shown = [*self.lines[:MOST_LINES]]
        if len(self.lines) > MOST_LINES:
            shown.append(f"… and {len(self.lines) - MOST_LINES} more; see the UI")
        return "\n".join([self.title, *(f"- {line}" for line in shown)])


class DeliveryError(Exception):
    """A notice that could not be delivered; it is tried again."""


class Channel(Frozen):
    """One way out."""

    @abstractmethod
    def send(self, notice: Notice, log: Logger) -> None:
        """Deliver the notice.

        Raises:
            DeliveryError: If it was not accepted.
        """


class LogChannel(Channel):
    """The daemon's log."""

    kind: Literal["log"] = "log"

    def send(self, notice: Notice, log: Logger) -> None:
        """Write the notice as one error."""
        log.error(notice.text)


class WebhookChannel(Channel):
    """JSON ``{"text": …}`` by POST, as Slack, Mattermost, Teams' workflows and Google Chat read it."""

    kind: Literal["webhook"] = "webhook"
    url_env: EnvironmentName

    def send(self, notice: Notice, log: Logger) -> None:
        """Post the notice; anything but a 2xx answer is a failure."""
        address = _secret(self.url_env)
        if not address.startswith(("https://", "http://")):
            raise DeliveryError(f"webhook: ${self.url_env} holds no http(s) address")
        request = urllib.request.Request(  # noqa: S310  (the scheme was just checked)
            address,
            data=json.dumps({"text": notice.text}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
                pass
        except (OSError, ValueError) as error:  # the address itself stays out of message and log
            reason = (
                f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            )
            raise DeliveryError(f"webhook of ${self.url_env}: {reason}") from None


class EmailChannel(Channel):
    """Mail by SMTP, with TLS unless the server is on this machine."""

    kind: Literal["email"] = "email"
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    sender: Mailbox
    recipients: Annotated[tuple[Mailbox, ...], Field(min_length=1), BeforeValidator(_as_tuple)]
    user_env: EnvironmentName | None = None
    password_env: EnvironmentName | None = None
    starttls: bool = True

    def send(self, notice: Notice, log: Logger) -> None:
        """Hand the mail to the server."""
        mail = EmailMessage()
        mail["Subject"] = notice.title
        mail["From"], mail["To"] = self.sender, ", ".join(self.recipients)
        mail.set_content(notice.text)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS) as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.user_env and self.password_env:
                    server.login(_secret(self.user_env), _secret(self.password_env))
                server.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"e-mail by {self.host}:{self.port}: {type(error).__name__}") from None


class NoticeConfig(Frozen):
    """What ``notices.yaml`` may say.

    Attributes:
        channels: The ways out; each is tried by itself.
        warnings: Whether failed checks of severity WARN are told too.
    """

    channels: Annotated[
        tuple[Annotated[LogChannel | WebhookChannel | EmailChannel, Field(discriminator="kind")], ...],
        BeforeValidator(_as_tuple),
    ] = (LogChannel(),)
    warnings: bool = False


def read_notice_config(home: Path) -> NoticeConfig:
    """The settings in a home; without a file failures go to the log.

    Raises:
        ConfigError: With every fault of the file, each with its line.
    """
    path = home / FILE_NAME
    if not path.exists():
        return NoticeConfig()
    document = read_document(path)
    faults = list(document.faults)
    config = None
    if document.readable:
        config, more = Draft(document, NoticeConfig).validate()
        faults += more
    if config is None or faults:
        raise ConfigError(str(path), faults)
    return config


def channel_names(channels: Sequence[Channel]) -> Iterator[tuple[str, Channel]]:
    """Each channel with a name that stays the same while the file does ("1 webhook")."""
    for number, channel in enumerate(channels, start=1):
        yield f"{number} {getattr(channel, 'kind', '')}", channel


def deliver(
    notices: Mapping[str, tuple[Channel, Notice]], log: Logger, seconds: float = DELIVERY_SECONDS
) -> dict[str, str]:
    """Send notices side by side: whatever becomes of one channel costs the others nothing.

    Args:
        notices: Channel and notice by the channel's name.
        log: Takes the notices of log channels.
        seconds: After which a channel that is not done has failed. Its server may hold on to it for longer; until it
            lets go, the channel is not tried again.

    Returns:
        Why a notice was not delivered, by the channel's name.
    """
    faults: dict[str, str] = {}
    until = time.monotonic() + seconds
    senders = {}
    for name, (channel, notice) in notices.items():
        if name in _under_way and _under_way[name].is_alive():
            faults[name] = "the server still holds the notice before"
            continue
        results: list[str] = []
        senders[name] = results
        _under_way[name] = threading.Thread(
            target=_send, args=(channel, notice, log, results), daemon=True, name=f"notice {name}"
        )
        _under_way[name].start()
    for name, results in senders.items():
        _under_way[name].join(max(until - time.monotonic(), 0))
        if not results:
            faults[name] = f"not done after {seconds:g} s"
        elif results[0]:
            faults[name] = results[0]
    return faults


_under_way: dict[str, threading.Thread] = {}


def _send(channel: Channel, notice: Notice, log: Logger, results: list[str]) -> None:
    """Send a notice; adds why that failed to the results, or an empty text."""
    try:
        channel.send(notice, log)
    except DeliveryError as error:
        results.append(str(error))
    except Exception as error:  # its words could hold an address that is a password
        results.append(type(error).__name__)
    else:
        results.append("")


def _secret(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise DeliveryError(f"the environment variable {name} is not set")
    return value
