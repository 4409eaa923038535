"""The cases of fields: which, of what form, in what order; of routing and PossResend; under QuickFIX's own names."""

from tests.wire.fix_cases import Case
from tests.wire.fix_cases_numbers import stands

END = "\n> 5 {}\n< 5 {}\nover"


def routed(fields: str, back: str, *, seq: int, fault: str = "371=40 373=5") -> str:
    """An order with these routing fields that is rejected, and what the Reject must route back."""
    text = "11=ID 21=3 38=100 40=w 54=1 55=INTC 60=now" if "40" in fault else "order"
    return f"> D {seq} {fields} {text}\n< 3 {seq} {back} 45={seq} 372=D {fault}\n"


def empty(fields: str, back: str, *, seq: int, tag: int) -> str:
    """The same where a routing field stands without a value."""
    return routed(fields, back, seq=seq, fault=f"371={tag} 373=4")


CASES = {
    "14a_BadField": Case(
        "a tag that the version does not know is rejected, and the number used up",
        stands(
            "> 0 2 999=HI\n< 3 2 45=2 371=999 372=0 373=0\n> 0 3 0=HI\n< 3 3 45=3 371=0 373=0\n"
            "> 0 4 -1=HI\n< 3 4 45=4 371=-1 373=0\n> 0 5 5000=HI\n< 3 5 45=5 371=5000 373=0" + END.format(6, 6)
        ),
    ),
    "14b_RequiredFieldMissing": Case(
        "a field that must be there and is not, in header or body, is rejected",
        stands(
            "> 0 2 -56\n< 3 2 45=2 371=56 372=0 373=1\n"
            "> D 3 11=id 21=3 40=1 54=1 60=now\n< 3 3 45=3 371=55 372=D 373=1" + END.format(4, 4)
        ),
    ),
    "14c_TagNotDefinedForMsgType": Case(
        "a tag of other messages is rejected", stands("> 0 2 55=MSFT\n< 3 2 45=2 371=55 372=0 373=2" + END.format(3, 3))
    ),
    "14d_TagSpecifiedWithoutValue": Case(
        "a tag without a value is rejected", stands("> 0 2 56=\n< 3 2 45=2 371=56 372=0 373=4" + END.format(3, 3))
    ),
    "14e_IncorrectEnumValue": Case(
        "a value that is none of a field's values is rejected",
        stands(
            "> D 2 11=ID 21=4 40=1 54=1 38=200.00 55=INTC 60=now\n< 3 2 45=2 371=21 372=D 373=5\n"
            "> D 3 order 167=BOO\n< 3 3 45=3 371=167 372=D 373=5\n> D 4 order 167=FUT\n< D 4 167=FUT" + END.format(5, 5)
        ),
    ),
    "14f_IncorrectDataFormat": Case(
        "a value of another form is rejected",
        stands("> D 2 order 38=+200.00\n< 3 2 45=2 371=38 372=D 373=6" + END.format(3, 3)),
    ),
    "14g_HeaderBodyTrailerFieldsOutOfOrder": Case(
        "a field of the header after one of the body is rejected",
        stands(
            "> D 2 as: 11=id 21=3 40=1 54=1 55=MSFT 60=now 34=2 49=PEER 52=now 56=DESK\n< 3 2 45=2 371=34 372=D {14}\n"
            "> D 3 as: 55=MSFT 34=3 49=PEER 52=now 56=DESK 11=id 21=3 40=1 54=1 60=now\n< 3 3 45=3 371=34 372=D {14}"
            + END.format(4, 4)
        ),
    ),
    "14h_RepeatedTag": Case(
        "a tag that stands twice outside a group is rejected",
        stands("> D 2 11=ID 21=1 40=1 40=2 54=1 55=INTC 60=now\n< 3 2 45=2 371=40 372=D {13}" + END.format(3, 3)),
    ),
    "14i_RepeatingGroupCountNotEqual": Case(
        "a group with fewer entries than it counts is rejected",
        stands("> D 2 order 386=3 336=PRE-OPEN 336=AFTER-HOURS\n< 3 2 45=2 371=386 372=D {16}" + END.format(3, 3)),
    ),
    "15_HeaderAndBodyFieldsOrderedDifferently": Case(
        "the order of fields within header and body does not matter",
        stands(
            "> D 2 order\n< D 2 11=ID\n> D 3 as: 49=PEER 34=3 56=DESK 52=now 40=1 55=MSFT 60=now 54=1 21=3 11=id\n"
            "< D 3 11=id 55=MSFT" + END.format(4, 4)
        ),
    ),
    "19a_PossResendMessageThatHAsAlreadyBeenSent": Case(
        "PossResend of an order that the application has seen by its id is ignored, and uses up its number",
        stands("> D 2 order\n< D 2\n> D 3 97=Y order" + END.format(4, 3)),
        "the ids are the application's to know; the session hands PossResend on",
    ),
    "19b_PossResendMessageThatHasNotBeenSent": Case(
        "one that it has not seen is taken", stands("> D 2 97=Y order\n< D 2 97=Y 11=ID" + END.format(3, 3))
    ),
    "21_RepeatingGroupSpecifierWithValueOfZero": Case(
        "a group of no entries is taken",
        stands("> d 2 320=A 322=B 323=5 22=8 167=FUT 336=MAIN 58=None 55=TBS 454=0\n< d 2 454=0" + END.format(3, 3)),
    ),
    "RejectResentMessage": Case(
        "a message that was asked for again and is bad is rejected, fills its place, and what waited has its turn",
        stands(
            "> 1 3 112=HELLO1\n< 2 2 7=2 16=0\n> D 2 43=Y 122=now order 126=20040415\n< 3 3 45=2 371=126 372=D 373=6\n"
            "< 0 4 112=HELLO1\n> 1 4 112=HELLO2\n< 0 5 112=HELLO2" + END.format(11, 6)
        ),
    ),
    "ReverseRoute": Case(
        "a Reject goes back the way its message was routed",
        stands(
            routed("115=JCD", "128=JCD !129 !145", seq=2)
            + routed("128=JCD", "115=JCD !116", seq=3)
            + routed("115=JCD 116=CS", "128=JCD 129=CS", seq=4)
            + routed("128=JCD 129=CS", "115=JCD 116=CS", seq=5)
            + routed("115=JCD 116=CS 144=CHI", "128=JCD 129=CS 145=CHI", seq=6)
            + routed("128=JCD 129=CS 145=CHI", "115=JCD 116=CS 144=CHI", seq=7)
            + END.format(8, 8).strip()
        ),
    ),
    "ReverseRouteWithEmptyRoutingTags": Case(
        "a routing field without a value is rejected, and not routed back",
        stands(
            empty("115=", "!128", seq=2, tag=115)
            + empty("128=", "!115", seq=3, tag=128)
            + empty("115=JCD 116=", "128=JCD !129", seq=4, tag=116)
            + empty("128=JCD 129=", "115=JCD !116", seq=5, tag=129)
            + empty("115=JCD 116=CS 144=", "128=JCD 129=CS !145", seq=6, tag=144)
            + empty("128=JCD 129=CS 145=", "115=JCD 116=CS !144", seq=7, tag=145)
            + END.format(8, 8).strip()
        ),
    ),
}
