"""A hospital as a stranger meets it: the server as a child process, a gateway, softphones, and an office.

Nothing here knows how the server is made. What is waited for is waited for on streams; time goes on only when the
stepped clock is stepped.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import uuid

import grpc
from hotline.v1 import admin_pb2 as admin, admin_pb2_grpc, clock_pb2 as clock, clock_pb2_grpc
from hotline.v1 import gateway_pb2 as gateway, gateway_pb2_grpc, operator_pb2 as operator, operator_pb2_grpc
from hotline.v1 import supervisor_pb2 as supervisor, supervisor_pb2_grpc, types_pb2 as types

PATIENCE_S = 30
SECOND_US = 1_000_000
BEAT_US = 5 * SECOND_US


class Server:
    """`hotline serve` on a free port, with the tokens it wrote down."""

    def __init__(self, *flags):
        self.directory = tempfile.TemporaryDirectory()
        tokens = pathlib.Path(self.directory.name) / "tokens.json"
        command = [os.environ["HOTLINE"], "serve", "--listen", "127.0.0.1:0", "--with-parent"]
        command += ["--tokens-file", str(tokens), *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.address = self.ready["address"].split("//")[1]
        entries = json.loads(tokens.read_text())["tokens"]
        self.tokens = {entry["role"]: entry["token"] for entry in entries}

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE_S) == 0
        self.process.stdout.close()
        self.directory.cleanup()


class Stub:
    """The methods of one service, each sent with a token and a deadline."""

    def __init__(self, stub, token):
        self.stub, self.metadata = stub, (("authorization", f"Bearer {token}"),)

    def __getattr__(self, method):
        def call(request, **more):
            timeout = more.pop("timeout", PATIENCE_S)
            return getattr(self.stub, method)(request, metadata=self.metadata, timeout=timeout, **more)

        return call


class Stream:
    """The latest of a stream, read by a thread; `until` waits for what the test wants to see."""

    def __init__(self, call):
        self.call, self.changed = call, threading.Condition()
        self.messages, self.ended = 0, None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self.call:
                with self.changed:
                    self.messages += 1
                    self.take(message)
                    self.changed.notify_all()
            ended = grpc.StatusCode.OK
        except grpc.RpcError as error:
            ended = error.code()
        with self.changed:
            self.ended = ended
            self.changed.notify_all()

    def until(self, what, holds):
        with self.changed:
            seen = self.changed.wait_for(lambda: holds() or self.ended is not None, PATIENCE_S)
            assert seen and holds(), f"never saw {what}; the stream ended with {self.ended}"

    def end(self):
        """Waits for the end and says how it came."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended is not None, PATIENCE_S), "the stream does not end"
            return self.ended


class Hospital:
    """A server on a stepped clock, its office, and one gateway that is attached."""

    def __init__(self, *flags):
        self.server = Server("--clock", "stepped", "--staff", "8001", *flags)
        self.channel = grpc.insecure_channel(self.server.address)
        office = self.server.tokens["admin"]
        self.admin = Stub(admin_pb2_grpc.AdminServiceStub(self.channel), office)
        self.office = Stub(supervisor_pb2_grpc.SupervisorServiceStub(self.channel), office)
        self.clock = Stub(clock_pb2_grpc.ClockServiceStub(self.channel), office)
        self.now_us = 0
        self.gateway = Gateway(self)

    def close(self):
        self.channel.close()
        self.server.close()

    def step(self, seconds, *phones):
        """Goes on in time; the hearts of these phones beat meanwhile."""
        to_us = self.now_us + int(seconds * SECOND_US)
        while phones and self.now_us + BEAT_US < to_us:
            self.now_us += BEAT_US
            self.clock.Step(clock.StepRequest(to_us=self.now_us))
            for phone in phones:
                phone.desk.Heartbeat(operator.HeartbeatRequest(session=phone.shows.session))
        self.now_us = to_us
        return self.clock.Step(clock.StepRequest(to_us=to_us)).receipt

    def call(self, call_id):
        return self.office.GetCall(supervisor.GetCallRequest(call_id=call_id)).call

    def state(self, call_id):
        return types.CallState.Name(self.call(call_id).state).removeprefix("CALL_STATE_")

    def outcome(self, call_id):
        return types.Outcome.Name(self.call(call_id).outcome).removeprefix("OUTCOME_")

    def phone(self, name, *lines, device=types.DEVICE_KIND_SOFTPHONE, teams=()):
        """A person with a phone, attached and on duty."""
        profile = types.OperatorProfile(home_line_ids=lines, team_ids=teams, device=device)
        added = self.admin.AddOperator(admin.AddOperatorRequest(operator_id=name, profile=profile))
        phone = Phone(self, name, added.token)
        phone.attach()
        phone.desk.GoOnDuty(operator.GoOnDutyRequest())
        return phone

    def plan(self):
        return self.admin.GetPlan(admin.GetPlanRequest())

    def apply(self, text, **more):
        revision = self.plan().revision
        return self.admin.ApplyPlan(admin.ApplyPlanRequest(text=text, expected_revision=revision, **more))

    def gone(self, name):
        """Waits until the site has taken note that a desk's stream has ended."""
        for _ in range(10_000):
            for stream in self.step(0).stepped.progress:
                if stream.operator_id == name and stream.closed:
                    return
        raise AssertionError(f"the site never noticed that {name}'s desk is gone")


