"""Both READMEs say what the code does: nothing is missing in them, nothing is made up, and their commands work."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shlex
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Message

from deploy import policy
from handler.cloud.cas_codes import _TABLE, Meaning
from handler.command import Renew
from handler.journal.work import Renewal, State, message_id
from handler.orders.policy import CHECKS
from handler.outbox.messages import RENEWED, renewed_message
from handler.result import OrderResult, Outcome, RunResult
from handler.runtime.settings import VARIABLES
from handler.triggers.events import understand
from tests import examples, invoke
from tests.stubs.backend import ApiError
from tests.stubs.cloud import QUEUE, Cloud
from tests.stubs.loopback import served
from tests.stubs.smq import SmqStub, _xml_response
from tests.stubs.wire import Request, Response

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("README.md", "README.zh-CN.md")
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
HANDLER = {
    path.relative_to(ROOT / "handler").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "handler").rglob("*.py"))
    if path.parent.name != "report"
}
DEPLOYMENT = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")
MONEY = re.compile(r"MAY COST MONEY|可能花钱")

both = pytest.mark.parametrize("text", TEXTS.values(), ids=NAMES)


# --- what stands in a README ------------------------------------------------------------------------------------------


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return [body for name, body in FENCE.findall(text) if name == language]


def prose(text: str) -> str:
    """Everything but the code blocks."""
    return FENCE.sub("", text)


def spans(text: str) -> list[str]:
    """What is set in code within a line."""
    return re.findall(r"`([^`\n]+)`", text)


def tables(text: str) -> list[list[list[str]]]:
    """Every table, as rows of cells, without its head."""
    found = re.findall(r"(?:^\|.*\|\n)+", prose(text), re.MULTILINE)
    return [[line[1:-1].split("|") for line in table.splitlines()[2:]] for table in found]


def table_with(text: str, key: str) -> list[list[str]]:
    """The table that has this key in its first column."""
    (table,) = [table for table in tables(text) if any(key in spans(row[0]) for row in table)]
    return table


def keys_of(table: list[list[str]]) -> list[str]:
    """All that is set in code in a table's first column."""
    return [key for row in table for key in spans(row[0])]


def headings(text: str) -> list[tuple[int, str]]:
    """Level and title of each heading."""
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", prose(text), re.MULTILINE)]


def commands(text: str) -> list[tuple[list[str], str]]:
    """Every line of a shell block: its words, and the line with its comment."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if line.strip()]
    return [(shlex.split(line, comments=True), line) for line in lines]


# --- what stands in the code ------------------------------------------------------------------------------------------

REASON_AT = {
    "of_order": 2,
    "of_work": 2,
    "_not_bought": 2,
    "OrderResult": 1,
    "Hold": 0,
    "Later": 0,
    "Refusal": 0,
    "PublishFailed": 0,
}
"""Which argument of these is a reason; of the exceptions that speak for CAS it is the first."""
ONLY_IN_ERRORS = {"list-changing", "list-not-paged", "no-list", "empty-answer"}
"""Codes of calls that read: they make a text in `errors`, never the reason of an order."""
MODULES_WITH_REASONS = (
    "run/run.py",
    "run/renew.py",
    "orders/decision.py",
    "orders/purchase.py",
    "run/recover.py",
    "orders/selection.py",
    "orders/settle.py",
    "run/by_hand.py",
    "cloud/cas.py",
)


def called(call: ast.Call) -> str:
    """The bare name of what is called."""
    function = call.func.body if isinstance(call.func, ast.IfExp) else call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def texts_in(node: ast.AST | None, names: dict[str, set[str]]) -> set[str]:
    """The texts that an expression may be: itself, what its name stands for, or any side of a choice."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.Name(id=name):
            return names.get(name, set())
        case ast.IfExp(body=one, orelse=other):
            return texts_in(one, names) | texts_in(other, names)
        case ast.BoolOp(values=values):
            return set[str]().union(*(texts_in(value, names) for value in values))
    return set()


def named(tree: ast.Module) -> dict[str, set[str]]:
    """The texts that are assigned to each name, anywhere in a module."""
    names: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names.setdefault(node.targets[0].id, set()).update(texts_in(node.value, {}))
    return names


