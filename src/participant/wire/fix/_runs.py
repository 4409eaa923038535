# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""Runs of messages as a compiled kernel; `runs_plain` is its twin. Import `runs`, never this file."""
# budget: what is done for every message stands in one place: split, each step would cost a call

import sys

import cython
from cython import Py_ssize_t, bint, cast, cfunc, longlong, pointer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING
from cython.cimports.libc.string import memchr, memcmp
from cython.cimports.participant.wire.fix._reader import Reader, _moment

from participant.wire.fix.frames import QUICK

IS_COMPILED = bool(cython.compiled) and sys.byteorder == "little"  # as the reader that it stands on

Bytes = cython.typedef(pointer(cython.const[cython.uchar]))

LENGTH_MAX = cython.declare(Py_ssize_t, 5)  # digits of BodyLength
SEQ_MAX = cython.declare(Py_ssize_t, 9)


@cython.final
@cython.cclass
class Runs:
    """Finds runs: what each method does, `runs_plain` says."""

    reader: Reader
    begin: bytes
    sender: bytes
    target: bytes
    kinds: cython.uchar[65_536]  # of a MsgType of one or two letters: whether it counts
    is_quick: cython.uchar[1_000]
    apart: longlong

    def __init__(self, version, names, kinds, apart_ns):
        self.reader = Reader()
        self.begin = f"8={version}\x01".encode("latin-1")
        self.sender, self.target = (name.encode("latin-1") for name in names)
        self.apart = apart_ns
        for kind in kinds:
            letters: bytes = kind.encode("latin-1")
            if not 1 <= len(letters) <= 2:
                raise ValueError(f"MsgType {kind!r} has not one letter or two")
            first: cython.int = letters[0]
            second: cython.int = letters[1] if len(letters) == 2 else 0
            self.kinds[first * 256 + second] = 1
        for tag in QUICK.values():
            self.is_quick[cast(cython.int, tag)] = 1

    def find(self, data: bytes, at: Py_ssize_t, seq: longlong, utc: longlong):
        v: Bytes = cast(Bytes, PyBytes_AS_STRING(data))
        size: Py_ssize_t = len(data)
        count: longlong = 0
        while self.is_plain(v + at, size - at, seq + count, utc):
            count += 1
            at += self.reader.end
        return (count, at)

    @cfunc
    @cython.exceptval(check=False)
    def is_plain(self, v: Bytes, left: Py_ssize_t, seq: longlong, utc: longlong) -> bint:
        """Whether a whole message begins here that has its right frame and a header as it is expected."""
        begin: Py_ssize_t = len(self.begin)
        if left < begin + 3 or memcmp(v, PyBytes_AS_STRING(self.begin), begin) != 0:
            return False
        if v[begin] != 57 or v[begin + 1] != 61 or self.reader.frame(v, left) != 1:
            return False
        at: Py_ssize_t = self.reader.body_at
        if at - begin - 3 > LENGTH_MAX:
            return False
        return self.is_headed(v, at, seq, utc)

    @cfunc
    @cython.exceptval(check=False)
    def is_headed(self, v: Bytes, at: Py_ssize_t, seq: longlong, utc: longlong) -> bint:
        """Whether the fields of the header that stand in front are five, and say what is expected."""
        last: Py_ssize_t = self.reader.trailer_at
        found: cython.int = 0
        if v[at] != 51 or v[at + 1] != 53 or v[at + 2] != 61:
            return False
        while at < last:
            tag: cython.int = 0
            i: Py_ssize_t = at
            while i < at + 3 and 48 <= v[i] <= 57:  # at the latest the CheckSum's field ends it
                tag = tag * 10 + v[i] - 48
                i += 1
            if v[i] != 61 or i < at + 2 or v[at] == 48 or not self.is_quick[tag]:
                break
            i += 1
            n: Py_ssize_t = cast(Bytes, memchr(v + i, 1, last - i)) - (v + i)
            one: cython.int = 1 << (tag - 34) if tag < 60 else 0
            if not one or (tag != 34 and tag != 35 and tag != 49 and tag != 52 and tag != 56):
                return False
            if not found & one and not self.is_expected(tag, v + i, n, seq, utc):
                return False
            found |= one
            at = i + n + 1
        return found == (1 | 1 << 1 | 1 << 15 | 1 << 18 | 1 << 22)  # of 34, 35, 49, 52, 56

    @cfunc
    @cython.exceptval(check=False)
    def is_expected(self, tag: cython.int, v: Bytes, n: Py_ssize_t, seq: longlong, utc: longlong) -> bint:
        """Whether a field of the header says what it must."""
        if tag == 34:
            number: longlong = 0
            i: Py_ssize_t
            if not 1 <= n <= SEQ_MAX:
                return False
            for i in range(n):
                if not 48 <= v[i] <= 57:
                    return False
                number = number * 10 + v[i] - 48
            return number == seq
        if tag == 35:
            return 1 <= n <= 2 and self.kinds[v[0] * 256 + (v[1] if n == 2 else 0)] != 0
        if tag == 52:
            said: longlong = _moment(v, n)
            return said >= 0 and (not self.apart or -self.apart <= said - utc <= self.apart)
        name: bytes = self.sender if tag == 49 else self.target
        return n == len(name) and memcmp(v, PyBytes_AS_STRING(name), n) == 0
