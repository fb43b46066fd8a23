"""Guests: a generic client that knows no .proto file, TLS with the private authority, tokens that end."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from hotline.v1 import admin_pb2 as admin, admin_pb2_grpc, supervisor_pb2 as supervisor, supervisor_pb2_grpc
from hotline.v1 import types_pb2 as types

import two_callers
from hospital import Hospital, Phone, Server, Stub, Stream


SERVICES = ("Admin", "Audit", "Clock", "Gateway", "History", "Operator", "Roster", "Session", "Site", "Supervisor")


class Generic(unittest.TestCase):
    """Only what the server says about itself is known here."""

    def test_every_service_is_found_and_called_by_reflection(self):
        server = Server("--clock", "stepped")
        self.addCleanup(server.close)
        with grpc.insecure_channel(server.address) as channel:
            known = ProtoReflectionDescriptorDatabase(channel)
            names = {name for name in known.get_services() if name.startswith("hotline.")}
            self.assertEqual(
                names,
                {f"hotline.v1.{name}Service" for name in SERVICES},
            )
            pool = descriptor_pool.DescriptorPool(known)
            method = pool.FindServiceByName("hotline.v1.AdminService").FindMethodByName("GetPlan")
            call = channel.unary_unary(
                f"/{method.containing_service.full_name}/{method.name}",
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
            )
            request = message_factory.GetMessageClass(method.input_type)()
            metadata = (("authorization", f"Bearer {server.tokens['admin']}"),)
            reply = call(request, metadata=metadata, timeout=30)
            self.assertEqual(reply.revision, 1)
            self.assertIn("[lines.emergency]", reply.text)


class Tls(unittest.TestCase):
    def test_the_private_authority_is_trusted_and_no_other(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        subprocess.run([os.environ["HOTLINE"], "certs", "init", directory.name], check=True)
        server = Server("--tls", directory.name)
        self.addCleanup(server.close)
        self.assertTrue(server.ready["address"].startswith("https://"))
        authority = (pathlib.Path(directory.name) / "ca.pem").read_bytes()
        with grpc.secure_channel(server.address, grpc.ssl_channel_credentials(authority)) as channel:
            office = Stub(admin_pb2_grpc.AdminServiceStub(channel), server.tokens["admin"])
            self.assertEqual(office.GetPlan(admin.GetPlanRequest()).revision, 1)
            packed = office.GetPlan(admin.GetPlanRequest(), compression=grpc.Compression.Gzip)
            self.assertEqual(packed.revision, 1)
        with grpc.secure_channel(server.address, grpc.ssl_channel_credentials()) as channel:
            office = Stub(admin_pb2_grpc.AdminServiceStub(channel), server.tokens["admin"])
            with self.assertRaises(grpc.RpcError) as refused:
                office.GetPlan(admin.GetPlanRequest())
            self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAVAILABLE)


class Newcomers(unittest.TestCase):
    def test_the_two_callers_of_the_tutorial(self):
        hospital = Hospital()
        self.addCleanup(hospital.close)
        softphone = types.DEVICE_KIND_SOFTPHONE
        profile = types.OperatorProfile(home_line_ids=["switchboard"], team_ids=["volunteers"], device=softphone)
        added = hospital.admin.AddOperator(admin.AddOperatorRequest(operator_id="vol-1", profile=profile))
        desk = Phone(hospital, "vol-1", added.token)
        told = []
        first, second = two_callers.play(hospital.gateway, desk, hospital.step, told.append)
        self.assertEqual(hospital.outcome(first), "NOBODY_ON_DUTY")
        self.assertEqual(hospital.outcome(second), "ANSWERED_ENDED_BY_CALLER")
        self.assertEqual(len(told), 5)


class Board(Stream):
    def take(self, message):
        pass


class Tokens(unittest.TestCase):
    def setUp(self):
        self.hospital = Hospital()
        self.addCleanup(self.hospital.close)

    def test_a_revoked_token_ends_its_stream(self):
        who = admin.PrincipalRef(supervisor_id="dora")
        token = self.hospital.admin.IssueToken(admin.IssueTokenRequest(principal=who)).token
        dora = Stub(supervisor_pb2_grpc.SupervisorServiceStub(self.hospital.channel), token)
        board = Board(dora.WatchBoard(supervisor.WatchBoardRequest(), timeout=None))
        board.until("a board", lambda: board.messages > 0)
        self.assertTrue(self.hospital.admin.RevokeToken(admin.RevokeTokenRequest(principal=who)).revoked)
        self.assertEqual(board.end(), grpc.StatusCode.UNAUTHENTICATED)

    def test_wrong_roles_and_wrong_tokens_are_kept_out(self):
        gateway = Stub(admin_pb2_grpc.AdminServiceStub(self.hospital.channel), self.hospital.server.tokens["gateway"])
        stranger = Stub(admin_pb2_grpc.AdminServiceStub(self.hospital.channel), "hl_000000000000_00")
        cases = [(gateway, grpc.StatusCode.PERMISSION_DENIED)]
        cases += [(stranger, grpc.StatusCode.UNAUTHENTICATED)] * 10
        cases += [(stranger, grpc.StatusCode.RESOURCE_EXHAUSTED)]
        for who, expected in cases:
            with self.assertRaises(grpc.RpcError) as refused:
                who.GetPlan(admin.GetPlanRequest())
            self.assertEqual(refused.exception.code(), expected)
        self.assertEqual(self.hospital.plan().revision, 1, "a right token is right")