def reasons_of(tree: ast.Module) -> set[str]:
    """The reasons that a module gives."""
    names, found = named(tree), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            found |= texts_in(node.value.elts[1], names)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
            found |= {text for text in texts_in(node.value, {}) if "-" in text}
        elif isinstance(node, ast.ClassDef):  # an exception that has its reason with it
            found |= named(ast.Module(node.body, [])).get("reason", set())
        elif isinstance(node, ast.Call):
            at = 0 if re.fullmatch(r"Cas[A-Z]\w+", called(node)) else REASON_AT.get(called(node))
            if at is not None:
                given = [*node.args[at : at + 1], *(word.value for word in node.keywords if word.arg == "reason")]
                found |= set[str]().union(*(texts_in(one, names) for one in given))
            holds = [word.value for word in node.keywords if word.arg == "hold" and isinstance(word.value, ast.Tuple)]
            found |= set[str]().union(*(texts_in(hold.elts[0], names) for hold in holds))
    return {slug for slug in found if SLUG.fullmatch(slug)}


def logged_by(tree: ast.Module) -> set[str]:
    """The names of the log lines that a module writes."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in {"info", "problem"}]
    return set[str]().union(*(texts_in(call.args[0], {}) for call in calls if call.args))


REASONS = set[str]().union(*map(reasons_of, HANDLER.values())) - ONLY_IN_ERRORS | set(CHECKS)
LOGGED = set[str]().union(*map(logged_by, HANDLER.values()))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", MODULES_WITH_REASONS)
def test_no_module_gives_a_reason_in_a_way_that_these_tests_do_not_see(name: str):
    constants = [node for node in ast.walk(HANDLER[name]) if isinstance(node, ast.Constant)]
    texts = {node.value for node in constants if isinstance(node.value, str) and "-" in node.value}
    assert {text for text in texts if SLUG.fullmatch(text)} <= REASONS | ONLY_IN_ERRORS | LOGGED


# --- tables -----------------------------------------------------------------------------------------------------------


@both
def test_the_settings_are_those_of_the_code_in_its_order_with_their_defaults(text: str):
    table = table_with(text, "CAS_ENDPOINT")
    assert keys_of(table) == [variable.name for variable in VARIABLES]
    for row, variable in zip(table, VARIABLES, strict=True):
        assert spans(row[1]) == ([variable.default] if variable.default else [])


@both
def test_the_outcomes_are_those_of_the_code(text: str):
    assert Counter(keys_of(table_with(text, "would-renew"))) == Counter(outcome.value for outcome in Outcome)


@both
def test_the_reasons_are_those_that_the_code_gives(text: str):
    table = table_with(text, "several-candidates")
    assert Counter(keys_of(table)) == Counter(REASONS)
    assert {outcome for row in table for outcome in spans(row[1])} <= {outcome.value for outcome in Outcome}
    assert set(spans(prose(text))) >= ONLY_IN_ERRORS


@both
def test_the_codes_of_cas_are_those_of_the_code_and_have_its_outcome(text: str):
    rows = {frozenset(spans(row[0])): spans(row[1]) for row in table_with(text, "Forbidden.RAM")}
    for meaning, codes in _TABLE.items():
        assert rows[frozenset(codes)] == ["unknown" if meaning is Meaning.UNKNOWN else "refused"]
    assert len(rows) == len(_TABLE) + 1, "and one row for all the others"


@both
def test_the_log_lines_are_those_that_the_code_writes(text: str):
    assert Counter(keys_of(table_with(text, "settings-wrong"))) == Counter(LOGGED)


@both
def test_the_targets_are_those_of_the_makefile(text: str):
    assert Counter(keys_of(table_with(text, "make soak"))) == Counter(f"make {target}" for target in TARGETS)
    assert set(re.findall(r"\bmake (?:-s )?([a-z-]+)\b", " ".join(spans(prose(text))))) <= TARGETS
    assert {
        next(word for word in words[1:] if word != "-s") for words, _ in commands(text) if words[0] == "make"
    } <= TARGETS


@both
def test_every_sample_is_named(text: str):
    samples = {f"events/{path.name}" for path in (ROOT / "events").iterdir()}
    named = {
        name for table in tables(text) for row in table for name in spans("|".join(row)) if name.startswith("events/")
    }
    assert named - {"events/"} == samples


@both
def test_an_event_that_is_written_out_is_the_sample_beside_it(text: str):
    rows = [spans("|".join(row)) for table in tables(text) for row in table]
    pairs = [
        (row[0], sample)
        for row in rows
        if row and row[0].startswith('{"')
        for sample in row
        if sample.startswith("events/")
    ]
    assert len(pairs) >= 7
    for written, sample in pairs:
        understand(written.encode(), ())
        assert json.loads(written) == json.loads((ROOT / sample).read_text(encoding="utf-8"))


# --- files and links --------------------------------------------------------------------------------------------------


@both
def test_every_file_that_is_mentioned_exists(text: str):
    mentioned = " ".join([*spans(prose(text)), *(line for _, line in commands(text))])
    paths = set(
        re.findall(
            r"(?<![\w/.-])(?:(?:handler|tests|events|deploy|bench|\.ci)/[\w./-]*|[\w-]+\.(?:yaml|txt|toml))", mentioned
        )
    )
    modules = {name.replace(".", "/") + ".py" for name in re.findall(r"python -m ([\w.]+)", mentioned)}
    assert len(paths) > 20
    assert not [path for path in paths | modules if not (ROOT / path).exists()]


@both
def test_every_link_leads_somewhere(text: str):
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for _, title in headings(text)}
    links = re.findall(r"\]\(([^)]+)\)", prose(text))
    assert len(links) > 10
    assert not [link for link in links if link.startswith("#") and link[1:] not in anchors]
    assert not [link for link in links if not link.startswith("#") and not (ROOT / link).exists()]


@both
def test_the_names_in_the_commands_are_those_of_the_deployment(text: str):
    chosen, lines = DEPLOYMENT["vars"], "\n".join(line for words, line in commands(text) if words[0] == "aliyun")
    assert set(re.findall(r"--RoleName (\S+)", lines)) == {chosen["role"]}
    assert set(re.findall(r"--QueueName (\S+)", lines)) == {chosen["queue"]}
    assert set(re.findall(r"--region (\S+)", lines)) == {chosen["region"]}
    assert set(re.findall(r"oss://([\w-]+)", lines)) == {chosen["journal_bucket"]}
    assert set(re.findall(r"oss://[\w-]+/(\w+)/orders", lines)) == {chosen["journal_prefix"]}
    functions = {words[words.index("--remote") + 1] for words, _ in commands(text) if "--remote" in words}
    assert functions == {DEPLOYMENT["resources"]["renewer"]["props"]["functionName"], "SERVICE/FUNCTION"}


@both
def test_only_the_example_account_is_mentioned(text: str):
    assert set(re.findall(r"(?<!\d)\d{12,16}(?!\d)", text)) == {"123456789012"}


# --- examples ---------------------------------------------------------------------------------------------------------


def shape(value: Any) -> Any:
    """The keys of an object, and those of the objects in it."""
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else None


@both
def test_every_json_example_is_json(text: str):
    assert len([json.loads(block) for block in blocks(text, "json")]) >= 2


@both
def test_the_message_is_one_that_the_code_writes(text: str):
    (shown,) = [found for block in blocks(text, "json") if (found := json.loads(block)).get("type") == RENEWED]
    renewed = examples.work(state=State.RENEWED, renewal=Renewal(examples.NEW, examples.NOW, "request"))
    assert shape(shown) == shape(json.loads(renewed_message(renewed, examples.ACCOUNT)))
    assert shown["id"] == message_id(shown["data"]["RenewedOrderId"], shown["data"]["OrderId"])
    assert shown["subject"] == shown["data"]["OrderId"]


@both
def test_the_result_is_one_that_the_code_writes(text: str):
    (shown,) = [found for block in blocks(text, "json") if "orders" in (found := json.loads(block))]
    assert shown.keys() == json.loads(RunResult("request", "timer").to_json(examples.NOW)).keys()
    assert shown["counts"] == Counter(order["outcome"] for order in shown["orders"])
    for order in shown["orders"]:
        assert order.keys() == OrderResult(Outcome.SKIPPED).to_dict(examples.NOW).keys()
        assert order["outcome"] in set(Outcome)


# --- commands ---------------------------------------------------------------------------------------------------------

NOT_RUN_HERE = {"make test", "make package", "make bench", "make soak", "make mutants"}
"""The first is what runs this test, the others take minutes."""


def needs_an_account(words: list[str]) -> bool:
    """Whether a command reaches for the cloud, or installs a tool that does."""
    return words[0] in {"aliyun", "s", "npm"} or "--remote" in words


def run_locally(words: list[str], folder: Path) -> int:
    """Do what `make run` does, in another folder."""
    given = dict(word.split("=", 1) for word in words[2:])
    assert given.keys() <= {"EVENT", "ARGS"}
    event = given.get("EVENT", "events/timer.json")
    return invoke.main([str(ROOT / event), *shlex.split(given.get("ARGS", "")), "--state", str(folder / ".local")])


@both
def test_every_command_that_needs_no_account_is_run_here_or_known(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    local = [words for words, _ in commands(text) if not needs_an_account(words)]
    assert [words for words in local if words == ["make", "run"]]
    for words in local:
        if words[:2] == ["make", "run"]:
            assert run_locally(words, tmp_path) == 0, words
        elif words == ["make", "policy"]:
            assert policy.main([]) == 0
        else:
            assert " ".join(words) in NOT_RUN_HERE
    assert "DRY RUN" in capsys.readouterr().out, "the dry run is shown"


@both
def test_the_output_that_is_shown_is_that_of_make_run(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def comparable(line: str) -> str:
        line = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "REQUEST", line)
        return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", line)

    monkeypatch.chdir(tmp_path)
    assert run_locally(["make", "run"], tmp_path) == 0
    printed = [comparable(line) for line in capsys.readouterr().out.splitlines()]
    shown = blocks(text, "console")[0]
    assert not [line for line in map(comparable, shown.splitlines()) if line not in printed]


@both
def test_every_command_for_the_deployed_function_is_one_that_it_takes(text: str):
    parser = invoke._parser()
    remote = [words for words, _ in commands(text) if "--remote" in words]
    assert remote
    for words in remote:
        assert words[:3] == [".venv/bin/python", "-m", "tests.invoke"]
        options = parser.parse_args(words[3:])
        invoke._reject_strangers(parser, options)
        understand((ROOT / options.event).read_bytes(), ())


@both
def test_a_command_that_may_cost_money_says_so_and_warnings_come_before_the_first(text: str):
    costly = []
    for words, line in commands(text):
        if "--remote" in words:
            what = understand((ROOT / words[-1]).read_bytes(), ()).what
            costs = isinstance(what, Renew) and not what.dry_run
            assert bool(MONEY.search(line)) == costs, line
            costly += [line] * costs
    deploys = [line for words, line in commands(text) if words == ["s", "deploy"]]
    assert [bool(MONEY.search(line)) for line in deploys] == [False, True]
    assert costly
    first_block, first_warning = text.index("```sh"), re.search(r"may cost money|可能花钱", text, re.IGNORECASE)
    assert first_warning
    assert first_warning.start() < first_block


# --- the consumer -----------------------------------------------------------------------------------------------------


class ReceivingSmq(SmqStub):
    """A queue from which somebody receives, too. A received message stays until it is deleted."""

    actions: ClassVar = SmqStub.actions | {"ReceiveMessage", "DeleteMessage"}
    readers: ClassVar = ()
    empty = ApiError("MessageNotExist", 404, "Message not exist.")

    def _identify(self, request: Request) -> tuple[str, dict[str, str]]:
        action = {"GET": "ReceiveMessage", "DELETE": "DeleteMessage"}.get(request.method)
        if action and request.path.endswith("/messages"):
            return action, {"QueueName": request.path.split("/")[2], **request.query}
        return super()._identify(request)

    def _perform(self, action: str, params: dict[str, str], request: Request) -> Response:
        queue = self._queues[params["QueueName"]]
        if action == "DeleteMessage":
            assert params["ReceiptHandle"] == handle_of(queue[0])
            del queue[0]
            return Response(204, {"x-mns-request-id": "1"})
        if action != "ReceiveMessage":
            return super()._perform(action, params, request)
        if not queue:
            raise self.empty
        body = b64encode(queue[0].encode()).decode()
        fields = dict.fromkeys(["EnqueueTime", "FirstDequeueTime", "NextVisibleTime"], "1795230000000")
        fields |= {"MessageId": "1", "DequeueCount": "1", "Priority": "8", "MessageBody": body}
        fields |= {"MessageBodyMD5": hashlib.md5(body.encode()).hexdigest(), "ReceiptHandle": handle_of(queue[0])}
        return _xml_response("Message", fields, 200, "1")


def handle_of(body: str) -> str:
    return hashlib.sha1(body.encode()).hexdigest()


@pytest.fixture
def smq(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ReceivingSmq, Account]]:
    cloud = Cloud()
    stub = ReceivingSmq(cloud.clock, cloud.credentials, cloud.account_id, [QUEUE])
    key, secret, token = vars(cloud.credentials).values()
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", key)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
    with served(stub) as server:
        account = Account(server.url, key, secret, token)
        yield stub, account
        account.mns_client.close_connection()


def consumer(text: str, name: str) -> dict[str, Any]:
    """Run the README's consumer as a module of that name."""
    code = blocks(text, "python")[0]
    module: dict[str, Any] = {"__name__": name}
    exec(compile(code, "README", "exec"), module)  # noqa: S102
    return module


