"""The cases of logon, numbers, duplicates, broken frames, time and resending, under the names of QuickFIX's own."""

from tests.wire.fix_cases import Case

STANDS = "> A 1 98=0 108=30\n< A 1 98=0 108=30 !141\n"
NOT_ORDERS = "News (35=B) in place of orders, which ours never sends again (see the case of ours below)"


def stands(script: str) -> str:
    """The script after a Logon that was answered."""
    return STANDS + script


CASES = {
    "1a_ValidLogonWithCorrectMsgSeqNum": Case("a Logon is answered by one", STANDS),
    "1a_ValidLogonMsgSeqNumTooHigh": Case(
        "a Logon beyond a gap is answered, then the gap is asked for; a Logout ends it all the same",
        "> A 5 98=0 108=30\n< A 1 108=30\n< 2 2 7=1 16=0\n> 5 6\n< 5 3\nover",
    ),
    "1b_DuplicateIdentity": Case(
        "a second connection of the same name is ended without a word",
        stands("2connect\n2> A 1 98=0 108=30\n2over"),
    ),
    "1c_InvalidSenderCompID": Case(
        "a Logon from somebody unknown ends the connection", "> A 1 49=EEPR 98=0 108=30\nover"
    ),
    "1c_InvalidTargetCompID": Case("a Logon to somebody else ends it", "> A 1 56=KSED 98=0 108=30\nover"),
    "1d_InvalidLogonBadSendingTime": Case(
        "a Logon of long ago ends it", "> A 1 52=20010101-00:00:00 98=0 108=30\nover"
    ),
    "1d_InvalidLogonLengthInvalid": Case("a Logon with a wrong BodyLength ends it", "> A 1 98=0 108=30 9=40\nover"),
    "1d_InvalidLogonWrongBeginString": Case("a Logon of another version ends it", "> A 1 8=FIX.3.9 98=0 108=30\nover"),
    "1e_NotLogonMessage": Case("a first message that is no Logon ends it", "> 0 1 56=KSED\nover"),
    "2a_MsgSeqNumCorrect": Case(
        "numbers that follow each other are taken in silence", stands("> 0 2\n> 0 3\n> 0 4\n> 0 5\n> 5 6\n< 5 2\nover")
    ),
    "2b_MsgSeqNumTooHigh": Case(
        "a gap is asked for once, and what waited beyond it counts when it is filled",
        stands("> 0 2\n> 0 3\n> 0 4\n> 0 10\n< 2 2 7=5 16=0\n> 0 5\n> 0 6\n> 0 7\n> 0 8\n> 0 9\n> 5 11\n< 5 3\nover"),
    ),
    "2c_MsgSeqNumTooLow": Case(
        "a number that was had, without PossDupFlag, ends the session with its reason",
        stands("> 0 2\n> 0 3\n> 0 4\n> 0 2\n< 5 2 58=MsgSeqNum_too_low,_expecting_5_but_received_2\nover"),
    ),
    "2d_GarbledMessage": Case(
        "a garbled message is ignored, uses up no number, and is asked for when the next one shows the gap",
        stands(
            "raw 8={v}|9=52|35=0|34=2|4garbled9=PEER|52={now}|56=DESK|10=0|\n> 0 2\n"
            "raw 8={v}|9=81|35=D|34=3|49garbled=PEER|52={now}|56=DESK|11=ID|21=3|40=1|54=1|55=INTC|10=0|\n"
            "> 0 4\n< 2 2 7=3 16=0\n> D 3 order\n< D 3 11=ID 55=INTC\n> 5 5\n< 5 4\nover"
        ),
    ),
    "2e_PossDupAlreadyReceived": Case(
        "a possible duplicate that was had is ignored", stands("> 0 2\n> 0 2 43=Y 122=now\n> 0 3\n> 5 4\n< 5 2\nover")
    ),
    "2e_PossDupNotReceived": Case(
        "one that was not had is taken", stands("> 0 2\n> 0 2 43=Y 122=now\n> 0 3 43=Y 122=now\n> 5 4\n< 5 2\nover")
    ),
    "2f_PossDupOrigSendingTimeTooHigh": Case(
        "a possible duplicate first sent after it was sent is rejected, and the session ended",
        stands(
            "> D 2 order\n< D 2\n> D 3 order\n< D 3\n> D 2 43=Y 122=now+10 order\n"
            "< 3 4 45=2 372=D 373=10 !371\n< 5 5\n> 5 4\nover"
        ),
    ),
    "2g_PossDupNoOrigSendingTime": Case(
        "one that does not say when it was sent first is rejected, and no number is used up",
        stands(
            "> D 2 order\n< D 2\n> D 3 order\n< D 3\n> D 2 43=Y order\n< 3 4 45=2 371=122 372=D 373=1\n"
            "> 1 4 112=HELLO\n< 0 5 112=HELLO\n> 5 5\n< 5 6\nover"
        ),
    ),
    "2i_BeginStringValueUnexpected": Case(
        "another version in midstream brings a Logout; the session ends with the answer, or without",
        stands(
            "> 1 2 8=FIX.4.1 112=id\n< 5 2 58=Incorrect_BeginString\n> 5 2\nover\n"
            "connect\n> A 2 98=0 108=30\n< A 3\n> 1 3 8=FIX.4.1 112=id\n< 5 4 58=Incorrect_BeginString\nwait 3\nover"
        ),
    ),
    "2k_CompIDDoesNotMatchProfile": Case(
        "names that are not those of the Logon are rejected, and the session ended",
        stands(
            "> D 2 49=EEPR order\n< 3 2 45=2 372=D 373=9\n< 5 3\n> 5 3\nover\n"
            "connect\n> A 3 98=0 108=30\n< A 4\n> D 4 56=KSED order\n< 3 5 45=4 372=D 373=9\n< 5 6\n> 5 5\nover\n"
            "connect\n> A 5 98=0 108=30\n< A 7\n> D 6 49=EEPR 56=KSED order\n< 3 8 45=6 373=9\n< 5 9\n> 5 7\nover"
        ),
        "numbers go on over its three connections, where the original begins each at 1",
    ),
    "2m_BodyLengthValueNotCorrect": Case(
        "a BodyLength that is too short or too long makes its message garbled, and costs no other",
        stands(
            "> D 2 9=30 order\n> D 3 order\n< 2 2 7=2 16=0\n> D 2 order\n< D 3\n< D 4\n"
            "> D 4 9=211 order\n> D 5 order\n< 2 5 7=4 16=0\n> D 4 43=Y 122=now order\n< D 6\n< D 7\n> 5 6\n< 5 8\nover"
        ),
        "the message after one that is too long is read (the original lets both go), so the gap is asked for at once",
    ),
    "2o_SendingTimeValueOutOfRange": Case(
        "a SendingTime more than two minutes off is rejected, and the session ended",
        stands(
            "> 0 2 52=now-121\n< 3 2 45=2 372=0 373=10\n< 5 3\n> 5 3\nover\n"
            "connect\n> A 3 98=0 108=30\n< A 4\n> 0 4 52=now+121\n< 3 5 45=4 372=0 373=10\n< 5 6\n> 5 5\nover"
        ),
    ),
    "2q_MsgTypeNotValid": Case(
        "a MsgType that there is not is rejected", stands("> * 2\n< 3 2 45=2 372=* 373=11\n> 5 3\n< 5 3\nover")
    ),
    "2r_UnregisteredMsgType": Case(
        "one that the application does not take brings a business reject",
        stands(
            "> 8 2 37=id 17=id 150=0 39=0 55=WLRI 54=1 151=100 14=0 6=0.0\n< j 2 45=2 372=8 380=3\n> 5 3\n< 5 3\nover"
        ),
    ),
    "2t_FirstThreeFieldsOutOfOrder": Case(
        "a message whose first three fields are in another order is ignored",
        stands(
            "raw 35=0|8={v}|9=29|34=2|49=PEER|52={now}|56=DESK|10=121|\n> 1 2 112=HELLO\n< 0 2 112=HELLO\n"
            "raw 8={v}|34=3|35=0|49=PEER|52={now}|56=DESK|10=121|\n> 1 3 112=HELLO\n< 0 3 112=HELLO\n> 5 4\n< 5 4\nover"
        ),
    ),
    "3b_InvalidChecksum": Case(
        "a wrong CheckSum makes a message garbled",
        stands(
            "> 0 2 10=256\n> 0 2\n> D 3 order 10=256\n> 0 4\n< 2 2 7=3 16=0\n> D 3 order\n< D 3\n> 5 4\n< 5 4\nover"
        ),
    ),
    "3c_GarbledMessage": Case(
        "as 2d, and the peer goes away without a word",
        stands(
            "raw 8={v}|9=52|35=0|34=2|4garbled9=PEER|52={now}|56=DESK|10=0|\n> 0 2\n"
            "raw 8={v}|9=81|35=D|34=3|49garbled=PEER|52={now}|56=DESK|11=ID|21=3|40=1|54=1|55=INTC|10=0|\n"
            "> 0 4\n< 2 2 7=3 16=0\n> D 3 order\n< D 3\nconnect"
        ),
    ),
    "4a_NoDataSentDuringHeartBtInt": Case(
        "heartbeats come when nothing else is said",
        "> A 1 98=0 108=3\n< A 1 108=3\nwait 3\n< 0 2 !112\n> 0 2\nwait 3\n< 0 3\n> 0 3\n> 5 4\n< 5 4\nover",
    ),
    "4b_ReceivedTestRequest": Case(
        "a TestRequest is answered with its own words", stands("> 1 2 112=HELLO\n< 0 2 112=HELLO\n> 5 3\n< 5 3\nover")
    ),
    "6_SendTestRequest": Case(
        "silence brings a TestRequest; an answer is enough, and without one the session is over",
        "> A 1 98=0 108=3\n< A 1\nwait 3\n< 0 2\n> 0 2\nwait 3\n< 0 3\nwait 2\n< 1 4 112=TEST-4\n> 0 3 112=TEST-4\n"
        "wait 3\n< 0 5\nwait 2\n< 1 6 112=TEST-6\nwait 4\n< 0 7\nwait 2\nover",
    ),
    "7_ReceiveRejectMessage": Case(
        "a Reject is taken, and uses up its number", stands("> 3 2 45=1\n> 5 3\n< 5 2\nover")
    ),
    "8_OnlyAdminMessages": Case(
        "what the session said for itself is gap-filled, never sent again",
        stands(
            "> 1 2 112=HELLO\n< 0 2\n> 1 3 112=HELLO\n< 0 3\n> 1 4 112=HELLO\n< 0 4\n> 2 5 7=1 16=4\n"
            "< 4 1 43=Y 123=Y 36=5\n> 1 6 112=HELLO\n< 0 5\n> 2 5 7=1 16=0\n< 4 1 43=Y 123=Y 36=6\n> 5 6\n< 5 6\nover"
        ),
    ),
    "8_OnlyApplicationMessages": Case(
        "application messages are sent again under their numbers, with their first time",
        stands(
            "> B 2 148=INTC\n< B 2\n> B 3 148=CDG\n< B 3\n> B 4 148=IVP\n< B 4\nwait 1\n> 2 5 7=2 16=4\n"
            "< B 2 43=Y 122=20261129-10:00:00.000 148=INTC\n< B 3 43=Y 148=CDG\n< B 4 43=Y 148=IVP\n"
            "> 1 6 112=HELLO\n< 0 5 112=HELLO\n> 2 7 7=2 16=0\n< B 2 43=Y\n< B 3 43=Y\n< B 4 43=Y\n"
            "< 4 5 43=Y 123=Y 36=6\n> 5 8\n< 5 6\nover"
        ),
        NOT_ORDERS,
    ),
    "8_AdminAndApplicationMessages": Case(
        "runs of what is not sent again become one gap fill each, in their place among what is",
        stands(
            "> 1 2 112=A\n< 0 2\n> 1 3 112=A\n< 0 3\n> 1 4 112=A\n< 0 4\n> B 5 148=INTC\n< B 5\n> B 6 148=CDG\n< B 6\n"
            "> 1 7 112=A\n< 0 7\n> 1 8 112=A\n< 0 8\n> B 9 148=IVP\n< B 9\n"
            "> 2 10 7=2 16=4\n< 4 2 43=Y 36=5 123=Y\n"
            "> 2 11 7=2 16=6\n< 4 2 36=5\n< B 5 43=Y 148=INTC\n< B 6 43=Y 148=CDG\n"
            "> 2 12 7=2 16=8\n< 4 2 36=5\n< B 5\n< B 6\n< 4 7 43=Y 36=9 123=Y\n"
            "> 2 13 7=2 16=9\n< 4 2 36=5\n< B 5\n< B 6\n< 4 7 36=9\n< B 9 43=Y 148=IVP\n"
            "> 2 14 7=2 16=0\n< 4 2 36=5\n< B 5\n< B 6\n< 4 7 36=9\n< B 9\n"
            "> 1 15 112=A\n< 0 10 112=A\n> 5 16\n< 5 11\nover"
        ),
        NOT_ORDERS,
    ),
    "10_MsgSeqNumEqual": Case(
        "a gap fill in its turn sets the next number",
        stands("> 4 2 36=20 123=Y\n> 1 20 112=HELLO\n< 0 2 112=HELLO\n> 5 3\n< 5 3\nover"),
    ),
    "10_MsgSeqNumGreater": Case(
        "a gap fill beyond a gap waits, and the gap is asked for",
        stands("> 4 10 36=20 123=Y\n< 2 2 7=2 16=0\n> 1 20 112=HELLO\n> 5 2\n< 5 3\nover"),
    ),
    "10_MsgSeqNumLess": Case(
        "a gap fill that was had is ignored as a possible duplicate, and ends the session otherwise",
        stands(
            "> 4 1 43=Y 122=now-1 36=20 123=Y\n> 1 2 112=HELLO\n< 0 2\n> 4 1 36=20 123=Y\n"
            "< 5 3 58=MsgSeqNum_too_low,_expecting_3_but_received_1\nover"
        ),
    ),
    "11a_NewSeqNoGreater": Case(
        "a SequenceReset without gap fill sets the next number, whatever its own",
        stands("> 4 0 36=25\n> 1 25 112=HELLO\n< 0 2\n> 4 0 36=50 123=N\n> 1 50 112=HELLO\n< 0 3\n> 5 51\n< 5 4\nover"),
    ),
    "11b_NewSeqNoEqual": Case(
        "one to the number that is expected anyway changes nothing",
        stands("> 4 0 36=2\n> 1 2 112=HELLO\n< 0 2\n> 4 0 36=4 123=N\n> 1 4 112=HELLO\n< 0 3\n> 5 5\n< 5 4\nover"),
    ),
    "11c_NewSeqNoLess": Case(
        "one that would go back is rejected, and changes nothing",
        stands(
            "> 4 0 36=1\n< 3 2 45=0 372=4 373=5\n> 1 2 112=HELLO\n< 0 3\n> 4 0 36=1 123=N\n< 3 4 45=0 372=4 373=5\n"
            "> 1 3 112=HELLO\n< 0 5\n> 5 4\n< 5 6\nover"
        ),
    ),
    "13b_UnsolicitedLogoutMessage": Case("a Logout is answered by one", stands("> 5 2\n< 5 2\nover")),
    "20_SimultaneousResendRequest": Case(
        "a ResendRequest beyond our own gap is answered at once, and only once",
        stands(
            "> B 2 148=INTC\n< B 2\n> B 3 148=INTC\n< B 3\n> 0 7\n< 2 4 7=4 16=0\n> 2 8 7=2 16=3\n< B 2 43=Y\n"
            "< B 3 43=Y\n> 0 4 43=Y 122=now\n> 0 5 43=Y 122=now\n> 0 6 43=Y 122=now\n> 5 7\n< 5 5\nover"
        ),
        NOT_ORDERS,
    ),
    "AlreadyLoggedOn": Case(
        "a second connection of the same name is ended, and the first goes on",
        stands("2connect\n2> A 1 98=0 108=30\n2over\n> 5 2\n< 5 2\nover"),
    ),
    "SessionReset": Case(
        "a Logon with ResetSeqNumFlag in midstream sets both sequences to 1",
        stands(
            "> 0 2\n> 0 3\n> 0 4\n> 1 5 112=1\n< 0 2 112=1\n> A 1 98=0 108=30 141=Y\n< A 1 98=0 108=30 141=Y\n"
            "> 1 2 112=1\n< 0 2 112=1\n> 5 3\n< 5 3\nover"
        ),
    ),
}
