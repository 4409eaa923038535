# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""FIX to JSON as a compiled kernel; `reader_plain` is its twin. Import `reader`, never this file.

A message is looked at twice: once to find its fields, once to write them, by the same tables, straight into one buffer.
"""
# budget: what is done for every field stands in one place: a call for each would cost as much as the field itself

import sys

import cython
from cython import Py_ssize_t, address, bint, cast, cfunc, inline, longlong, pointer, ulonglong
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.cpython.mem import PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cython.cimports.libc.string import memchr, memcmp, memcpy

from participant.wire.fix.dictionary import DATA_OF, MESSAGES, OTHER

IS_COMPILED = bool(cython.compiled) and sys.byteorder == "little"  # eight bytes at a time are read as one number

Bytes = cython.typedef(pointer(cython.const[cython.uchar]))
Out = cython.typedef(pointer(cython.uchar))

UNFINISHED = cython.declare(cython.int, -1)


@cfunc
@inline
@cython.exceptval(check=False)
def _is_digit(c: cython.uchar) -> bint:
    return cast(cython.uchar, c - 48) < 10


@cfunc
@inline
@cython.exceptval(check=False)
def _eight(v: Bytes) -> ulonglong:
    """Eight bytes as one number, the first the lowest."""
    eight: ulonglong
    memcpy(address(eight), v, 8)
    return eight


@cfunc
@inline
@cython.exceptval(check=False)
def _equal(eight: ulonglong, c: ulonglong) -> ulonglong:
    """The top bit of every byte that is `c`; right up to the first of them, and 0 where none is."""
    eight ^= ONES * c
    return (eight - ONES) & ~eight & TOPS


@cfunc
@inline
@cython.exceptval(check=False)
def _no_digits(eight: ulonglong) -> ulonglong:
    """The top bit of every byte that is no digit."""
    eight ^= ONES * 48
    return (((eight & ~TOPS) + ONES * 0x76) | eight) & TOPS


@cfunc
@inline
@cython.exceptval(check=False)
def _pair(v: Bytes) -> cython.int:
    """Two digits as a number; far below zero where they are none."""
    if not _is_digit(v[0]) or not _is_digit(v[1]):
        return -100_000
    return (v[0] - 48) * 10 + v[1] - 48


@cfunc
@inline
@cython.exceptval(check=False)
def _separator(v: Bytes, left: Py_ssize_t) -> Py_ssize_t:
    """How long the separator is that stands here; 0 where none does."""
    if left > 0 and (v[0] == 1 or v[0] == 124):  # | as logs print it
        return 1
    return 2 if left > 1 and v[0] == 94 and v[1] == 65 else 0  # ^A


@cfunc
@cython.exceptval(check=False)
def _begin(data: Bytes, at: Py_ssize_t, size: Py_ssize_t) -> Py_ssize_t:
    """Where 8=FIX, a version, a separator and 9= stand next; -1 where they do not."""
    while at < size:
        found: Bytes = cast(Bytes, memchr(data + at, 56, size - at))
        if found == cython.NULL:
            return -1
        at = found - data
        if _begin_size(found, size - at):
            return at
        at += 1
    return -1


@cfunc
@cython.exceptval(check=False)
def _begin_size(v: Bytes, left: Py_ssize_t) -> Py_ssize_t:
    """How long the beginning is that stands here, up to BodyLength; 0 where there is none."""
    i: Py_ssize_t = 5
    if left < 9 or memcmp(v, b"8=FIX", 5) != 0:
        return 0
    while i < left and i < 13 and (_is_digit(v[i]) or v[i] == 46 or v[i] == 84):
        i += 1
    mark: Py_ssize_t = _separator(v + i, left - i)
    if i == 5 or not mark or left < i + mark + 2 or v[i + mark] != 57 or v[i + mark + 1] != 61:
        return 0
    return i + mark + 2


@cfunc
@inline
@cython.exceptval(check=False)
def _days(year: longlong, month: longlong, day: longlong) -> longlong:
    """Days since 1 January 1970 (the proleptic Gregorian calendar, years that begin in March)."""
    if month <= 2:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719_469


@cfunc
@cython.exceptval(check=False)
def _day(v: Bytes) -> longlong:
    """The day of YYYYMMDD since the epoch; -1 where it is none, or not of 1971 to 2261."""
    year: cython.int = _pair(v) * 100 + _pair(v + 2)
    month: cython.int = _pair(v + 4)
    day: cython.int = _pair(v + 6)
    if not 1971 <= year <= 2261 or not 1 <= month <= 12 or day < 1:
        return -1
    last: cython.int = 30 + ((month + (month >> 3)) & 1)
    if month == 2:
        last = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return _days(year, month, day) if day <= last else -1


@cfunc
@cython.exceptval(check=False)
def _second(v: Bytes) -> cython.int:
    """The second of the day of HH:MM:SS; -1 where it is none."""
    hour: cython.int = _pair(v)
    minute: cython.int = _pair(v + 3)
    second: cython.int = _pair(v + 6)
    if v[2] != 58 or v[5] != 58 or not 0 <= hour < 24 or not 0 <= minute < 60 or not 0 <= second < 60:
        return -1
    return hour * 3600 + minute * 60 + second


@cfunc
@cython.exceptval(check=False)
def _is_fraction(v: Bytes, n: Py_ssize_t) -> bint:
    """Whether nothing stands here, or a point and 1 to 9 digits."""
    i: Py_ssize_t
    if n == 0:
        return True
    if n < 2 or n > 10 or v[0] != 46:
        return False
    for i in range(1, n):
        if not _is_digit(v[i]):
            return False
    return True


@cfunc
@cython.exceptval(check=False)
def _digits(o: Out, number: longlong) -> Out:
    """A number that is not negative."""
    room: cython.uchar[24]
    n: Py_ssize_t = 24
    while True:
        n -= 1
        room[n] = cast(cython.uchar, 48 + number % 10)
        number = number // 10
        if number == 0:
            break
    memcpy(o, address(room[n]), 24 - n)
    return o + (24 - n)


def _scopes(scope, found):
    """A scope and those of its groups, and of theirs."""
    if all(scope is not one for one in found):
        found.append(scope)
        for field in scope.fields.values():
            if field.group:
                _scopes(field.group, found)


@cfunc
@inline
@cython.exceptval(check=False)
def _three(v: Bytes) -> cython.int:
    """A tag of three digits, the first no 0, with = after it, as nearly all are; -1 where there is none."""
    four: cython.uint
    memcpy(address(four), v, 4)
    four ^= EQUALS_AFTER_THREE  # now the digits themselves, and nothing behind them
    if (four | (four + SIXES)) & NO_DIGITS or not four & 15:
        return -1
    two: cython.uint = (four * TENS) >> 8  # of the first and the second digit, and of the second and the third
    return cast(cython.int, (two & 255) * 10 + (four >> 16))


@cfunc
@cython.exceptval(check=False)
def _tag(v: Bytes) -> cython.int:
    """A tag of 1 to 5 digits, the first no 0, with = after it; -1 where there is none."""
    number: cython.int = 0
    i: cython.int
    if v[0] == 48 or v[0] == 61:
        return -1
    for i in range(6):
        if v[i] == 61:
            return number
        if not _is_digit(v[i]):
            return -1
        number = number * 10 + v[i] - 48
    return -1


@cfunc
@inline
@cython.exceptval(check=False)
def _count(v: Bytes, n: Py_ssize_t) -> longlong:
    """A whole number of at most 9 digits; -1 where it is none."""
    number: longlong = 0
    i: Py_ssize_t
    if n > 9:
        return -1
    for i in range(n):
        if not _is_digit(v[i]):
            return -1
        number = number * 10 + v[i] - 48
    return number


@cfunc
@cython.exceptval(check=False)
def _at(start: Py_ssize_t, tag: cython.int) -> Py_ssize_t:
    """Where the field begins whose value does here."""
    while tag:
        tag = tag // 10
        start -= 1
    return start - 1


@cfunc
@cython.exceptval(check=False)
def _fraction(v: Bytes, n: Py_ssize_t) -> longlong:
    """The ns of a fraction of a second, from its point on."""
    ns: longlong = 0
    i: Py_ssize_t
    for i in range(1, 10):
        ns = ns * 10 + (v[i] - 48 if i < n else 0)
    return ns


@cfunc
@cython.exceptval(check=False)
def _moment(v: Bytes, n: Py_ssize_t) -> longlong:
    """The time (ns UTC) that a UTCTimestamp says; -1 where it is none."""
    if n < 17 or v[8] != 45 or not _is_fraction(v + 17, n - 17):
        return -1
    day: longlong = _day(v)
    second: longlong = _second(v + 9)
    if day < 0 or second < 0:
        return -1
    return (day * 86_400 + second) * cast(longlong, 1_000_000_000) + _fraction(v + 17, n - 17)


@cython.final
@cython.cclass
class Reader:
    """Reads messages as JSON: what each method does, `reader_plain` says."""

    def __cinit__(self, decimals: cython.int = 4, keeps_other: bint = True):
        if not 0 <= decimals <= 8:
            raise ValueError(f"decimals is {decimals}: prices have 0 to 8")
        self.decimals = decimals
        self.keeps_other = keeps_other
        listed: list = []
        for scope in (OTHER, *MESSAGES.values()):
            _scopes(scope, listed)
        fields = 1 + sum(len(scope.fields) for scope in listed)
        wordings = 1 + sum(1 for scope in listed for field in scope.fields.values() if field.words)
        self.table = cast(pointer(cython.ushort), PyMem_Calloc(len(listed) * TAGS, cython.sizeof(cython.ushort)))
        self.fields = cast(pointer(Field), PyMem_Calloc(fields, cython.sizeof(Field)))
        self.stamps = cast(pointer(longlong), PyMem_Calloc(fields, cython.sizeof(longlong)))
        self.words = cast(Out, PyMem_Calloc(wordings * 128, WORD_SIZE))
        self.restored = cast(Out, PyMem_Malloc(BODY_MAX + 64))
        self.tags = cast(pointer(cython.int), PyMem_Malloc(5 * FIELDS_MAX * cython.sizeof(cython.int)))
        if not self.table or not self.fields or not self.stamps or not self.words or not self.restored or not self.tags:
            raise MemoryError
        self.starts = self.tags + FIELDS_MAX
        self.sizes = self.starts + FIELDS_MAX
        self.unknown = self.sizes + FIELDS_MAX
        self.unknown_nth = self.unknown + FIELDS_MAX
        self._fill(listed)

    def __dealloc__(self):
        PyMem_Free(self.table)
        PyMem_Free(self.fields)
        PyMem_Free(self.stamps)
        PyMem_Free(self.words)
        PyMem_Free(self.restored)
        PyMem_Free(self.tags)
        PyMem_Free(self.out)

    def _fill(self, listed):
        """The tables of `dictionary` as C reads them."""
        numbers = {id(scope): number for number, scope in enumerate(listed)}
        at: cython.int = 0
        words: cython.int = 0
        if len(listed) > 64:
            raise ValueError("the dictionary has more scopes than there is room for")
        for number, scope in enumerate(listed):
            self.first_of[cast(cython.int, number)] = scope.first
            for field in scope.fields.values():
                at += 1
                place: cython.int = number * TAGS + field.tag
                self.table[place] = cast(cython.ushort, at)
                name: bytes = f'"{field.name}":'.encode()
                self.fields[at].kind = field.kind
                self.fields[at].name_size = len(name)
                self.fields[at].group = numbers[id(field.group)] if field.group else 0
                memcpy(self.fields[at].name, PyBytes_AS_STRING(name), len(name))
                if field.words:
                    words += 1
                    self.fields[at].words = words
                    self._fill_words(words, field.words)
        for kind, scope in MESSAGES.items():
            self.scope_of[cast(cython.int, ord(kind))] = numbers[id(scope)]
        self.fronts = [f'{{"kind":"{scope.name}","version":"'.encode() for scope in listed]
        for length, data in DATA_OF.items():
            self.data_of[cast(cython.int, length)] = data
            self.parts[cast(cython.int, length)] = IS_LENGTH
            self.parts[cast(cython.int, data)] = IS_DATA
        code: cython.int
        for code in range(256):
            self.escapes[code] = 1 if code < 32 else 2 if code > 127 else 0
        for one, letter in zip(b'"\\\b\f\n\r\t', b'"\\bfnrt', strict=True):
            self.escapes[cast(cython.int, one)] = letter

    def _fill_words(self, table: cython.int, words):
        for letter, word in words.items():
            text: bytes = f'"{word}",'.encode()
            code: cython.int = ord(letter)
            place: Out = self.words + (table * 128 + code) * WORD_SIZE
            place[0] = len(text)
            memcpy(place + 1, PyBytes_AS_STRING(text), len(text))

    @cfunc
    @cython.exceptval(check=False)
    def refuse(self, fault: cython.int, tag: cython.int, at: Py_ssize_t) -> cython.int:
        self.fault = fault
        self.fault_tag = tag
        self.fault_at = at
        return 0

    # --- the frame ----------------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(check=False)
    def frame(self, data: Bytes, size: Py_ssize_t) -> cython.int:
        """Whether the message that begins here has its right frame: 1, 0 (refused) or UNFINISHED."""
        begin: Py_ssize_t = _begin_size(data, size)
        mark: Py_ssize_t = 2 if data[begin - 3] == 65 else 1
        if begin != 11 + mark or memcmp(data + 5, b".4.", 3) != 0 or (data[8] != 50 and data[8] != 52):
            return self.refuse(VERSION, 0, 2)
        i: Py_ssize_t = begin
        length: longlong = 0
        while i < size and i < begin + 9 and _is_digit(data[i]):
            length = length * 10 + data[i] - 48
            i += 1
        if i + mark > size:
            return UNFINISHED
        if memcmp(data + i, data + begin - 2 - mark, mark) != 0 or not 1 <= length <= BODY_MAX:
            return self.refuse(LENGTH, 0, begin - mark + 1)
        self.body_at = i - mark + 2
        self.trailer_at = self.body_at + length
        total: Py_ssize_t = self.trailer_at + 6
        if data[i] == 1:
            if total + 1 > size:
                return UNFINISHED
            self.base = data
            self.end = total + 1
        else:
            whole: cython.int = self.restore(data, size, total)
            if whole != 1:
                return self.refuse(CUT, 0, 0) if whole == 0 else UNFINISHED
        v: Bytes = self.base + self.trailer_at
        if (v - 1)[0] != 1 or memcmp(v, b"10=", 3) != 0 or v[6] != 1 or not _is_digit(v[3]) or _pair(v + 4) < 0:
            return self.refuse(TRAILER, 0, self.trailer_at)
        total_of_bytes: cython.uchar = 0  # modulo 256, so that the compiler adds sixteen at a time
        for i in range(self.trailer_at):
            total_of_bytes += self.base[i]
        if total_of_bytes != (v[3] - 48) * 100 + _pair(v + 4):
            return self.refuse(CHECKSUM, 0, self.trailer_at)
        return 1

    @cfunc
    @cython.exceptval(check=False)
    def restore(self, data: Bytes, size: Py_ssize_t, total: Py_ssize_t) -> cython.int:
        """Copy a message with SOH for the | or ^A of a log: 1, UNFINISHED, or 0 where another begins within."""
        o: Out = self.restored
        i: Py_ssize_t = 0
        n: Py_ssize_t = 0
        is_bar: bint = data[_begin_size(data, size) - 3] == 124
        while n < total:
            if i >= size:
                return UNFINISHED
            c: cython.uchar = data[i]
            if c == 56 and i > 0 and _begin_size(data + i, size - i):
                return 0
            i += 1
            if is_bar and c == 124:
                c = 1
            elif not is_bar and c == 94 and i < size and data[i] == 65:
                c = 1
                i += 1
            o[n] = c
            n += 1
        o[n] = 1
        if i < size and (data[i] == 124 if is_bar else _separator(data + i, size - i) == 2):  # a log may lack the last
            i += 1 if is_bar else 2
        self.base = self.restored
        self.end = i
        return 1

    # --- its fields ---------------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(check=False)
    def tokenise(self) -> cython.int:
        """Find the fields from MsgType on, raw data by their length; 0 where one is refused."""
        v: Bytes = self.base
        tags: pointer(cython.int) = self.tags
        starts: pointer(cython.int) = self.starts
        sizes: pointer(cython.int) = self.sizes
        i: Py_ssize_t = self.body_at
        last: Py_ssize_t = self.trailer_at
        count: cython.int = 0
        parts: cython.int = 0  # of raw data
        waits: cython.int = 0  # the field that said how many bytes of raw data follow
        length: longlong = 0
        while i < last:
            if count == FIELDS_MAX:
                return self.refuse(FIELDS, 0, i)
            at: Py_ssize_t = i
            tag: cython.int = _three(v + i)
            i += 4
            if tag < 0:
                tag = _tag(v + at)
                if tag < 0:
                    return self.refuse(TAG, 0, at)
                i = at + 2 + (tag > 9) + (tag > 99) + (tag > 999) + (tag > 9999)
            start: Py_ssize_t = i
            if i >= last:
                return self.refuse(TAG, 0, at)
            part: cython.int = self.parts[tag] if tag < TAGS else 0
            parts |= part
            if waits or part == IS_DATA:
                if not waits or self.data_of[waits] != tag:
                    return self.refuse(DATA, waits if waits else tag, at)
                i = start + length
                if i >= last or v[i] != 1:
                    return self.refuse(DATA_LENGTH, waits, at)
                waits = 0
            else:
                found: ulonglong = _equal(_eight(v + i), 1)
                while not found:  # at the latest in the CheckSum's own field
                    i += 8
                    found = _equal(_eight(v + i), 1)
                i += trailing_zeros(found) >> 3
            if i == start:
                return self.refuse(EMPTY, tag, at)
            tags[count] = tag
            starts[count] = start
            sizes[count] = i - start
            count += 1
            if part == IS_LENGTH:
                length = _count(v + start, i - start)
                if not 0 <= length <= BODY_MAX:
                    return self.refuse(DATA_LENGTH, tag, at)
                waits = tag
            i += 1
        if waits:
            return self.refuse(DATA, waits, i)
        self.count = count
        self.is_raw = parts != 0
        if tags[0] != 35:
            return self.refuse(TYPE, 0, self.body_at)
        return 1

    # --- what is written ----------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(-1, check=False)
    def reserve(self) -> cython.int:
        """Room for the longest JSON that the message at hand can become."""
        wanted: Py_ssize_t = self.used + 6 * (self.trailer_at - self.body_at) + SLACK * (self.count + 4)
        if wanted > self.room:
            wanted += wanted >> 1
            larger: Out = cast(Out, PyMem_Realloc(self.out, wanted))
            if not larger:
                raise MemoryError
            self.out = larger
            self.room = wanted
        return 0

    @cfunc
    @cython.exceptval(-1, check=False)
    def write(self) -> cython.int:
        """Append the JSON of the message whose frame is right: 1, or 0 where it is refused."""
        if not self.tokenise():
            return 0
        self.reserve()
        msg_type: Bytes = self.base + self.starts[0]
        size: Py_ssize_t = self.sizes[0]
        scope: cython.int = self.scope_of[msg_type[0]] if size == 1 and msg_type[0] < 128 else 0
        front: bytes = self.fronts[scope]
        o: Out = self.out + self.used
        memcpy(o, PyBytes_AS_STRING(front), len(front))
        o += len(front)
        memcpy(o, self.base + 2, 7)
        memcpy(o + 7, b'",', 2)
        o += 9
        if scope == 0:
            memcpy(o, b'"msgType":', 10)
            o = self.text(o + 10, msg_type, size)
        o = self.walk(o, scope)
        if not o:
            return 0
        self.used = o - self.out
        return 1

    @cfunc
    @cython.exceptval(check=False)
    def walk(self, o: Out, scope: cython.int) -> Out:
        """All fields after MsgType, by the scopes that are open; NULL where one is refused."""
        tags: pointer(cython.int) = self.tags  # what is written through `o` might be anything, to the compiler
        starts: pointer(cython.int) = self.starts
        sizes: pointer(cython.int) = self.sizes
        table: pointer(cython.ushort) = self.table
        fields: pointer(Field) = self.fields
        stamps: pointer(longlong) = self.stamps
        base: Bytes = self.base
        count: cython.int = self.count
        level: pointer(Level) = address(self.levels[0])
        depth: cython.int = 0
        unknowns: cython.int = 0
        i: cython.int
        self.stamp += 1
        level.scope = scope
        level.stamp = self.stamp
        level.day = level.clock = cython.NULL
        for i in range(1, count):
            tag: cython.int = tags[i]
            v: Bytes = base + starts[i]
            n: Py_ssize_t = sizes[i]
            if depth and level.entries == 0 and tag != level.first:
                self.refuse(FIRST, tag, _at(starts[i], tag))
                return cython.NULL
            f: cython.int = 0
            knowing: cython.int = depth
            if tag < TAGS:
                f = table[level.scope * TAGS + tag]
                while f == 0 and knowing > 0:
                    knowing -= 1
                    f = table[self.levels[knowing].scope * TAGS + tag]
            while f and depth > knowing:
                o = self.leave(o, level, _at(starts[i], tag))
                if not o:
                    return cython.NULL
                depth -= 1
                level = address(self.levels[depth])
            if f == 0:
                self.unknown[unknowns] = i
                self.unknown_nth[unknowns] = cast(cython.int, self.levels[1].entries) if depth else 0
                unknowns += 1
                continue
            if depth and tag == level.first:
                if level.entries == level.count:
                    self.refuse(MORE, level.tag, _at(starts[i], tag))
                    return cython.NULL
                if level.entries:
                    o = self.finish(o, level)
                    (o - 1)[0] = 125  # for the last comma
                    o[0] = 44
                    o += 1
                o[0] = 123
                o += 1
                self.stamp += 1
                level.stamp = self.stamp
                level.entries += 1
            field: pointer(Field) = address(fields[f])
            kind: cython.int = field.kind
            if kind == IS_STRAY or stamps[f] == level.stamp:
                self.refuse(STRAY if kind == IS_STRAY else TWICE, tag, _at(starts[i], tag))
                return cython.NULL
            stamps[f] = level.stamp
            if kind == AS_GROUP:
                entries: longlong = _count(v, n)
                if not 0 <= entries <= GROUP_MAX:
                    self.refuse(COUNT, tag, _at(starts[i], tag))
                    return cython.NULL
                memcpy(o, field.name, 32)
                o += field.name_size
                o[0] = 91
                o += 1
                if entries:
                    depth += 1
                    level = address(self.levels[depth])
                    level.scope = field.group
                    level.tag = tag
                    level.first = self.first_of[field.group]
                    level.count = entries
                    level.entries = 0
                    level.day = level.clock = cython.NULL
                else:
                    memcpy(o, b"],", 2)
                    o += 2
                continue
            if kind == AS_DAY:
                level.day = v
                if n != 8 or _day(v) < 0:
                    o = self.wrong(TIME)
            elif kind == AS_CLOCK:
                level.clock = v
                level.clock_size = n
                if n < 8 or _second(v) < 0 or not _is_fraction(v + 8, n - 8):
                    o = self.wrong(TIME)
            else:
                memcpy(o, field.name, 32)
                o = self.value(o + field.name_size, field, v, n)
            if not o:
                self.refuse(self.fault, tag, _at(starts[i], tag))
                return cython.NULL
        while depth:
            o = self.leave(o, level, self.trailer_at)
            if not o:
                return cython.NULL
            depth -= 1
            level = address(self.levels[depth])
        if unknowns and self.keeps_other:
            o = self.rest(o, unknowns)
        (o - 1)[0] = 125
        return o

    @cfunc
    @cython.exceptval(check=False)
    def leave(self, o: Out, level: pointer(Level), at: Py_ssize_t) -> Out:
        """End a group; NULL where it has fewer entries than were counted."""
        if level.entries < level.count:
            self.refuse(SHORT, level.tag, at)
            return cython.NULL
        o = self.finish(o, level)
        (o - 1)[0] = 125
        memcpy(o, b"],", 2)
        return o + 2

    @cfunc
    @cython.exceptval(check=False)
    def finish(self, o: Out, level: pointer(Level)) -> Out:
        """Write the time of an entry, which stands in two fields."""
        moment: cython.uchar[32]
        if level.day and level.clock:
            memcpy(moment, level.day, 8)
            moment[8] = 45
            memcpy(address(moment[9]), level.clock, level.clock_size)
            memcpy(o, b'"at":', 5)
            o = self.time(o + 5, moment, 9 + level.clock_size)
        elif level.day:
            memcpy(o, b'"date":"', 8)
            memcpy(o + 8, level.day, 8)
            memcpy(o + 16, b'",', 2)
            o += 18
        elif level.clock:
            memcpy(o, b'"time":', 7)
            ns: longlong = _fraction(level.clock + 8, level.clock_size - 8)
            o = _digits(o + 7, _second(level.clock) * cast(longlong, 1_000_000_000) + ns)
            o[0] = 44
            o += 1
        level.day = level.clock = cython.NULL
        return o

    @cfunc
    @cython.exceptval(check=False)
    def rest(self, o: Out, unknowns: cython.int) -> Out:
        """The fields that no table lists: tag, value, after how many entries."""
        i: cython.int
        memcpy(o, b'"other":[', 9)
        o += 9
        for i in range(unknowns):
            one: cython.int = self.unknown[i]
            o[0] = 91
            o = _digits(o + 1, self.tags[one])
            o[0] = 44
            o = self.text(o + 1, self.base + self.starts[one], self.sizes[one])
            o = _digits(o, self.unknown_nth[i])
            memcpy(o, b"],", 2)
            o += 2
        (o - 1)[0] = 93
        o[0] = 44
        return o + 1

    # --- values: each ends with a comma -------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(check=False)
    def wrong(self, fault: cython.int) -> Out:
        self.fault = fault
        return cython.NULL

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def value(self, o: Out, field: pointer(Field), v: Bytes, n: Py_ssize_t) -> Out:
        """A value by its kind; NULL where it is none, and why in `fault`."""
        if field.kind == AS_WORD and n == 1 and v[0] < 128:
            word: Bytes = self.words + (field.words * 128 + v[0]) * WORD_SIZE
            if word[0]:
                memcpy(o, word + 1, 31)
                return o + word[0]
        if field.kind == AS_TEXT or field.kind == AS_WORD:
            return self.text(o, v, n)
        if field.kind == AS_TIME:
            return self.time(o, v, n)
        if field.kind == AS_FLAG:
            is_yes: bint = v[0] == 89
            if n != 1 or (v[0] != 89 and v[0] != 78):
                return self.wrong(FLAG)
            memcpy(o, b"true," if is_yes else b"false,", 5 if is_yes else 6)
            return o + (5 if is_yes else 6)
        return self.number(o, field.kind, v, n)

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def text(self, o: Out, v: Bytes, n: Py_ssize_t) -> Out:
        """Latin-1 as a string of JSON. (Up to seven bytes behind the value are read: those of the CheckSum's field.)"""
        i: Py_ssize_t = 0
        o[0] = 34
        o += 1
        while i < n:
            eight: ulonglong = _eight(v + i)
            memcpy(o + i, address(eight), 8)
            if n - i < 8:
                shift: cython.int = (8 - cast(cython.int, n - i)) * 8
                eight = (eight << shift) | ((ONES * 32) >> (64 - shift))
            if ((eight - ONES * 32) & ~eight & TOPS) | (eight & TOPS) | _equal(eight, 34) | _equal(eight, 92):
                return self.escaped(o, v, n)
            i += 8
        memcpy(o + n, b'",', 2)
        return o + n + 2

    @cfunc
    @cython.exceptval(check=False)
    def escaped(self, o: Out, v: Bytes, n: Py_ssize_t) -> Out:
        """A text, behind its first quote, that does not stand in JSON as it is."""
        i: Py_ssize_t
        for i in range(n):
            c: cython.uchar = v[i]
            how: cython.uchar = self.escapes[c]
            if how == 0:
                o[0] = c
                o += 1
            elif how == 1:
                memcpy(o, b"\\u00", 4)
                o[4] = 48 + (c >> 4)
                o[5] = 48 + (c & 15) if (c & 15) < 10 else 87 + (c & 15)
                o += 6
            elif how == 2:
                o[0] = 0xC0 | (c >> 6)
                o[1] = 0x80 | (c & 63)
                o += 2
            else:
                o[0] = 92
                o[1] = how
                o += 2
        memcpy(o, b'",', 2)
        return o + 2

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def number(self, o: Out, kind: cython.int, v: Bytes, n: Py_ssize_t) -> Out:
        """Digits as digits, moved to the unit of prices where they are one; no float comes of them on the way."""
        places: Py_ssize_t = self.decimals if kind == AS_PRICE else 0
        i: Py_ssize_t = 0
        if n <= 7 and 48 < v[0] < 58 and n + places <= DIGITS_MAX and kind != AS_DECIMAL:  # as nearly all are
            eight: ulonglong = _eight(v)
            other: ulonglong = _no_digits(eight)  # of the seven bytes that may be digits, and the separator
            point: Py_ssize_t = trailing_zeros(other) >> 3
            memcpy(o, address(eight), 8)
            part: Py_ssize_t = n - point - 1
            if point == n:
                memcpy(o + n, b"00000000", 8)
                o[n + places] = 44
                return o + n + places + 1
            if v[point] == 46 and kind == AS_PRICE and part <= places:
                other &= other - 1
                if trailing_zeros(other) >> 3 == n:
                    kept: ulonglong = (cast(ulonglong, 1) << (8 * part)) - 1
                    eight = ((eight >> (8 * point + 8)) & kept) | (ONES * 48 & ~kept)
                    memcpy(o + point, address(eight), 8)
                    o[point + places] = 44
                    return o + point + places + 1
        i = 0
        is_below: bint = v[0] == 45
        if is_below:
            i = 1
        whole: Py_ssize_t = i
        while i < n and _is_digit(v[i]):
            i += 1
        point = i
        if point == whole or n > TEXT_MAX or (i < n and (v[i] != 46 or kind == AS_NUMBER)):
            return self.wrong(NUMBER)
        i += 1
        while i < n and _is_digit(v[i]):
            i += 1
        if i < n:
            return self.wrong(NUMBER)
        if kind == AS_DECIMAL:
            return self.text(o, v, n)
        if is_below and kind != AS_PRICE:
            return self.wrong(NEGATIVE)
        last: Py_ssize_t = n
        while last > point + 1 and v[last - 1] == 48:
            last -= 1
        part = last - point - 1 if last > point + 1 else 0
        while whole < point and v[whole] == 48:
            whole += 1
        if part > places:
            return self.wrong(FINE if kind == AS_PRICE else WHOLE)
        if point - whole + places > DIGITS_MAX:
            return self.wrong(NUMBER)
        if whole == point and part == 0:
            memcpy(o, b"0,", 2)
            return o + 2
        if is_below:
            o[0] = 45
            o += 1
        for i in range(whole, point):
            o[0] = v[i]
            o += 1
        i = point + 1
        is_begun: bint = whole < point
        while i <= point + places:
            c: cython.uchar = v[i] if i <= point + part else 48
            if is_begun or c != 48:
                is_begun = True
                o[0] = c
                o += 1
            i += 1
        o[0] = 44
        return o + 1

    @cfunc
    @cython.exceptval(check=False)
    def time(self, o: Out, v: Bytes, n: Py_ssize_t) -> Out:
        """A UTCTimestamp as ns: its second, which is as a rule the one read last, and the digits of its fraction."""
        if n < 17 or v[8] != 45 or not _is_fraction(v + 17, n - 17):
            return self.wrong(TIME)
        if memcmp(v, self.moment, 17) != 0:
            day: longlong = _day(v)
            second: longlong = _second(v + 9)
            if day < 0 or second < 0:
                return self.wrong(TIME)
            memcpy(self.moment, v, 17)
            self.seconds_size = cast(cython.int, _digits(self.seconds, day * 86_400 + second) - self.seconds)
        memcpy(o, self.seconds, 16)
        o += self.seconds_size
        memcpy(o, b"000000000,", 10)
        if n > 18:
            memcpy(o, v + 18, n - 18)
        return o + 10

    # --- for Python ---------------------------------------------------------------------------------------------------

    def json(self, message: bytes):
        data: Bytes = cast(Bytes, PyBytes_AS_STRING(message))
        size: Py_ssize_t = len(message)
        self.used = 0
        if not _begin_size(data, size):
            return (0, BEGIN, 0)
        verdict: cython.int = self.frame(data, size)
        if verdict == UNFINISHED:
            return (0, CUT, 0)
        if verdict and self.end != size:
            self.refuse(BEGIN, 0, self.trailer_at + 7)
            verdict = 0
        if not verdict or not self.write():
            return (self.fault_at, self.fault, self.fault_tag)
        return PyBytes_FromStringAndSize(cast(pointer(cython.char), self.out), self.used)

    def lines(self, data: bytes, is_last: bint):
        v: Bytes = cast(Bytes, PyBytes_AS_STRING(data))
        size: Py_ssize_t = len(data)
        at: Py_ssize_t = 0
        skipped: Py_ssize_t = 0
        count: Py_ssize_t = 0
        refused: list = []
        self.used = 0
        while True:
            begin: Py_ssize_t = _begin(v, at, size)
            if begin < 0:
                last: Py_ssize_t = size if is_last else max(at, size - KEPT)
                skipped += last - at
                at = last
                break
            skipped += begin - at
            at = begin
            verdict: cython.int = self.frame(v + at, size - at)
            if verdict == UNFINISHED:
                if not is_last:
                    break
                self.refuse(CUT, 0, 0)
            if verdict != 1:
                refused.append((at, self.fault_at, self.fault, self.fault_tag))
                at += _begin_size(v + at, size - at)
                continue
            if self.write():
                self.out[self.used] = 10
                self.used += 1
                count += 1
            else:
                refused.append((at, self.fault_at, self.fault, self.fault_tag))
            at += self.end
        text = PyBytes_FromStringAndSize(cast(pointer(cython.char), self.out), self.used) if self.used else b""
        return (text, count, refused, skipped, at)
