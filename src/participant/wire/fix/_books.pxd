# The numbers of the kernel of books, as C has them: in its code, not in memory.

cdef extern from *:
    """
    // Eight digits become a number in three steps: of neighbours, of pairs, of fours.
    #define PAIRS 0x00FF00FF00FF00FFULL
    #define FOURS 0x0000FFFF0000FFFFULL
    // An odd number whose bits are as if by chance.
    #define MIXER 0x9E3779B97F4A7C15ULL
    """
    const unsigned long long PAIRS, FOURS, MIXER

cdef enum:
    ENTRIES_MAX = 200
    LEVELS_MAX = 4_096
    PRICE_DIGITS_MAX = 15
    SIZE_DIGITS_MAX = 12
    PRICE_TEXT_MAX = 32
    KNOWN_TAGS = 512  # what counts has a tag below this
    SPOTS = 4_096
    SPOT_SHIFT = 52  # leaves 12 bits
    DELETE = 2
    MISFIT = 2
    TRADE = 2

cdef enum:  # what an entry may say, by its place in `said`
    SYMBOL = 0
    SIDE = 1
    CHANGE = 2
    PRICE = 3
    SIZE = 4
    DAY = 5
    CLOCK = 6
    ORDERS = 7
    PLACES = 8
    NOTHING = 8  # it says nothing that counts
    ASTRAY = 9  # it has no place among entries
