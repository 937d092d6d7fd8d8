"""The session with an SMSC that misbehaves, octet by octet."""

import contextlib
import itertools
import socket
import threading
import time
from uuid import uuid4

import pytest

from reconcile.config import Secret, Sms
from reconcile.notices import smpp
from reconcile.notices.claiming import Ready
from reconcile.notices.outcome import ChannelDownError, Fate
from reconcile.notices.sms import SmsLink
from reconcile.notices.writing import Sms as Text
from reconcile.sandbox.smpp_pdu import HEADER, Command, Pdu, encode_delivery, encode_text

from .conftest import PATIENCE_SECONDS

RESPONSE = 0x80000000
RECEIPT = b"id:4711 sub:001 dlvrd:001 submit date:2407091450 done date:2407091450 stat:DELIVRD err:000 text:"


class Scripted:
    """An SMSC for one connection: `script` gets it, and says with PDUs what it likes."""

    def __init__(self, script) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._script = script
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._listener:
            connection, _ = self._listener.accept()
            connection.settimeout(PATIENCE_SECONDS)
            with connection, contextlib.suppress(OSError):
                self._script(Peer(connection))

    def join(self) -> None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()


class Peer:
    """The other end of the connection."""

    def __init__(self, connection) -> None:
        self.connection = connection

    def read(self) -> Pdu:
        head = self._exactly(HEADER.size)
        length, command, status, sequence = HEADER.unpack(head)
        return Pdu(command, status, sequence, self._exactly(length - HEADER.size))

    def send(self, *pdus: Pdu) -> None:
        self.connection.sendall(b"".join(pdu.encode() for pdu in pdus))

    def bind(self, *along: Pdu) -> None:
        pdu = self.read()
        assert pdu.command == Command.BIND_TRANSCEIVER
        self.send(pdu.reply(body=encode_text("test")), *along)

    def _exactly(self, count: int) -> bytes:
        taken = b""
        while len(taken) < count:
            octets = self.connection.recv(count - len(taken))
            if not octets:
                raise OSError("closed")
            taken += octets
        return taken


@pytest.fixture
def link(monkeypatch):
    """Opens a link to a scripted SMSC."""
    monkeypatch.setenv("TEST_SMPP_PASSWORD", "secret")
    with contextlib.ExitStack() as stack:

        def opened(script):
            smsc = Scripted(script)
            stack.callback(smsc.join)
            settings = Sms(port=smsc.port, password=Secret(env="TEST_SMPP_PASSWORD"))
            return stack.enter_context(SmsLink.open(settings))

        yield opened


def notices(count=1):
    return [Ready(uuid4(), "detected", "+2250707000011", "fr", Text("vos unités", 1)) for _ in range(count)]


def taken(peer):
    submission = peer.read()
    peer.send(submission.reply(body=encode_text("4711")))


def receipt(sequence=77, esm_class=0x04):
    return Pdu(Command.DELIVER_SM, 0, sequence, encode_delivery("2250707000011", "Max it", esm_class, RECEIPT, {}))


def test_a_bind_that_is_refused_is_named_without_the_password(link):
    with pytest.raises(
        ChannelDownError, match=r"127\.0\.0\.1:\d+ refused the bind of 'reconcile': Invalid Password \(0x0e\)"
    ):
        link(lambda peer: peer.send(Pdu(Command.BIND_TRANSCEIVER | RESPONSE, 0x0E, peer.read().sequence)))