def renewed(new_order_id: str, kind: str = RENEWED) -> Message:
    return Message(json.dumps({"id": f"1-{new_order_id}", "type": kind, "data": {"OrderId": new_order_id}}))


@both
def test_the_consumer_uses_each_renewal_once_and_takes_everything_off_the_queue(text: str, smq: Any):
    stub, account = smq
    queue = account.get_queue(QUEUE)
    for message in (renewed("7"), renewed("7"), renewed("8", "cas.order.another"), renewed("9")):
        queue.send_message(message)
    consume, done, used = consumer(text, "consumer")["consume"], set[str](), list[Any]()
    while consume(queue, done, used.append):
        pass
    assert [data["OrderId"] for data in used] == ["7", "9"]
    assert not stub.messages()


@both
def test_the_consumer_keeps_a_message_that_it_could_not_use(text: str, smq: Any):
    stub, account = smq
    queue = account.get_queue(QUEUE)
    queue.send_message(renewed("7"))

    def fail(_data: object) -> None:
        raise RuntimeError

    done = set[str]()
    with pytest.raises(RuntimeError):
        consumer(text, "consumer")["consume"](queue, done, fail)
    assert len(stub.messages()) == 1
    assert not done


@both
def test_the_consumer_runs_as_a_program(
    text: str, smq: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    stub, account = smq
    stub.empty = ApiError("QueueNotExist", 404, "The queue name you provided is not exist.")  # ends it
    account.get_queue(QUEUE).send_message(renewed("7"))
    given: list[tuple[str, ...]] = []

    def made_here(_url: str, *key: str) -> Account:
        given.append(key)
        return account

    monkeypatch.setattr("mns.account.Account", made_here)
    with pytest.raises(MNSServerException, match="QueueNotExist"):
        consumer(text, "__main__")
    assert "{'OrderId': '7'}" in capsys.readouterr().out
    assert given == [(os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])]


