"""People are told what failed, once, by every channel, also after one was down; secrets stay in the environment."""

import contextlib
import http.server
import json
import logging
import socketserver
import threading
import time
from contextlib import contextmanager

import dagster as dg
import pytest

from mmm_assets.automation import alerts
from mmm_assets.automation.notices import (
    Channel,
    EmailChannel,
    Notice,
    NoticeConfig,
    WebhookChannel,
    deliver,
    read_notice_config,
)
from mmm_assets.definitions import build_defs
from mmm_engine.errors import ConfigError
from tests.assets.conftest import break_client


class _Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        """Keep what is posted; answer as told."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.posted.append(json.loads(body)["text"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        """Be quiet."""


class _Mail(socketserver.StreamRequestHandler):
    def handle(self):
        """Speak as much SMTP as it takes to accept a mail."""
        self._say(b"220 stub")
        while line := self.rfile.readline():
            match line.strip().upper().split(b" ")[0]:
                case b"DATA":
                    self._say(b"354 go on")
                    text = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        text += part
                    self.server.posted.append(text.decode())
                    self._say(b"250 kept")
                case b"QUIT":
                    self._say(b"221 bye")
                    return
                case _:
                    self._say(b"250 fine")

    def _say(self, line):
        self.wfile.write(line + b"\r\n")


@contextmanager
def serving(handler):
    """A server of this machine on a free port; `posted` holds what it was given."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.posted, server.status, server.daemon_threads = [], 200, True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hook(monkeypatch, home):
    """A webhook that the home's settings name."""
    with serving(_Hook) as server:
        monkeypatch.setenv("MMM_WEBHOOK_URL", f"http://127.0.0.1:{server.server_address[1]}/secret-token")
        (home / "notices.yaml").write_text("channels: [{kind: webhook, url_env: MMM_WEBHOOK_URL}]\n")
        yield server


@pytest.fixture
def tick(instance, home):
    """Evaluate the sensor with the cursor of the tick before; the first evaluation takes note of where things stand."""
    state = {"cursor": None}

    def evaluate():
        with dg.build_sensor_context(instance=instance, cursor=state["cursor"]) as context:
            result = alerts.failure_notices(context)
        state["cursor"] = result.cursor
        return result

    evaluate()
    return evaluate


def test_a_failed_check_in_a_green_run_is_told(instance, hook, tick):
    """An ERROR check that does not block leaves its run green; only its evaluation tells of it."""

    @dg.asset(partitions_def=None)
    def fine():
        """An asset whose check fails."""

    @dg.asset_check(asset=fine)
    def looks_right():
        return dg.AssetCheckResult(
            passed=False, severity=dg.AssetCheckSeverity.ERROR, description="it is off"
        )

    result = dg.materialize([fine, looks_right], instance=instance)
    assert result.success
    tick()
    (text,) = hook.posted
    assert "looks_right: it is off" in text


def test_an_unconverged_model_is_told_once(refresh, sampler, hook, tick):
    """Check, partition and reason; the next tick has nothing to add."""
    sampler.unhealthy.add("full")
    refresh("shop", windows=("full",))
    tick()
    tick()
    (text,) = hook.posted
    assert "shop|full: sampler_converged: the sampler did not converge" in text
    assert "publish_job" not in text  # which said the same again, of the report that was refused for it


def test_refused_rows_are_told_with_the_client(refresh, data_dir, hook, tick):
    """One line, from the check; the run that it stopped does not say it again."""
    break_client(data_dir, "shop")
    refresh("shop")
    tick()
    (text,) = hook.posted
    assert text.splitlines()[0] == "mmm: 1 failures"
    assert "shop: data_contract: client 'shop', shop.csv: 2 faults" in text


def test_a_run_that_was_killed_is_told(instance, hook, tick):
    """It failed without any step that could say why."""
    run = instance.create_run_for_job(
        build_defs().resolve_job_def("portfolio_job"), status=dg.DagsterRunStatus.STARTED
    )
    instance.report_run_failed(run, message="The process that executed this run is gone.")
    tick()
    assert "portfolio_job: portfolio_job: The process that executed this run is gone." in hook.posted[0]


def test_good_runs_and_old_failures_are_not_told(refresh, sampler, data_dir, hook, instance, home):
    """A channel that is new does not begin with last year's failures."""
    break_client(data_dir, "app")
    refresh("app")
    with dg.build_sensor_context(instance=instance) as context:
        cursor = alerts.failure_notices(context).cursor
    refresh("shop", windows=("full",))
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        assert "0 failures" in alerts.failure_notices(context).skip_reason.skip_message
    assert hook.posted == []


def test_warnings_are_told_only_when_asked_for(refresh, sampler, hook, tick, home, instance):
    """A window that holds rows out did not converge."""
    place = alerts._newest(instance)
    sampler.unhealthy.add("h04")
    refresh("shop", windows=("full", "h04"))
    assert not any("sampler_converged" in line for line in alerts.failures_since(instance, place)[0])
    lines, _ = alerts.failures_since(instance, place, warnings=True)
    assert any(line.startswith("shop|h04: sampler_converged") for line in lines)


def test_a_channel_that_was_down_gets_it_later_and_the_other_not_twice(
    refresh, data_dir, hook, tick, home, monkeypatch
):
    """Each channel has its own place."""
    with serving(_Hook) as other:
        monkeypatch.setenv("MMM_OTHER", f"http://127.0.0.1:{other.server_address[1]}/")
        (home / "notices.yaml").write_text(
            "channels:\n- {kind: webhook, url_env: MMM_WEBHOOK_URL}\n- {kind: webhook, url_env: MMM_OTHER}\n"
        )
        tick()
        hook.status = 503
        break_client(data_dir, "shop")
        refresh("shop")
        tick()
        assert (len(hook.posted), len(other.posted)) == (0, 1)
        hook.status = 200
        tick()
        assert (len(hook.posted), len(other.posted)) == (1, 1)


