"""Two callers, as the tutorial has them, against a server that is running: this program is their telephone gateway, and
the desk of whoever takes the second call.

    python tests/strangers/two_callers.py ADDRESS TOKENS.JSON DESK.TOKEN

ADDRESS is host:port, TOKENS.JSON is in the server's data directory, DESK.TOKEN is what `--token-out` wrote. It needs
`requirements.txt`, and the code that grpc_tools.protoc makes of proto/. It takes a minute.
"""

import json
import pathlib
import sys
import time
import types

import grpc
from hotline.v1 import operator_pb2 as operator

from hospital import BEAT_US, SECOND_US, Gateway, Phone

LINE = "emergency"


def play(calls, desk, go_on, tell=lambda words: None):
    """Nobody is on duty when the first rings in; by the second somebody is. Gives both calls' ids."""
    first = calls.arrival(LINE)
    leg = calls.shape(first, "DIVERT").legs[0]
    calls.leg(first, leg.attempt, "RINGING")
    tell(f"{first} rang in; nobody is on duty, and {leg.destination_id} rings")
    go_on(6)
    desk.attach()
    desk.desk.GoOnDuty(operator.GoOnDutyRequest())
    second = calls.arrival(LINE, number="13800000002")
    desk.offered(second)
    assert desk.accept() == "ACCEPTED"
    desk.media()
    desk.until("the call", lambda shows: shows.call.call_id == second)
    tell(f"{second} rang in, and {desk.name} talks; now is the time for `hotline call list` and `hotline call why`")
    go_on(15, desk)
    calls.hang_up(second)
    desk.working("WRAP_UP")
    desk.desk.EndWrapUp(operator.EndWrapUpRequest())
    desk.desk.Leave(operator.LeaveRequest())
    tell(f"the caller of {second} hung up, and {desk.name} leaves; {leg.destination_id} goes on ringing")
    go_on(10, desk)
    closing = calls.shape(first, "QUEUE").hears.prompt_id
    tell(f"nobody took {first}: its caller hears {closing}")
    # A gateway that plays it says when it was heard (`PromptFinished`). This one is silent, and the site waits as long as
    # the plan says.
    go_on(15, desk)
    calls.shape(first, "RELEASE")
    tell(f"{first} is closed")
    return first, second


def go_on(seconds, *phones):
    """Lets time pass, in which the hearts of these phones beat."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, BEAT_US / SECOND_US))
        for phone in phones:
            phone.desk.Heartbeat(operator.HeartbeatRequest(session=phone.shows.session))


def main(address, tokens, desk_token):
    entries = json.loads(pathlib.Path(tokens).read_text())["tokens"]
    with grpc.insecure_channel(address) as channel:
        gateways = [entry["token"] for entry in entries if entry["role"] == "gateway"]
        if not gateways:
            sys.exit(f"there is no gateway's token in {tokens}: name the file that the server wrote when it began")
        server = types.SimpleNamespace(tokens={"gateway": gateways[0]})
        hospital = types.SimpleNamespace(channel=channel, server=server)
        desk = Phone(hospital, pathlib.Path(desk_token).stem, pathlib.Path(desk_token).read_text().strip())
        play(Gateway(hospital, incarnation=time.time_ns()), desk, go_on, lambda words: print(words, flush=True))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