class Gateway(Stream):
    """A telephony gateway: reports facts, and keeps the latest treatment of every call."""

    def __init__(self, hospital, incarnation=1, call_ids=()):
        self.service = Stub(
            gateway_pb2_grpc.GatewayServiceStub(hospital.channel), hospital.server.tokens["gateway"]
        )
        self.treatments, self.unknown, self.plan = {}, [], None
        request = gateway.GatewayServiceAttachRequest(incarnation=incarnation, call_ids=call_ids)
        super().__init__(self.service.Attach(request, timeout=None))
        self.until("the first message", lambda: self.messages > 0)

    def take(self, message):
        self.unknown += message.unknown_call_ids
        self.plan = message.plan if message.HasField("plan") else self.plan
        for treatment in message.treatments:
            known = self.treatments.get(treatment.call_id)
            if known is None or known.revision <= treatment.revision:
                self.treatments[treatment.call_id] = treatment

    def report(self, **fact):
        reply = self.service.Report(gateway.ReportRequest(facts=[gateway.Fact(**fact)]))
        return reply.results[0]

    def noted(self, **fact):
        result = self.report(**fact)
        assert result.HasField("noted"), result
        return result.noted

    def arrival(self, line, number="13800000001", **more):
        call_id = str(uuid.uuid4())
        self.noted(arrival=gateway.Arrival(call_id=call_id, line_id=line, number=number.encode(), **more))
        return call_id

    def hang_up(self, call_id):
        self.noted(caller_hung_up=gateway.CallerHungUp(call_id=call_id))

    def leg(self, call_id, attempt, event, cause=""):
        event = gateway.LegEvent.Value(f"LEG_EVENT_{event}")
        report = gateway.LegReport(call_id=call_id, attempt=attempt, event=event, cause=cause)
        self.noted(leg=report)

    def key(self, call_id, key, attempt=None):
        self.noted(digit=gateway.Digit(call_id=call_id, key=key, attempt=attempt))

    def shape(self, call_id, shape):
        """Waits until a call is to be treated so, and gives the treatment."""
        value = gateway.TreatmentShape.Value(f"TREATMENT_SHAPE_{shape}")

        def holds():
            return call_id in self.treatments and self.treatments[call_id].shape == value

        self.until(f"{shape} of a call", holds)
        return self.treatments[call_id]


class Phone:
    """A softphone: a desk, its stream, and what a person does with it."""

    def __init__(self, hospital, name, token):
        self.hospital, self.name, self.desk_id = hospital, name, str(uuid.uuid4())
        self.desk = Stub(operator_pb2_grpc.OperatorServiceStub(hospital.channel), token)

    def attach(self):
        request = operator.OperatorServiceAttachRequest(desk_id=self.desk_id)
        self.screen = Screen(self.desk.Attach(request, timeout=None))
        self.screen.until("a desk", lambda: self.screen.shows is not None)

    def offered(self, call_id, confirm=True):
        """Waits for the offer of a call and says that it is on the screen."""

        def holds():
            return self.shows.HasField("offer") and self.shows.offer.offer.call_id == call_id

        self.screen.until(f"an offer on {self.name}'s desk", holds)
        if confirm:
            request = operator.ConfirmDeliveryRequest(offer=self.offer, session=self.shows.session)
            self.desk.ConfirmDelivery(request)

    def accept(self, offer=None):
        request = operator.AcceptRequest(offer=offer or self.offer, session=self.shows.session)
        return operator.AcceptResult.Name(self.desk.Accept(request).result).removeprefix("ACCEPT_RESULT_")

    def decline(self):
        self.desk.Decline(operator.DeclineRequest(offer=self.offer, session=self.shows.session))

    def media(self):
        """The softphone's own media is up."""
        self.desk.ConfirmMedia(operator.ConfirmMediaRequest(offer=self.offer, session=self.shows.session))

    def talk(self, call_id):
        """From the offer to the talk."""
        self.offered(call_id)
        assert self.accept() == "ACCEPTED"
        self.media()
        self.screen.until("the call", lambda: self.shows.HasField("call"))

    def hang_up(self, call_id):
        self.desk.HangUp(operator.HangUpRequest(call_id=call_id))

    def until(self, what, holds):
        self.screen.until(f"{what} on {self.name}'s desk", lambda: holds(self.shows))

    def working(self, state):
        value = types.WorkState.Value(f"WORK_STATE_{state}")
        self.until(state, lambda desk: desk.work.state == value)

    def on(self, state):
        value = types.DutyState.Value(f"DUTY_STATE_{state}")
        self.until(state, lambda desk: desk.duty.state == value)

    @property
    def shows(self):
        return self.screen.shows

    @property
    def offer(self):
        return self.shows.offer.offer


class Screen(Stream):
    """What a desk shows."""

    def __init__(self, call):
        self.shows = None
        super().__init__(call)

    def take(self, message):
        self.shows = message.desk
