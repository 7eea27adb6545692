"""What the page can ask for and what it is told: through the whole service, on the real store."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from regen_core.adapters.http.logs import RequestLog
from regen_core.adapters.http.window.loading import MAX_DOCUMENTS_BYTES
from regen_core.adapters.http.window.page import page
from regen_core.documents import DocumentType
from regen_core.explain import explain, explanation_as_json
from regen_core.regeneration import Regeneration
from regen_core.request import RegenerateRequest
from tests.http_window.conftest import INVOICE, ONE, TWO, Watch, Watched, asked, scope_of

NDJSON = {"content-type": "application/x-ndjson"}


def draft(number: str = "INV-9", **changed: Any) -> dict[str, Any]:
    """An invoice in Zuora's shape, with one item."""
    item = {"id": f"item of {number}", "chargeAmount": 10, "sourceItemType": "SubscriptionComponent"}
    own = {"id": f"id of {number}", "invoiceNumber": number, "invoiceDate": "2026-01-31", "status": "Posted"}
    return {**own, "currency": "EUR", "invoiceItems": [item], **changed}


def load(watched: Watched, text: str | bytes) -> dict[str, Any]:
    """Load documents as the page does."""
    answer = watched.request("POST", watched.path + "documents", content=text, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


class TestTheStory:
    """What a visitor does first, from an empty sandbox to sides that agree."""

    def test_load_plan_run_deliver_and_drift(self, sandbox: Watched) -> None:
        """Each step shows what it says it does."""
        assert sandbox.ask("state")["documents"] == []
        assert sandbox.tell("examples", "posted")["counts"]["new"] == 5
        planned = sandbox.tell("plan", asked())
        assert (planned["outcome"], planned["explanation"]["mode"]) == ("planned", "GENERATE")
        assert {line["write"] for line in planned["explanation"]["lines"]} == {"generate"}
        assert all(line["stored"] is None for line in sandbox.document()["lines"]), "a plan changes nothing"
        done = sandbox.tell("run", asked())
        assert done["status"] == 200
        assert json.loads(done["body"])["idList"] == planned["explanation"]["id_list"]
        assert sandbox.document()["drifted"] == 0
        assert sandbox.ask("state")["backlog"]["waiting"] == 6
        assert sandbox.tell("deliver") == {"collected": 6, "ignored": 0}
        assert [line["marks"] for line in sandbox.document()["lines"]] == [[]] * 7
        assert sandbox.tell("examples", "data-fix")["counts"]["changed"] == 2
        assert sandbox.document()["drifted"] == 7
        sandbox.tell("run", asked(reMigrate="true"))
        assert sandbox.document()["drifted"] == 0
        sandbox.tell("deliver")
        assert {mark["name"] for line in sandbox.document()["lines"] for mark in line["marks"]} == set()
        [balance] = sandbox.ask("state")["totals"]
        assert balance["difference"] == {"count": 0, "amount": "0.00"}

    def test_revenue_is_tampered_with_and_repaired(self, sandbox: Watched) -> None:
        """A loss and a falsification are found and named, and a resend mends both (CNV-2, CNV-3)."""
        sandbox.tell("examples", "posted")
        sandbox.tell("run", asked())
        sandbox.tell("deliver")
        shown = sandbox.document()
        first, second = (line["item_id"] for line in shown["lines"][:2])
        what = {"type": "Invoice", "id": shown["id"]}
        assert sandbox.tell("tamper", {**what, "item": first, "how": "lose"}) == {"done": True}
        assert sandbox.tell("tamper", {**what, "item": first, "how": "lose"}) == {"done": False}
        assert sandbox.tell("tamper", {**what, "item": second, "how": "alter"}) == {"done": True}
        assert sandbox.tell("tamper", {**what, "item": "unheard of", "how": "alter"}) == {"done": False}
        names = [mark["name"] for line in sandbox.document()["lines"] for mark in line["marks"]]
        assert names == ["missing in Revenue", "altered in Revenue"]
        sandbox.tell("run", asked(onlyReSend="true"))
        sandbox.tell("deliver")
        assert sandbox.document()["drifted"] == 0

    def test_reset_leaves_nothing_behind(self, sandbox: Watched) -> None:
        """Documents, transactions, outbox, Revenue, keys, requests and faults: as on the first day."""
        first = sandbox.ask("state")
        sandbox.tell("examples", "posted")
        assert sandbox.operation(key="k").status_code == 200
        sandbox.tell("faults", {"refuse": 3})
        sandbox.tell("deliver")
        sandbox.tell("reset")
        assert sandbox.ask("state", seen=first["tag"]) == {"is_same": True}
        sandbox.tell("examples", "posted")
        assert "idempotent-replayed" not in sandbox.operation(key="k").headers


class TestPlanning:
    """A plan says what the core says."""

    def test_it_is_the_explanation_of_the_core(self, sandbox: Watched) -> None:
        """Word for word, beside words for people."""
        sandbox.tell("examples", "posted")
        planned = sandbox.store.plan(scope_of(ONE), RegenerateRequest(type=DocumentType.INVOICE, number=INVOICE))
        assert isinstance(planned, Regeneration)
        told = sandbox.tell("plan", asked())["explanation"]
        for line in told["lines"]:
            assert line.pop("label")
            assert line.pop("changes_told")
        assert told == explanation_as_json(explain(planned))

    @pytest.mark.parametrize(
        ("name", "form"),
        [
            ("ConflictingFlags", asked(reMigrate="true", onlyReSend="true")),
            ("DocumentNotFound", asked(number="INV-0")),
            ("NothingToResend", asked(onlyReSend="true")),
            ("InvalidParameter", asked(onlyResend="true")),
            ("InvalidField", asked(number=" ")),
            ("InvalidHeader", {**asked(), "idempotencyKey": "not a key"}),
            ("UnknownField", {**asked(), "body": {"type": "Invoice", "Number": INVOICE}}),
            ("MissingField", {**asked(), "body": {}}),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_refusal_is_the_one_that_running_gets(self, sandbox: Watched, name: str, form: dict[str, Any]) -> None:
        """Planned and run, the same refusal by the same rules; nothing is changed (PRE-4)."""
        sandbox.tell("examples", "posted")
        before = sandbox.document()
        planned, ran = sandbox.tell("plan", form), sandbox.tell("run", form)
        refusal = planned["refusal"]
        assert (planned["outcome"], refusal["name"], ran["request"]["name"]) == ("refused", name, name)
        assert ran["status"] == refusal["http_status"]
        assert json.loads(ran["body"])["reasons"] == [{"code": refusal["code"], "message": refusal["message"]}]
        assert ran["request"]["rule_ids"] == [rule["id"] for rule in refusal["rules"]]
        assert sandbox.document() == before

    def test_a_replay_is_shown_as_one(self, sandbox: Watched) -> None:
        """With the header that says so (IDM-8)."""
        sandbox.tell("examples", "posted")
        first, again = (sandbox.tell("run", asked(key="k")) for _ in range(2))
        assert "idempotent-replayed" not in first["headers"]
        assert (again["headers"]["idempotent-replayed"], again["body"]) == ("true", first["body"])
        assert again["request"]["name"] == "replayed"


class TestLoading:
    """What is good is loaded, what is bad is told, all of it."""

    def test_every_form_that_a_file_may_have(self, sandbox: Watched) -> None:
        """One object, a list, one per line."""
        one, two, three, four = (draft(f"INV-{at}") for at in range(4))
        assert load(sandbox, json.dumps(one, indent=1))["counts"]["new"] == 1
        assert load(sandbox, json.dumps([two]))["counts"]["new"] == 1
        assert load(sandbox, f"{json.dumps(three)}\n{json.dumps(four)}\n")["counts"]["new"] == 2
        assert load(sandbox, json.dumps(one))["counts"] == {"new": 0, "changed": 0, "unchanged": 1, "refused": 0}

    def test_all_faults_at_once_and_the_good_beside_them(self, sandbox: Watched) -> None:
        """Each with its path."""
        bad = draft("INV-2", currency="euro", status=True)
        told = load(sandbox, json.dumps([draft("INV-1"), bad]))
        assert told["counts"] == {"new": 1, "changed": 0, "unchanged": 0, "refused": 1}
        [faults] = [each["told"] for each in told["documents"] if each["word"] == "refused"]
        assert [each.partition(":")[0] for each in faults] == ["$[1].status", "$[1].currency"]

    def test_what_another_has_given_up(self, sandbox: Watched) -> None:
        """A number may move within one text, whichever comes first (DOC-2)."""
        load(sandbox, json.dumps([draft("INV-1")]))
        moved = [draft("INV-1", id="another", invoiceItems=[]), draft("INV-1", invoiceNumber="INV-1a")]
        assert load(sandbox, json.dumps(moved))["counts"]["refused"] == 0

    def test_what_another_keeps(self, sandbox: Watched) -> None:
        """Refused, naming who has it (DOC-2, DOC-3)."""
        load(sandbox, json.dumps([draft("INV-1")]))
        for taken in (
            draft("INV-1", id="another", invoiceItems=[]),
            draft("INV-2", invoiceItems=draft("INV-1")["invoiceItems"]),
        ):
            told = load(sandbox, json.dumps(taken))
            assert told["counts"]["refused"] == 1
            assert "id of INV-1" in told["documents"][0]["told"][0]

    def test_an_organisation_that_the_client_does_not_see(self, sandbox: Watched) -> None:
        """It is stored and not shown, and whoever loads it is told (ACC-4)."""
        [told] = load(sandbox, json.dumps(draft("INV-1", organizationLabel="north")))["documents"]
        assert "north" in told["told"][-1]
        assert sandbox.ask("state")["documents"] == []

    @pytest.mark.parametrize("text", [b"", b"nonsense", b"\xff\xfe", b"[1, null]", b'{"id": NaN}', b"[" * 5000])
    def test_what_is_no_document(self, sandbox: Watched, text: bytes) -> None:
        """An answer, not an error."""
        assert load(sandbox, text)["counts"]["new"] == 0

    def test_too_much_at_once(self, sandbox: Watched) -> None:
        """Its own limit, larger than the operation's, and told."""
        fits = json.dumps(draft("INV-1", comments="x" * 100_000))
        assert load(sandbox, fits)["counts"]["new"] == 1
        for name, size in (("documents", MAX_DOCUMENTS_BYTES), ("plan", 64 * 1024)):
            answer = sandbox.request("POST", sandbox.path + name, content=b" " * (size + 1), headers=NDJSON)
            assert answer.status_code == 413
            assert str(size) in answer.json()["message"]


class TestWhoSeesWhat:
    """A window shows one client's view at a time."""

    def test_two_tenants(self, watch: Watch) -> None:
        """Neither documents nor requests of the other (ACC-4)."""
        both = watch(ONE, TWO)
        empty = both.ask("state", client="two")
        both.tell("examples", "posted", client="one")
        both.operation(ONE)
        both.tell("faults", {"drop": 2}, client="one")
        both.tell("reset", client="two")
        assert both.ask("state", client="two", seen=empty["tag"]) == {"is_same": True}
        assert both.tell("plan", asked(), client="two")["refusal"]["name"] == "DocumentNotFound"
        assert [each["client"] for each in both.ask("requests", client="one")["requests"]] == ["one"]
        assert both.document(client="one")["lines"]

    def test_requests_of_nobody(self, watch: Watch) -> None:
        """Shown where there is one tenant, for they may be anybody's where there are two."""

        def refused(watched: Watched, client: str) -> list[str]:
            watched.request("POST", "/v1/uno-regenerate/billing-transaction", json={})
            return [each["name"] for each in watched.ask("requests", client=client)["requests"]]

        assert refused(watch(ONE), "one") == ["Unauthenticated"]
        assert refused(watch(ONE, TWO), "one") == []

    def test_a_configured_service_is_not_emptied(self, watch: Watch) -> None:
        """Neither emptied nor tampered with, and nothing on the page offers it."""
        service = watch(ONE, is_sandbox=False)
        service.tell("examples", "posted")
        told = service.ask("state")
        assert not told["is_sandbox"]
        assert told["database"] is None
        for name, body in (("reset", {}), ("tamper", {"type": "Invoice", "id": "x", "item": "x", "how": "alter"})):
            answer = service.request("POST", service.path + name, json=body)
            assert answer.status_code == 409
            assert "sandbox" in answer.json()["message"]
        assert service.ask("state", seen=told["tag"]) == {"is_same": True}

    @pytest.mark.parametrize("query", [{"client": "three"}, {"entity": "e2"}])
    def test_somebody_who_is_not_there(self, sandbox: Watched, query: dict[str, str]) -> None:
        """No such client, or none of its entities."""
        assert sandbox.request("GET", sandbox.path + "state", params=query).status_code == 400


class TestBadQuestions:
    """Whatever is asked, there is an answer that says what was expected."""

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("plan", b""),
            ("plan", b"[]"),
            ("plan", b'{"body": 1}'),
            ("plan", b'{"flags": {"reMigrate": true}}'),
            ("plan", b'{"more": 1}'),
            ("run", b'{"idempotencyKey": "a\\r\\nb"}'),
            ("run", b'{"trackId": 7}'),
            ("run", b'{"a": 1, "a": 2}'),
            ("faults", b'{"refuse": -1}'),
            ("faults", b'{"refuse": 1.5}'),
            ("faults", b'{"explode": 1}'),
            ("tamper", b"{}"),
            ("tamper", b'{"type": "Invoice", "id": "x", "item": "x", "how": "burn"}'),
            ("tamper", b'{"type": "Letter", "id": "x", "item": "x", "how": "lose"}'),
            ("examples", b'"unheard of"'),
            ("examples", b"../../pyproject.toml"),
        ],
    )
    def test_a_body(self, shared: Watched, name: str, body: bytes) -> None:
        """400, with a sentence."""
        answer = shared.request("POST", shared.path + name, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["message"].endswith(".")

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=101", "limit=x", "limit=1e9", "type=Letter", "after=x", "who=1", "%", "limit"]
    )
    def test_a_query(self, shared: Watched, query: str) -> None:
        """The same."""
        answer = shared.request("GET", f"{shared.path}state?{query}")
        assert answer.status_code == 400
        assert answer.json()["message"].endswith(".")

    def test_a_path_or_a_method(self, shared: Watched) -> None:
        """As anywhere in the service."""
        assert shared.request("GET", shared.path + "nothing").status_code == 404
        assert shared.request("GET", shared.path + "state/more").status_code == 404
        wrong = shared.request("GET", shared.path + "reset")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


class TestWhatIsKept:
    """Logs and memories hold what they need."""

    def test_no_token_in_a_log(self, sandbox: Watched) -> None:
        """Neither the path's nor a bearer's, whatever the window did."""
        log = io.StringIO()
        observers = [RequestLog(log)]
        sandbox.app.app._observers += tuple(observers)  # type: ignore[attr-defined]  # the envelope around it all
        sandbox.tell("examples", "posted")
        sandbox.tell("run", asked(key="secret-key"))
        sandbox.request("GET", sandbox.path + "nothing")
        sandbox.request("POST", sandbox.path + "reset", headers={"origin": "https://example.com"}, json={})
        sandbox.ask("state")
        written = log.getvalue()
        assert '"route":"window"' in written, "the control: it was written about"
        assert sandbox.window.token not in written
        assert "secret-key" not in written
        assert '"GET"' not in written
        assert written.count('"status":200') == 3, "looking is not worth a line, acting is"

    def test_no_key_and_no_bearer_in_the_last_requests(self, sandbox: Watched) -> None:
        """That there was a key is told, the key isn't (IDM-5)."""
        sandbox.tell("examples", "posted")
        sandbox.operation(key="secret-key")
        told = json.dumps(sandbox.ask("requests"))
        assert '"has_key": true' in told
        assert "secret-key" not in told
        assert "Bearer" not in told

    def test_the_last_requests_are_bounded(self, sandbox: Watched) -> None:
        """The newest hundred, the newest first."""
        for _ in range(110):
            sandbox.operation()
        numbers = [each["number"] for each in sandbox.ask("requests")["requests"]]
        assert numbers == list(range(110, 10, -1))

    def test_the_page_is_in_the_package(self, sandbox: Watched) -> None:
        """Byte for byte."""
        assert sandbox.request("GET", sandbox.path).content == page()
