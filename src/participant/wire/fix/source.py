"""What the configuration says of a FIX provider of market data: both names, how the session is kept, and its TLS."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[!-~]{1,64}$")]


class FixSource(Struct, frozen=True, forbid_unknown_fields=True):
    """`sender` and `target` are the CompIDs of ours and theirs. Files are PEM but for the `journal`, which is SQLite.

    Without a journal each connection begins at 1; with one, numbers go on where they were.
    """

    sender: Name
    target: Name
    version: Literal["FIX.4.2", "FIX.4.4"] = "FIX.4.4"
    heartbeat_s: Annotated[int, Meta(ge=1, le=60)] = 2
    sending_time_max_s: Annotated[int, Meta(ge=0, le=3_600)] = 0
    levels_max: Annotated[int, Meta(ge=0, le=100)] = 0
    journal: str = ""
    authorities: str = ""
    certificate: str = ""
    key: str = ""
    hostname: str = ""

    @property
    def tls_settings(self) -> list[str]:
        """Which of the settings for TLS are given."""
        return [name for name in ("authorities", "certificate", "key", "hostname") if getattr(self, name)]
