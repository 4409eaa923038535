"""A QuickFIX engine as the other side of a session, in a process of its own.

    python -m tests.links.quickfix_peer acceptor|initiator PORT COUNT FOLDER [VERSION]

An acceptor waits for a market data request and sends COUNT incremental refreshes, each with its number as MDEntryID. An
initiator asks for them, and is done when it has COUNT. Both print one line a thing that happens; an acceptor ends with
its standard input. Where FOLDER holds an authority's certificate they speak TLS, and ask the other side for its own.
"""

import sys
import threading
from pathlib import Path
from typing import Any

import quickfix

SETTINGS = """[DEFAULT]
ConnectionType={role}
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=1
ReconnectInterval=1
UseDataDictionary=Y
DataDictionary={folder}/rules.xml
FileStorePath={folder}/store
SocketNodelay=Y
PersistMessages=Y
[SESSION]
BeginString={version}
SenderCompID=QUICKFIX
TargetCompID=DESK
SocketAcceptPort={port}
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
"""
SECURE = """ServerCertificateFile={folder}/engine.crt
ServerCertificateKeyFile={folder}/engine.key
ClientCertificateFile={folder}/engine.crt
ClientCertificateKeyFile={folder}/engine.key
CertificationAuthoritiesFile={folder}/authority.pem
CertificateVerifyLevel=2
"""
TYPES = {
    34: "SEQNUM", 36: "SEQNUM", 45: "SEQNUM", 7: "SEQNUM", 16: "SEQNUM", 9: "LENGTH", 108: "INT", 98: "INT", 264: "INT",
    265: "INT", 371: "INT", 373: "INT", 380: "INT", 789: "SEQNUM", 52: "UTCTIMESTAMP", 122: "UTCTIMESTAMP",
    43: "BOOLEAN", 97: "BOOLEAN", 123: "BOOLEAN", 141: "BOOLEAN", 263: "CHAR", 269: "CHAR", 279: "CHAR", 270: "PRICE",
    271: "QTY", 267: "NUMINGROUP", 146: "NUMINGROUP", 268: "NUMINGROUP",
}  # fmt: skip
MESSAGES: dict[str, tuple[str, str, dict[int, str]]] = {
    "0": ("admin", "112", {}),
    "1": ("admin", "112!", {}),
    "2": ("admin", "7! 16!", {}),
    "3": ("admin", "45! 371 372 373 58", {}),
    "4": ("admin", "36! 123", {}),
    "5": ("admin", "58", {}),
    "A": ("admin", "98! 108! 141 789", {}),
    "j": ("app", "45 372! 380! 58", {}),
    "V": ("app", "262! 263! 264! 265", {267: "269!", 146: "55!"}),
    "X": ("app", "262", {268: "279! 269! 278 55 270 271"}),
}


def rules(version: str) -> str:
    """A data dictionary of just these messages, in the engine's own form."""
    tags = {int(word.rstrip("!")) for _, own, groups in MESSAGES.values() for text in (own, *groups.values())
            for word in text.split()} | set(TYPES) | {8, 10, 35, 49, 56}  # fmt: skip
    messages = "".join(
        f'<message name="M{ord(kind)}" msgtype="{kind}" msgcat="{cat}">{_fields(own)}'
        + "".join(f'<group name="T{tag}" required="Y">{_fields(text)}</group>' for tag, text in groups.items())
        + "</message>"
        for kind, (cat, own, groups) in MESSAGES.items()
    )
    fields = "".join(f'<field number="{tag}" name="T{tag}" type="{TYPES.get(tag, "STRING")}"/>' for tag in sorted(tags))
    return (
        f'<fix major="4" minor="{version[-1]}"><header>{_fields("8! 9! 35! 49! 56! 34! 52! 43 97 122")}</header>'
        f"<trailer>{_fields('10!')}</trailer><messages>{messages}</messages><fields>{fields}</fields></fix>"
    )


