import socket

LOOPBACK = "127.0.0.1"


class Ports:
    """Hands out free ports of the loopback address, each once."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def free(self, preferred: int) -> int:
        """`preferred` when it is free, else any other."""
        port = preferred if preferred not in self._given and _is_free(preferred) else 0
        while port == 0 or port in self._given:
            with socket.create_server((LOOPBACK, 0)) as server:
                port = server.getsockname()[1]
        self._given.add(port)
        return port


def _is_free(port: int) -> bool:
    try:
        # As a server binds it: connections of a run that has just ended do not count, a listener on any address does.
        with socket.create_server((LOOPBACK, port)):
            return True
    except OSError:
        return False