class _Dripping(socketserver.BaseRequestHandler):
    """A server that sends a byte now and then, for ever."""

    def handle(self):
        with contextlib.suppress(OSError):
            while True:
                self.request.sendall(b"H")
                time.sleep(0.02)


class _Odd(Channel):
    """A channel with a fault that nobody has thought of."""

    kind: str = "odd"

    def send(self, notice, log):
        raise KeyError("what")


def test_a_delivery_ends_in_time_and_costs_the_others_nothing(monkeypatch):
    """A server that drips bytes, a fault of a library: each is its own channel's, and a good channel gets through."""
    notice = Notice("mmm: 1 failures", ("shop: broken",))
    with serving(_Dripping) as dripping, serving(_Hook) as good:
        for name, server in (("DRIPPING", dripping), ("GOOD", good)):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}/")
        slow = WebhookChannel(url_env="DRIPPING")
        channels = {"1": slow, "2": _Odd(), "3": WebhookChannel(url_env="GOOD")}
        log = logging.getLogger("test")
        faults = deliver({name: (channel, notice) for name, channel in channels.items()}, log, seconds=0.5)
        assert faults == {"1": "not done after 0.5 s", "2": "KeyError"}
        assert good.posted == [notice.text]
        again = deliver({"1": (slow, notice)}, log, seconds=0.5)
        assert again == {"1": "the server still holds the notice before"}


def test_a_secret_is_in_no_message(refresh, data_dir, hook, tick, home, capfd, monkeypatch):
    """A webhook's address is a password: neither error nor log shows it; a missing variable is named."""
    hook.status = 500
    break_client(data_dir, "shop")
    refresh("shop")
    tick()
    monkeypatch.delenv("MMM_WEBHOOK_URL")
    tick()
    said = "".join(capfd.readouterr())
    assert "webhook of $MMM_WEBHOOK_URL: HTTP 500" in said
    assert "the environment variable MMM_WEBHOOK_URL is not set" in said
    assert "secret-token" not in said


def test_mail_has_subject_sender_recipients_and_every_line():
    """By SMTP to a server of this machine."""
    with serving(_Mail) as server:
        channel = EmailChannel(
            host="127.0.0.1",
            port=server.server_address[1],
            sender="mmm@example.org",
            recipients=("a@example.org", "b@example.org"),
            starttls=False,
        )
        channel.send(Notice("mmm: 2 failures", ("shop: broken", "app: broken too")), None)
    (mail,) = server.posted
    for part in ("Subject: mmm: 2 failures", "From: mmm@example.org", "a@example.org, b@example.org"):
        assert part in mail
    assert "- shop: broken" in mail
    assert "- app: broken too" in mail


def test_long_notices_are_cut():
    """Five thousand failures are one readable message."""
    text = Notice("many", tuple(f"client {n}" for n in range(5000))).text
    assert len(text.splitlines()) == 202
    assert "4800 more" in text


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("channels: [{kind: pigeon}]", "channels"),
        ("channels: [{kind: webhook, url: https://x}]", "url_env"),
        ("channels: [{kind: webhook, url_env: 'https://hooks.example/T0'}]", "url_env"),
        ("channel: []", "channel"),
        ("channels: [", "found"),
        ("channels: !!bool maybe", "found"),
        ("warnings: !!float ''", "found"),
        *(
            (f"channels: [{{kind: email, host: {host}, sender: {sender}, recipients: [{recipient}]}}]", fault)
            for host, sender, recipient, fault in (
                ("'a b'", "a@b.c", "d@e.f", "host"),
                ("a..b", "a@b.c", "d@e.f", "host"),
                (f"{'a' * 64}.org", "a@b.c", "d@e.f", "host"),
                ("'mail.example.org:587'", "a@b.c", "d@e.f", "host"),
                ("mail.example.org", '"a@b.c\\nBcc: x@y.z"', "d@e.f", "sender"),
                ("mail.example.org", "nobody", "d@e.f", "sender"),
                ("mail.example.org", "a@b.c", '"d@e.f\\r\\n"', "recipients"),
                ("mail.example.org", "a@b.c", "'d@e.f, g@h.i'", "recipients"),
            )
        ),
    ],
)
def test_settings_that_cannot_be_used_are_refused(home, written, fault):
    """A secret in the file among them: an address is no name of an environment variable."""
    (home / "notices.yaml").write_text(written)
    with pytest.raises(ConfigError, match=fault):
        read_notice_config(home)


def test_broken_settings_do_not_silence_the_log(refresh, data_dir, home, tick, capfd):
    """Failures still reach the log, and the fault of the file with them."""
    (home / "notices.yaml").write_text("channels: [")
    tick()
    break_client(data_dir, "shop")
    refresh("shop")
    tick()
    said = "".join(capfd.readouterr())
    assert "notices.yaml" in said
    assert "shop: data_contract" in said


def test_without_settings_failures_go_to_the_log(home):
    """And the settings of a full file are read."""
    assert [channel.kind for channel in read_notice_config(home).channels] == ["log"]
    (home / "notices.yaml").write_text(
        "warnings: true\nchannels:\n- kind: log\n- {kind: webhook, url_env: A}\n"
        "- {kind: email, host: mail.example.org, sender: a@b.c, recipients: [d@e.f], user_env: U, password_env: P}\n"
    )
    config = read_notice_config(home)
    assert isinstance(config, NoticeConfig)
    assert [channel.kind for channel in config.channels] == ["log", "webhook", "email"]
    assert isinstance(config.channels[1], WebhookChannel)
    assert config.channels[2].recipients == ("d@e.f",)
