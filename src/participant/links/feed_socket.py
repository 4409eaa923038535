"""A WebSocket to a provider of market data, opened in one way for every adapter that holds one."""

from websockets.sync.client import ClientConnection, connect

CLOSE_MAX_S = 1.0


def dialled(url: str, bytes_max: int, open_max_s: float) -> ClientConnection:
    """The connection, whose messages are of at most `bytes_max`; WebSocketException, OSError where there is none."""
    return connect(
        url,
        compression=None,  # a packed bomb would be unpacked before its size is known, and who is near packs in vain
        proxy=None,
        open_timeout=open_max_s,
        close_timeout=CLOSE_MAX_S,
        max_size=bytes_max,
    )