def test_a_bind_that_is_not_answered_is_given_up(link, monkeypatch):
    monkeypatch.setattr(smpp, "BIND_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(ChannelDownError, match=r"did not answer the bind within 0\.2 seconds"):
        link(lambda peer: (peer.read(), peer.read()))


def test_an_smsc_that_hangs_up_at_the_bind_is_down(link):
    with pytest.raises(ChannelDownError, match="closed the connection instead of binding"):
        link(lambda peer: peer.read())


def test_a_receipt_that_comes_with_the_bind_is_kept_and_acknowledged_when_it_is_durable(link):
    answers = []

    def script(peer):
        peer.bind(receipt())
        answers.append(peer.read())

    opened = link(script)
    assert opened.listen(PATIENCE_SECONDS)
    assert [(found.provider_id, found.state) for found in opened.received] == [("4711", "DELIVRD")]
    time.sleep(0.1)
    assert answers == []
    opened.acknowledge()
    assert opened.received == []
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not answers and time.monotonic() < give_up:
        opened.listen(0.1)
    assert [(pdu.command, pdu.status, pdu.sequence) for pdu in answers] == [(Command.DELIVER_SM | RESPONSE, 0, 77)]


def test_a_customers_message_is_turned_away_and_not_swallowed(link):
    answers = []

    def script(peer):
        peer.bind(receipt(esm_class=0x00))
        answers.append(peer.read())

    opened = link(script)
    assert not opened.listen(0.2)
    assert [(pdu.command, pdu.status) for pdu in answers] == [(Command.DELIVER_SM | RESPONSE, 0x66)]


def test_a_link_that_is_asked_whether_it_lives_says_so_and_an_unknown_command_does_not_end_it(link):
    answers = []

    def script(peer):
        peer.bind(Pdu(Command.ENQUIRE_LINK, 0, 5), Pdu(0x0009999, 0, 6), Pdu(0x00000021, 0, 7))
        answers.extend(peer.read() for _ in range(3))
        taken(peer)

    opened = link(script)
    opened.listen(0.2)
    assert [(pdu.command, pdu.sequence) for pdu in answers] == [
        (Command.ENQUIRE_LINK | RESPONSE, 5),
        (RESPONSE, 6),
        (RESPONSE, 7),
    ]
    assert opened.send(notices())[0].provider_ids == ("4711",)


def test_an_answer_that_dribbles_in_is_put_together(link):
    def script(peer):
        peer.bind()
        for octet in peer.read().reply(body=encode_text("4711")).encode():
            peer.connection.sendall(bytes([octet]))
            time.sleep(0.005)

    assert link(script).send(notices())[0].provider_ids == ("4711",)


@pytest.mark.parametrize("octets", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(16), HEADER.pack(17, 5, 0, 1) + b"x"])
def test_what_is_no_smpp_ends_the_link_and_leaves_the_submission_uncertain(link, octets):
    def script(peer):
        peer.bind()
        peer.read()
        peer.connection.sendall(octets)
        peer.read()

    opened = link(script)
    assert [outcome.fate for outcome in opened.send(notices())] == [Fate.UNCERTAIN]
    assert opened.lost


def test_when_the_smsc_unbinds_what_it_did_not_answer_is_uncertain_and_the_rest_untouched(link, monkeypatch):
    monkeypatch.setattr("reconcile.notices.sms.WINDOW", 2)
    answers = []

    def script(peer):
        peer.bind()
        taken(peer)
        peer.read()
        peer.send(Pdu(Command.UNBIND, 0, 9))
        with contextlib.suppress(OSError):
            answers.extend(peer.read() for _ in itertools.count())

    opened = link(script)
    fates = [outcome.fate for outcome in opened.send(notices(6))]
    assert fates[0] is Fate.SUBMITTED
    assert fates[1] is Fate.UNCERTAIN
    assert fates[-1] is Fate.UNTOUCHED
    assert opened.lost


def test_a_submission_that_did_not_wholly_leave_is_untouched(link, monkeypatch):
    monkeypatch.setattr("reconcile.notices.sms.RESPONSE_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr("reconcile.notices.sms.WINDOW", 100_000)

    def script(peer):
        peer.bind()
        time.sleep(1)  # reads nothing: the buffers between us fill up

    fates = {outcome.fate for outcome in link(script).send(notices(60_000))}
    assert fates == {Fate.UNCERTAIN, Fate.UNTOUCHED}


def test_an_answer_to_nothing_that_was_asked_changes_nothing(link):
    def script(peer):
        peer.bind()
        submission = peer.read()
        peer.send(
            Pdu(Command.SUBMIT_SM | RESPONSE, 0x0B, submission.sequence + 50), submission.reply(body=encode_text("1"))
        )

    assert link(script).send(notices())[0].fate is Fate.SUBMITTED