def _fields(text: str) -> str:
    return "".join(
        f'<field name="T{word.rstrip("!")}" required="{"Y" if word.endswith("!") else "N"}"/>' for word in text.split()
    )


ENGINES = {
    ("initiator", False): quickfix.SocketInitiator,
    ("acceptor", False): quickfix.SocketAcceptor,
    ("initiator", True): quickfix.SSLSocketInitiator,
    ("acceptor", True): quickfix.SSLSocketAcceptor,
}


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Peer(quickfix.Application):  # type: ignore[misc]  # the engine has no types
    """What both roles do: count what comes, and tell."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count, self.got = count, 0
        self.is_done = threading.Event()
        self.asked = threading.Event()

    def onCreate(self, session: Any) -> None:
        self.session = session

    def onLogon(self, session: Any) -> None:
        say("logon")
        self.logged_on(session)

    def logged_on(self, session: Any) -> None:
        """For an initiator."""

    def onLogout(self, session: Any) -> None:
        say("logout")

    def toAdmin(self, message: Any, session: Any) -> None:
        pass

    def fromAdmin(self, message: Any, session: Any) -> None:
        if message.getHeader().getField(35) == "3":
            say("rejected", message.toString().replace("\x01", "|"))

    def toApp(self, message: Any, session: Any) -> None:
        pass

    def fromApp(self, message: Any, session: Any) -> None:
        kind = message.getHeader().getField(35)
        if kind == "V":
            say("asked", message.getField(262))
            self.asked.set()
        elif kind == "X":
            self.take(message)
        else:
            say("odd", message.toString().replace("\x01", "|"))

    def take(self, message: Any) -> None:
        """An incremental refresh must be the next one."""
        group = quickfix.Group(268, 279)
        message.getGroup(1, group)
        number = int(group.getField(278))
        if number != self.got + 1:
            say("wrong", number, "after", self.got)
        self.got = number
        if number == self.count:
            say("all", number)
            self.is_done.set()


class Asking(Peer):
    def logged_on(self, session: Any) -> None:
        if self.asked.is_set():
            return
        self.asked.set()
        request = quickfix.Message()
        request.getHeader().setField(35, "V")
        for tag, value in ((262, "1"), (263, "1"), (264, "1"), (265, "1")):
            request.setField(tag, value)
        for count, tag, value in ((267, 269, "0"), (146, 55, "NIFTY")):
            group = quickfix.Group(count, tag)
            group.setField(tag, value)
            request.addGroup(group)
        quickfix.Session.sendToTarget(request, session)


def refresh(number: int) -> Any:
    message = quickfix.Message()
    message.getHeader().setField(35, "X")
    group = quickfix.Group(268, 279)
    for tag, value in ((279, "1"), (269, "0"), (278, str(number)), (55, "NIFTY"), (270, "123.45"), (271, "75")):
        group.setField(tag, value)
    message.addGroup(group)
    return message


def main(role: str, port: str, count: str, folder: str, version: str = "FIX.4.4") -> None:
    """Play the role."""
    home = Path(folder)
    (home / "rules.xml").write_text(rules(version))
    is_secure = (home / "authority.pem").exists()
    text = SETTINGS.replace("[SESSION]", SECURE + "[SESSION]") if is_secure else SETTINGS
    (home / "settings.cfg").write_text(text.format(role=role, port=port, folder=folder, version=version))
    settings = quickfix.SessionSettings(str(home / "settings.cfg"))
    peer = (Asking if role == "initiator" else Peer)(int(count))
    engine = ENGINES[role, is_secure](peer, quickfix.FileStoreFactory(settings), settings)
    engine.start()
    say("ready")
    if role == "acceptor":
        peer.asked.wait()
        for number in range(1, int(count) + 1):
            quickfix.Session.sendToTarget(refresh(number), peer.session)
        say("sent", count)
    else:
        peer.is_done.wait()
    sys.stdin.readline()
    engine.stop()
    say("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