# --- both languages ---------------------------------------------------------------------------------------------------


def without_comments(code: str) -> list[str]:
    return [re.sub(r'\s*(#.*|""".*""")$', "", line) for line in code.splitlines()]


def test_both_languages_have_the_same_headings():
    assert [level for level, _ in headings(TEXTS[NAMES[0]])] == [level for level, _ in headings(TEXTS[NAMES[1]])]


def test_both_languages_have_the_same_code():
    english, chinese = (FENCE.findall(TEXTS[name]) for name in NAMES)
    assert [language for language, _ in english] == [language for language, _ in chinese]
    for (language, one), (_, other) in zip(english, chinese, strict=True):
        # A block of text is a picture with words in it.
        assert language == "text" or without_comments(one) == without_comments(other)


def test_both_languages_have_the_same_tables():
    english, chinese = (tables(TEXTS[name]) for name in NAMES)
    assert [len(table) for table in english] == [len(table) for table in chinese]
    for one, other in zip(english, chinese, strict=True):
        for row, twin in zip(one, other, strict=True):
            assert [sorted(spans(cell)) for cell in row] == [sorted(spans(cell)) for cell in twin]


def test_both_languages_speak_of_the_same_names():
    english, chinese = (set(spans(prose(TEXTS[name]))) for name in NAMES)
    assert english == chinese


def test_both_languages_have_the_same_marked_places():
    english, chinese = (re.findall(r"<!-- (/?\w+) -->", TEXTS[name]) for name in NAMES)
    assert english == chinese
    assert [name for name in english if not name.startswith("/")] == [
        name[1:] for name in english if name.startswith("/")
    ]
