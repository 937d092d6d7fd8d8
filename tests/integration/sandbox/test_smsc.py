import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

SMPP_PASSWORD = "secret"
LONG = "Max it: vos 1 050 FCFA d'unités de 13h47 ne sont pas encore arrivés, nous nous en occupons. " * 3


@pytest.fixture
def connect(sandbox):
    clients = []

    def connect(password: str = SMPP_PASSWORD):
        receipts = []

        def receive(pdu) -> None:
            receipts.append(pdu)

        client = smpplib.client.Client("127.0.0.1", sandbox.port("smpp"), timeout=5, allow_unknown_opt_params=True)
        clients.append(client)
        client.responses, client.receipts = {}, receipts
        client.set_message_sent_handler(lambda pdu: client.responses.update({pdu.sequence: pdu.message_id.decode()}))
        client.set_message_received_handler(receive)
        client.connect()
        client.bind_transceiver(system_id="reconcile", password=password)
        return client

    yield connect
    for client in clients:
        if client._socket is not None:
            client._socket.close()
        client.state = smpplib.consts.SMPP_CLIENT_STATE_CLOSED


def submit(client, text: str, *, registered: bool = True) -> list[int]:
    parts, encoding, flags = smpplib.gsm.make_parts(text)
    return [
        client.send_message(
            source_addr="MaxIt",
            destination_addr="2250707123456",
            short_message=part,
            data_coding=encoding,
            esm_class=flags,
            registered_delivery=registered,
        ).sequence
        for part in parts
    ]


def listen(client, *, responses: int, receipts: int) -> None:
    while len(client.responses) < responses or len(client.receipts) < receipts:
        client.read_once(ignore_error_codes=[])


@pytest.mark.parametrize("text", ["Bonjour", LONG, "Vos unités sont arrivées ✓ " * 6])
def test_a_message_arrives_whole_and_each_part_is_receipted(sandbox, connect, text: str):
    client = connect()
    parts = submit(client, text)
    listen(client, responses=len(parts), receipts=len(parts))
    assert sandbox.control.get("/books").json()["sms_received"] == 1
    receipts = {pdu.receipted_message_id.decode().rstrip("\0"): pdu for pdu in client.receipts}
    assert receipts.keys() == set(client.responses.values())
    for message_id, pdu in receipts.items():
        assert pdu.esm_class == 0x04
        assert pdu.short_message.decode().startswith(f"id:{message_id} sub:001 dlvrd:001 submit date:2407090000")
        assert b"stat:DELIVRD err:000" in pdu.short_message
        assert pdu.source_addr == b"2250707123456"


def test_a_message_without_the_wish_gets_no_receipt(connect):
    client = connect()
    submit(client, "Bonjour", registered=False)
    submit(client, "Bonjour")
    listen(client, responses=2, receipts=1)
    assert client.receipts[0].receipted_message_id.decode().rstrip("\0") == max(client.responses.values(), key=int)


def test_receipts_outlive_the_connection_and_the_process(sandbox, connect):
    client = connect()
    submit(client, "Bonjour")
    while not client.responses:
        # Read the response, and let the receipt go unacknowledged.
        pdu = client.read_pdu()
        if pdu.command == "submit_sm_resp":
            client.responses[pdu.sequence] = pdu.message_id.decode()
    client._socket.close()
    sandbox.restart_after_kill()
    again = connect()
    listen(again, responses=0, receipts=1)
    assert again.receipts[0].receipted_message_id.decode().rstrip("\0") in client.responses.values()


def test_parts_of_one_message_may_come_before_and_after_a_kill(sandbox, connect):
    parts, encoding, flags = smpplib.gsm.make_parts(LONG)
    assert len(parts) > 1
    for number, part in enumerate(parts):
        client = connect()
        client.send_message(
            source_addr="MaxIt",
            destination_addr="2250707123456",
            short_message=part,
            data_coding=encoding,
            esm_class=flags,
        )
        listen(client, responses=1, receipts=0)
        assert sandbox.control.get("/books").json()["sms_received"] == (number == len(parts) - 1)
        sandbox.restart_after_kill()


def test_a_wrong_password_is_refused(connect):
    with pytest.raises(smpplib.exceptions.PDUError, match="bind_transceiver_resp: Invalid Password"):
        connect(password="wrong")


def test_a_link_can_be_checked_and_closed(connect):
    client = connect()
    client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
    assert client.read_pdu().command == "enquire_link_resp"
    client.unbind()
    client.disconnect()


def test_a_hundred_messages_a_second_are_no_trouble(sandbox, connect):
    client = connect()
    for _ in range(200):
        submit(client, "Bonjour")
    listen(client, responses=200, receipts=200)
    assert sandbox.control.get("/books").json()["sms_received"] == 200
