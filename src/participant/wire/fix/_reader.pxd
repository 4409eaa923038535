# The tables and the state of a reader of FIX, as C has them; reader_plain says what it does.

cdef extern from *:
    """
    #if !defined(__GNUC__)
    #error "the reader of FIX wants a compiler that knows __builtin_ctzll; without one its twin in Python serves"
    #endif
    // The same byte eight times.
    #define ONES 0x0101010101010101ULL
    #define TOPS 0x8080808080808080ULL
    // Three digits and =, and what tells whether a byte below 16 is more than 9.
    #define EQUALS_AFTER_THREE 0x3D303030U
    #define SIXES 0x00060606U
    #define NO_DIGITS 0xFFF0F0F0U
    // Neighbouring digits become their two-digit number.
    #define TENS (10U * (1U << 8) + 1U)
    """
    const unsigned long long ONES, TOPS
    const unsigned int EQUALS_AFTER_THREE, SIXES, NO_DIGITS, TENS
    int trailing_zeros "__builtin_ctzll"(unsigned long long) noexcept

cdef enum:  # the numbers of codec and dictionary, as C has them
    BODY_MAX = 65_536
    FIELDS_MAX = 1_000
    GROUP_MAX = 200
    DIGITS_MAX = 15
    TEXT_MAX = 32
    TAGS = 2_048
    KEPT = 16
    IS_LENGTH = 1
    IS_DATA = 2
    WORD_SIZE = 32
    SLACK = 96  # what a field may need beside its value: its name, zeros, quotes

cdef enum Reading:  # dictionary.Kind
    IS_STRAY = 1
    AS_TEXT = 2
    AS_NUMBER = 3
    AS_SIZE = 4
    AS_PRICE = 5
    AS_DECIMAL = 6
    AS_TIME = 7
    AS_FLAG = 8
    AS_WORD = 9
    AS_DAY = 10
    AS_CLOCK = 11
    AS_GROUP = 12

cdef enum Why:  # dictionary.Fault
    BEGIN = 1
    VERSION = 2
    LENGTH = 3
    CUT = 4
    TRAILER = 5
    CHECKSUM = 6
    TAG = 7
    EMPTY = 8
    FIELDS = 9
    DATA = 10
    DATA_LENGTH = 11
    TYPE = 12
    TWICE = 13
    NUMBER = 14
    FINE = 15
    NEGATIVE = 16
    WHOLE = 17
    TIME = 18
    FLAG = 19
    COUNT = 20
    SHORT = 21
    MORE = 22
    FIRST = 23
    STRAY = 24

cdef struct Field:
    int kind
    int name_size
    int group  # the scope of its entries
    int words  # which table of words
    unsigned char[32] name  # with quotes and colon

cdef struct Level:  # a scope that is open
    int scope
    int tag  # that counted its entries
    int first  # tag that begins an entry
    long long count
    long long entries
    long long stamp  # of the entry at hand: a field that bears it stands there already
    const unsigned char* day
    const unsigned char* clock
    Py_ssize_t clock_size

cdef class Reader:
    cdef readonly int decimals
    cdef readonly bint keeps_other
    # the tables: scope * 2048 + tag -> field, a letter -> its word, what stands in a text as it is
    cdef unsigned short* table
    cdef Field* fields
    cdef unsigned char* words
    cdef int[64] first_of  # the tag that begins an entry of each scope
    cdef unsigned char[256] escapes
    cdef unsigned short[TAGS] data_of
    cdef unsigned char[TAGS] parts  # of raw data: IS_LENGTH, IS_DATA
    cdef unsigned char[128] scope_of  # a MsgType of one letter -> the number of its scope
    cdef list fronts  # how the JSON of a message of each scope begins
    # the message at hand: its bytes with SOH, where its body and its CheckSum begin, its fields
    cdef const unsigned char* base
    cdef unsigned char* restored
    cdef Py_ssize_t body_at
    cdef Py_ssize_t trailer_at
    cdef Py_ssize_t end
    cdef int* tags
    cdef int* starts
    cdef int* sizes
    cdef int* unknown
    cdef int* unknown_nth
    cdef int count
    cdef bint is_raw  # it has raw data
    cdef Level[4] levels
    cdef long long* stamps
    cdef long long stamp
    cdef unsigned char[32] moment  # a second as last read, and the seconds since the epoch that it is
    cdef unsigned char[16] seconds
    cdef int seconds_size
    # what is written, and why nothing is
    cdef unsigned char* out
    cdef Py_ssize_t used
    cdef Py_ssize_t room
    cdef int fault
    cdef int fault_tag
    cdef Py_ssize_t fault_at
    cdef int refuse(self, int fault, int tag, Py_ssize_t at) noexcept
    cdef int frame(self, const unsigned char* data, Py_ssize_t size) noexcept
    cdef int restore(self, const unsigned char* data, Py_ssize_t size, Py_ssize_t total) noexcept
    cdef int tokenise(self) noexcept
    cdef int reserve(self) except -1
    cdef int write(self) except -1
    cdef unsigned char* walk(self, unsigned char* o, int scope) noexcept
    cdef unsigned char* leave(self, unsigned char* o, Level* level, Py_ssize_t at) noexcept
    cdef unsigned char* rest(self, unsigned char* o, int unknowns) noexcept
    cdef unsigned char* value(self, unsigned char* o, Field* field, const unsigned char* v, Py_ssize_t n) noexcept
    cdef unsigned char* escaped(self, unsigned char* o, const unsigned char* v, Py_ssize_t n) noexcept
    cdef unsigned char* wrong(self, int fault) noexcept
    cdef unsigned char* text(self, unsigned char* o, const unsigned char* v, Py_ssize_t n) noexcept
    cdef unsigned char* number(self, unsigned char* o, int kind, const unsigned char* v, Py_ssize_t n) noexcept
    cdef unsigned char* time(self, unsigned char* o, const unsigned char* v, Py_ssize_t n) noexcept
    cdef unsigned char* finish(self, unsigned char* o, Level* level) noexcept

cdef long long _moment(const unsigned char* v, Py_ssize_t n) noexcept
