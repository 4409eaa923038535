"""FIX messages for the tests of the reader, with `|` for SOH where they are written down."""

import random
from collections.abc import Iterator

SEPARATORS = (b"\x01", b"|", b"^A")
HEAD = "34=7|49=VENUE|52=20261129-04:00:00.123|56=DESK|"
BODIES = {
    "snapshot": f"35=W|{HEAD}262=1|55=NIFTY-20261229-23700CE|268=3|269=0|270=105.25|271=75|346=3|1023=1|269=1|"
    "270=0105.3500|271=150.00|272=20261129|273=04:00:00.1|269=C|271=0|7777=x|",
    "ohlc": f"35=W|{HEAD}48=35001|22=8|268=6|269=2|270=100|271=75|273=04:00:00|269=4|270=98.5|269=7|270=101.05|"
    "269=8|270=98|269=6|270=99.9999|272=20261128|269=B|271=120000|",
    "increment": f"35=X|{HEAD}262=1|268=3|279=0|269=0|278=9|55=A|270=-0.05|271=75|272=20261129|279=1|269=1|270=0|"
    "273=04:00:00.5|279=2|278=8|",
    "execution": f"35=8|{HEAD}37=1|11=2|17=3|150=F|39=1|55=NIFTY|54=1|38=75|44=100|32=25|31=100.05|151=50|14=25|"
    '6=100.0333333|60=20261129-04:00:00.123456789|58=caf\xe9 "q" \\ |354=3|355=a|b|',
    "cancelReject": f"35=9|{HEAD}37=1|11=3|41=2|39=8|434=1|102=0|58=too late|",
    "reject": f"35=3|{HEAD}43=Y|122=20261129-04:00:00|45=6|371=55|372=V|373=1|58=missing|",
    "businessReject": f"35=j|{HEAD}45=6|372=V|379=1|380=3|",
    "requestReject": f"35=Y|{HEAD}262=1|281=0|58=unknown symbol|",
    "definition": f"35=d|{HEAD}320=1|322=2|323=1|55=NIFTY|461=OCXXXX|541=20261229|202=23700|201=1|231=65|561=65|"
    "969=0.05|711=1|311=NIFTY 50|305=8|555=2|600=l|623=1|624=1|600=m|623=2|624=2|",
    "securityList": f"35=y|{HEAD}320=1|322=2|560=0|393=2|146=2|55=A|711=1|311=N|309=q|202=23700|870=2|871=4|872=0.05|"
    "871=5|872=x|55=B|454=1|455=b|456=8|15=INR|893=Y|",
    "other": f"35=A|{HEAD}98=0|108=30|95=5|96=a|b|c|",
}


def framed(body: bytes, version: bytes = b"FIX.4.4") -> bytes:
    """A body in its frame, SOH for |."""
    front = b"8=%b\x019=%d\x01%b" % (version, len(body), body.replace(b"|", b"\x01"))
    return front + b"10=%03d\x01" % (sum(front) & 255)


def message(kind: str, version: bytes = b"FIX.4.4") -> bytes:
    """The example of this kind."""
    return framed(BODIES[kind].encode("latin-1"), version)


def body_of(whole: bytes) -> bytes:
    return whole[whole.index(b"\x01", 10) + 1 : -7]


PIECES = (
    b"=", b"\x01", b"|", b"^A", b"^", b"8=FIX.4.4\x019=", b"8=FIX.4.2|9=", b"10=", b"268=2\x01", b"269=0\x01",
    b"279=1\x01", b"1e999", b"NaN", b"-1", b"0", b".", b"999999999999999", b"95=3\x01", b"96=abc\x01",
    b"272=20260230\x01", b"273=24:00:00\x01", b"\xff", b'"', b"20261229-23:59:60",
    b"60=20000229-00:00:00.1\x01", b"00100.50",
)  # fmt: skip


def mutated(seed: int) -> Iterator[bytes]:
    """Bytes of a log without end: messages changed, framed anew or not, between other things."""
    chance = random.Random(seed)
    wholes = [message(kind) for kind in BODIES]
    while True:
        whole = chance.choice(wholes)
        is_framed = chance.random() < 0.7  # by right lengths and sums, so that what is within is read
        bent = bytearray(body_of(whole) if is_framed else whole)
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            _bend(chance, bent)
        whole = framed(bytes(bent)) if is_framed and bent else bytes(bent)
        whole = whole.replace(b"\x01", chance.choice((b"\x01", b"\x01", *SEPARATORS)))
        before = chance.choice((b"", b"2018-02-23 19:14:25 -> ", b"8", b"8=FIX"))
        yield before + whole + chance.choice((b"", b"\n", b"x 8=FIX.4.4", wholes[0], wholes[0][:-3]))


def _bend(chance: random.Random, bent: bytearray) -> None:
    at, how = chance.randrange(len(bent) + 1), chance.random()
    if how < 0.25 and at < len(bent):
        bent[at] = chance.randrange(256)
    elif how < 0.5:
        del bent[at : at + chance.randrange(6)]
    elif how < 0.75:
        bent[at:at] = chance.choice(PIECES)
    else:
        fields = bytes(bent).split(b"\x01")
        one = chance.choice(fields)
        fields.insert(chance.randrange(len(fields)), one)
        if chance.random() < 0.5:
            fields.remove(one)
        bent[:] = b"\x01".join(fields)
