"""What the API promises to the frontend and to whoever watches its health."""

import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from django.db import DatabaseError, connection
from django.test import Client, TestCase, TransactionTestCase, override_settings

from .models import Inspection

GOOD = {"part": "Valve VL-009", "line": "A1", "result": "pass", "note": "ok"}


def post(client: Client, body: object):
    return client.post("/api/inspections", body, content_type="application/json")


class HealthTests(TestCase):
    @override_settings(RELEASE="20261120T194500Z-1a2b3c4")
    def test_health_names_the_release(self):
        answer = self.client.get("/api/health")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json(), {"status": "ok", "release": "20261120T194500Z-1a2b3c4"})
        self.assertIn("no-store", answer["Cache-Control"])

    def test_health_is_503_without_a_database(self):
        with (
            mock.patch.object(connection, "cursor", side_effect=DatabaseError("disk I/O error")),
            self.assertLogs("inspections.views", "ERROR"),
        ):
            answer = self.client.get("/api/health")
        self.assertEqual(answer.status_code, 503)
        self.assertEqual(answer.json()["status"], "database unavailable")


class InspectionTests(TestCase):
    def test_a_new_installation_has_a_dozen_rows_newest_first(self):
        answer = self.client.get("/api/inspections").json()
        self.assertEqual(answer["count"], 12)
        created = [row["created"] for row in answer["items"]]
        self.assertEqual(created, sorted(created, reverse=True))

    def test_a_posted_row_comes_first_in_the_list(self):
        answer = post(Client(enforce_csrf_checks=True), GOOD)
        self.assertEqual(answer.status_code, 201)
        self.assertEqual({key: answer.json()[key] for key in GOOD}, GOOD)
        self.assertEqual(self.client.get("/api/inspections?limit=1").json()["items"], [answer.json()])

    def test_wrong_fields_are_named_and_nothing_is_stored(self):
        answer = post(self.client, {"part": "", "line": "A" * 21, "result": "perhaps", "note": "n" * 501})
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(set(answer.json()["errors"]), {"part", "line", "result", "note"})
        self.assertEqual(Inspection.objects.count(), 12)

    def test_a_body_that_is_no_json_object_is_refused(self):
        for body in ("", "{", "[]", '"text"', b"\xff"):
            with self.subTest(body=body):
                answer = post(self.client, body)
                self.assertEqual(answer.status_code, 400)
                self.assertEqual(answer.json(), {"errors": {"body": "Expected a JSON object."}})

    def test_the_list_can_be_narrowed_to_one_result(self):
        answer = self.client.get("/api/inspections?result=fail").json()
        self.assertEqual(answer["count"], 2)
        self.assertEqual({row["result"] for row in answer["items"]}, {"fail"})

    def test_a_wrong_query_is_refused(self):
        answer = self.client.get("/api/inspections?result=perhaps&limit=201")
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(set(answer.json()["errors"]), {"result", "limit"})

    def test_other_methods_are_refused(self):
        self.assertEqual(self.client.delete("/api/inspections").status_code, 405)

    def test_the_summary_counts_results_per_line(self):
        lines = self.client.get("/api/summary").json()["lines"]
        self.assertEqual([line["line"] for line in lines], ["A1", "A2", "B1", "C1"])
        self.assertEqual(lines[1], {"line": "A2", "pass": 1, "rework": 1, "fail": 1})


class SlowTests(TestCase):
    async def test_slow_waits_as_long_as_asked(self):
        started = time.monotonic()
        answer = await self.async_client.get("/api/slow?seconds=0.2")
        self.assertEqual(answer.json()["seconds"], 0.2)
        self.assertGreaterEqual(time.monotonic() - started, 0.2)

    async def test_slow_refuses_more_than_five_seconds(self):
        for seconds in ("5.1", "-1", "nan", "soon"):
            with self.subTest(seconds=seconds):
                answer = await self.async_client.get(f"/api/slow?seconds={seconds}")
                self.assertEqual(answer.status_code, 400)


class RoutingTests(TestCase):
    def test_djangos_admin_leaves_the_frontends_admin_pages_alone(self):
        self.assertEqual(self.client.get("/admin/users/").status_code, 404)
        self.assertRedirects(
            self.client.get("/django-admin/"), "/django-admin/login/?next=/django-admin/", target_status_code=200
        )


class ConcurrencyTests(TransactionTestCase):
    def test_many_writers_at_once_all_succeed(self):
        def write(number: int) -> int:
            try:
                return post(Client(), GOOD | {"part": f"Part {number}"}).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(write, range(64))), {201})
        self.assertEqual(Inspection.objects.filter(part__startswith="Part ").count(), 64)
