"""The corners, played from outside: each test is one row of docs/coverage.md's corners."""

import unittest

import grpc
from hotline.v1 import admin_pb2 as admin, gateway_pb2 as gateway, operator_pb2 as operator, desk_pb2 as desk
from hotline.v1 import supervisor_pb2 as supervisor, types_pb2 as types

from hospital import Gateway, Hospital

LINE = "outpatient-1"
DESK_PHONE = types.DEVICE_KIND_AUTO_ANSWER


class Corners(unittest.TestCase):
    def setUp(self):
        self.hospital = Hospital()
        self.addCleanup(self.hospital.close)
        self.gateway = self.hospital.gateway

    def two(self, line=LINE, device=types.DEVICE_KIND_SOFTPHONE):
        """Ana, who is asked first, and ben."""
        return self.hospital.phone("ana", line, device=device), self.hospital.phone("ben", line, device=device)

    def talking(self, phone, line=LINE, **more):
        call = self.gateway.arrival(line, **more)
        phone.talk(call)
        self.assertEqual(self.hospital.state(call), "CONNECTED")
        return call

    def test_c01_ring_no_answer(self):
        ana, ben = self.two()
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        self.hospital.step(15)
        ana.until("a cool-down", lambda desk: desk.HasField("cool_until_us"))
        ben.talk(call)
        self.assertEqual(self.hospital.call(call).operator_id, "ben")

    def test_c02_decline(self):
        ana, ben = self.two()
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        ana.decline()
        ben.talk(call)

    def test_c03_undeliverable(self):
        ana, ben = self.two()
        call = self.gateway.arrival(LINE)
        ana.offered(call, confirm=False)
        self.hospital.step(2)
        ben.talk(call)
        ana.until("grace", lambda desk: desk.link.state == types.LINK_STATE_GRACE)

    def test_c04_desk_lost_while_ringing(self):
        ana, ben = self.two()
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        ana.screen.call.cancel()
        self.hospital.gone("ana")
        self.hospital.step(3)
        ben.talk(call)

    def test_c05_desk_lost_while_talking(self):
        ana = self.hospital.phone("ana", LINE, device=DESK_PHONE)
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        attempt = ana.offer.attempt
        self.assertEqual(ana.accept(), "ACCEPTED")
        self.gateway.shape(call, "CONNECT")
        self.gateway.leg(call, attempt, "BRIDGED")
        ana.screen.call.cancel()
        self.hospital.gone("ana")
        self.hospital.step(60)
        self.assertEqual(self.hospital.state(call), "CONNECTED")
        ana.attach()
        ana.until("the call again", lambda desk: desk.call.call_id == call)
        ana.hang_up(call)
        self.assertEqual(self.hospital.outcome(call), "ANSWERED_ENDED_BY_OPERATOR")

    def test_c06_pause_while_ringing_and_while_talking(self):
        ana, ben = self.two()
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        ana.desk.Pause(operator.PauseRequest(reason="lunch", lasting_ms=300_000))
        ben.talk(call)
        ana.on("PAUSED")
        ben.desk.Pause(operator.PauseRequest(reason="lunch"))
        ben.until("a pause to come", lambda desk: desk.HasField("pause_next"))
        ben.hang_up(call)
        ben.working("WRAP_UP")
        self.hospital.step(15)
        ben.on("PAUSED")

    def test_c07_caller_gone_while_ringing(self):
        ana = self.hospital.phone("ana", LINE)
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        offer = ana.offer
        self.gateway.hang_up(call)
        self.assertEqual(ana.accept(offer), "CALLER_GONE")
        self.assertEqual(self.hospital.outcome(call), "ABANDONED_RINGING")

    def test_c08_caller_gone_while_connecting(self):
        ana = self.hospital.phone("ana", LINE)
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        self.assertEqual(ana.accept(), "ACCEPTED")
        self.gateway.hang_up(call)
        self.assertEqual(self.hospital.outcome(call), "ABANDONED_CONNECTING")
        ana.working("IDLE")

    def test_c09_leg_fails_before_the_bridge(self):
        ana, ben = self.two(device=DESK_PHONE)
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        attempt = ana.offer.attempt
        self.assertEqual(ana.accept(), "ACCEPTED")
        wished = self.gateway.shape(call, "CONNECT").legs[0]
        self.assertEqual((wished.operator_id, wished.attempt), ("ana", attempt))
        self.gateway.leg(call, attempt, "FAILED", cause="unreachable")
        ben.offered(call)
        self.gateway.shape(call, "RING")

    def test_c10_two_accept_at_once(self):
        ana, ben = self.two("emergency")
        call = self.gateway.arrival("emergency")
        ana.offered(call)
        ben.offered(call)
        ana_offer, ben_offer = ana.offer, ben.offer
        self.assertEqual(ana.accept(ana_offer), "ACCEPTED")
        self.assertEqual(ben.accept(ben_offer), "ANSWERED_ELSEWHERE")

    def test_c11_bridge_lost(self):
        ana = self.hospital.phone("ana", LINE, device=DESK_PHONE)
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        attempt = ana.offer.attempt
        ana.accept()
        self.gateway.leg(call, attempt, "BRIDGED")
        ana.working("TALKING")
        self.gateway.leg(call, attempt, "BRIDGE_LOST")
        ana.offered(call)
        self.assertGreater(ana.offer.attempt, attempt)
        self.assertEqual(ana.accept(), "ACCEPTED")

    def test_c12_wrap_up(self):
        ana = self.hospital.phone("ana", LINE)
        call = self.talking(ana)
        ana.hang_up(call)
        ana.working("WRAP_UP")
        self.gateway.shape(call, "RELEASE")
        ana.desk.EndWrapUp(operator.EndWrapUpRequest(topic="visiting-hours"))
        ana.working("IDLE")

    def test_c13_leaving_with_a_call(self):
        ana = self.hospital.phone("ana", LINE)
        call = self.talking(ana)
        ana.desk.Leave(operator.LeaveRequest())
        ana.on("LEAVING")
        self.gateway.hang_up(call)
        self.hospital.step(15)
        ana.on("OFF")

    def test_c14_nobody_on_duty(self):
        call = self.gateway.arrival(LINE)
        leg = self.gateway.shape(call, "DIVERT").legs[0]
        self.assertEqual((leg.destination_id, leg.press_one), ("duty-phone", True))
        numbers = {destination.destination_id for destination in self.gateway.plan.destinations}
        self.assertIn("duty-phone", numbers)
        self.gateway.leg(call, leg.attempt, "ANSWERED")
        self.gateway.key(call, "1", leg.attempt)
        self.gateway.leg(call, leg.attempt, "BRIDGED")
        self.gateway.hang_up(call)
        self.assertEqual(self.hospital.outcome(call), "DIVERTED_OUT")

    def test_c15_staff_caller_on_the_emergency_line(self):
        self.hospital.phone("ana", "duty")
        call = self.gateway.arrival("emergency", number="8001")
        self.assertEqual(self.hospital.call(call).line_id, "staff")
        self.assertEqual(self.gateway.shape(call, "QUEUE").hears.prompt_id, "staff-menu")
        self.gateway.key(call, "1")
        self.assertEqual(self.hospital.call(call).line_id, "emergency")

    def test_c16_abusive_caller(self):
        ana = self.hospital.phone("ana", LINE)
        call = self.talking(ana, number="13800000666")
        caller = self.hospital.call(call).caller_ref
        ana.desk.BlockCaller(operator.OperatorServiceBlockCallerRequest(call_id=call, reason="abuse"))
        ana.hang_up(call)
        again = self.gateway.arrival(LINE, number="13800000666")
        self.assertEqual(self.hospital.outcome(again), "REFUSED_BLOCKED")
        self.hospital.office.UnblockCaller(supervisor.UnblockCallerRequest(caller_ref=caller))
        ana.desk.EndWrapUp(operator.EndWrapUpRequest())
        self.talking(ana, number="13800000666")

    def test_c17_a_plan_changes_while_somebody_waits(self):
        ana = self.hospital.phone("ana", "comfort")
        waiting = self.gateway.arrival(LINE)
        self.hospital.apply(self.hospital.plan().text.replace('when = "wait 30s"', 'when = "wait 40s"', 1))
        later = self.gateway.arrival(LINE)
        explain = lambda call: self.hospital.office.ExplainCall(supervisor.ExplainCallRequest(call_id=call))
        self.assertEqual((explain(waiting).plan_revision, explain(later).plan_revision), (1, 2))
        with self.assertRaises(grpc.RpcError) as refused:
            self.hospital.admin.ApplyPlan(admin.ApplyPlanRequest(text=self.hospital.plan().text, expected_revision=1))
        self.assertEqual(refused.exception.code(), grpc.StatusCode.ABORTED)
        self.assertEqual(ana.shows.work.state, types.WORK_STATE_IDLE)

    def test_c18_a_blind_transfer_is_not_answered(self):
        ana, ben = self.two()
        call = self.talking(ana)
        place = self.hospital.call(call).arrived_at_us
        to = types.TransferTarget(operator_id="ben")
        ana.desk.Transfer(operator.TransferRequest(call_id=call, to=to))
        ben.offered(call)
        self.assertEqual(ben.shows.offer.purpose, desk.OFFER_PURPOSE_TRANSFER)
        # Ben does not answer for as long as a telephone rings.
        self.hospital.step(15, ana, ben)
        ana.talk(call)
        self.assertEqual(self.hospital.call(call).arrived_at_us, place)

    def test_c18_a_consult_is_handed_over(self):
        ana, ben = self.two(device=DESK_PHONE)
        call = self.gateway.arrival(LINE)
        ana.offered(call)
        attempt = ana.offer.attempt
        ana.accept()
        self.gateway.leg(call, attempt, "BRIDGED")
        ana.working("TALKING")
        asked = ana.desk.Consult(operator.ConsultRequest(call_id=call, colleague_id="ben"))
        ben.offered(call)
        self.gateway.shape(call, "HOLD")
        self.assertEqual(ben.accept(), "ACCEPTED")
        self.gateway.leg(call, asked.offer.attempt, "BRIDGED")
        ana.until("both talk", lambda desk: desk.call.colleague_talks)
        ana.desk.CompleteTransfer(operator.CompleteTransferRequest(call_id=call))
        ben.until("the caller", lambda desk: desk.HasField("call") and not desk.call.consulted)
        self.assertEqual(self.hospital.call(call).operator_id, "ben")

    def test_c20_a_gateway_loses_its_legs(self):
        call = self.gateway.arrival(LINE)
        self.gateway.noted(legs_gone=gateway.LegsGone(incarnation=1))
        self.assertEqual(self.hospital.outcome(call), "FAILED_GATEWAY")
        self.assertEqual(self.gateway.end(), grpc.StatusCode.FAILED_PRECONDITION)
        again = Gateway(self.hospital, incarnation=2, call_ids=[call])
        again.shape(call, "RELEASE")

    def test_c21_a_live_leg_is_adopted(self):
        self.hospital.phone("ana", "comfort")
        self.gateway.call.cancel()
        call = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11"
        again = Gateway(self.hospital, call_ids=[call])
        self.assertEqual(again.unknown, [call])
        self.hospital.step(120)
        arrival = gateway.Arrival(call_id=call, line_id=LINE, number=b"13800000001", waited_ms=60_000)
        again.noted(arrival=arrival)
        self.assertEqual(self.hospital.call(call).arrived_at_us, 60_000_000)

    def test_c23_a_line_is_removed_with_callers_waiting(self):
        self.hospital.phone("ana", "duty")
        call = self.gateway.arrival("comfort")
        text = self.hospital.plan().text
        start = text.index("[lines.comfort]")
        without = text[:start] + text[text.index("[lines.duty]"):]
        move = admin.MoveWaiting(from_line_id="comfort", to_line_id="duty")
        self.hospital.apply(without, allow_remove=True, move_waiting=[move])
        self.assertEqual(self.hospital.call(call).line_id, "duty")

    def test_c24_the_same_fact_twice_late_and_unknown(self):
        call = self.gateway.arrival(LINE)
        arrival = gateway.Arrival(call_id=call, line_id=LINE, number=b"13800000001")
        self.gateway.noted(arrival=arrival)
        self.gateway.hang_up(call)
        late = self.gateway.report(leg=gateway.LegReport(call_id=call, attempt=1, event=gateway.LEG_EVENT_BRIDGED))
        self.assertEqual(late.refused.reason, "CALL_CLOSED")
        nobody = gateway.CallerHungUp(call_id="0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a12")
        self.assertEqual(self.gateway.report(caller_hung_up=nobody).refused.reason, "UNKNOWN_CALL")
