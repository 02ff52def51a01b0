"""How the house is built: what import-linter, ruff and mypy cannot say is said here."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import PACKAGES, ROOT, files, imported, modules, within

TOP_LEVEL = {*PACKAGES, "tests", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}

COMMANDS = ("hub.commands", "hub.demo")

# Who alone may import a package. A broken adapter cannot reach the domain; a page or an interface cannot keep state.
ONLY = {
    "adapters": ("adapters", "hub.app", *COMMANDS),
    "hub.app": ("hub.app", "hub.serving", *COMMANDS),
}
NEVER = {"hub.api": ("storage", "sqlalchemy"), "hub.portal": ("storage", "sqlalchemy")}
# What a verb may know of the database: the transaction it owns and passes on, and two refusals that only the verb can
# answer: another process was quicker, and a value that no column can hold.
TRANSACTION = {"sqlalchemy.Connection", "sqlalchemy.exc.IntegrityError", "sqlalchemy.exc.DataError"}

# Where a bug must not end more than the one thing it belongs to: it is logged there, and somebody is answered.
EDGES = {
    "hub.api.edge",  # a request
    "hub.ingest.group_commit",  # deliveries that wait together do not fail together
    "hub.profiles.trial",  # a reader: whoever asks what would become of a message gets an answer
    "hub.ingest.service",  # a reader: the bytes are kept all the same
    "hub.examination.service",  # a reader, asked what it would make of a changed text
    "hub.receivers",  # a process: what follows the fork belongs to the one that it came from
    "adapters.dicom.store_scp",  # one request within an association
    "adapters.dicom.dimse.lane",  # the requests of one batch
    "adapters.dicom.dimse.acceptor",  # who asks for an association is looked up
    "adapters.dicom.dimse.association",  # one request within it
    "adapters.dicom.dimse.messages",  # a data set that pydicom is to read: whatever its bytes provoke
    "adapters.dicom.dimse.server",  # a connection
    "adapters.hl7v2.intake",  # a connection
    "hub.headers",  # a reader, asked about what is stored: one instance stays without its header
    "hub.archive.couriers",  # a round of telling what became of storage commitments
    "hub.offering.filing",  # a report that cannot be written holds up no other
    "hub.notify.queueing",  # a report that cannot be written holds up no other
    "hub.recall.raising",  # a change that cannot be understood keeps nobody from hearing of the others
    "hub.notify.outbound",  # a round of sending, and a destination's turn
}

# storage modules without patients' data, hence without a Disclosure. Any other one, also a new one, needs it.
NO_PATIENTS = {
    "storage.accounts",
    "storage.catalogue",
    "storage.certificates",
    "storage.commitments",
    "storage.destinations",
    "storage.hiding",
    "storage.mappings",
    "storage.nodes",
    "storage.organizations",
    "storage.outbox",
    "storage.quality",
    "storage.repairs",
    "storage.statement",
    "storage.subscriptions",
    "storage.tasks",
}
WRITES = ("add", "put", "link", "settle", "remove")
# `known…` compares and links on the way in; what it finds is shown to nobody (see the test below).
COMPARES = "known"
NOBODY_S = {
    "storage.audit.broken_links": "hashes only",
    "storage.decisions.counts": "numbers only",
    "storage.deliveries.waiting_counts": "numbers only",
    "storage.dispatches.counts": "numbers only",
    "storage.notices.counts": "numbers only",
    "storage.deliveries.objects": "digests only",
    "storage.observations.count_of": "a number only",
    "storage.waiting.counts": "numbers only",
    "storage.observations.with_ids": "adds ids to what was already disclosed",
    "storage.proofs.contradictions": "ids only",
    "storage.deliveries.receipt": "what the sender itself was told",
    "storage.database.stamp": "whether something was written, not what",
}


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert not checked.returncode, checked.stdout + checked.stderr


@pytest.mark.parametrize("package", ONLY)
def test_a_guarded_package_is_imported_by_its_keepers_alone(package: str) -> None:
    strangers = [
        f"{module.path} imports {name}"
        for module in modules()
        if not within(module.name, *ONLY[package])
        for name in module.imports()
        if within(name, package)
    ]
    assert not strangers


@pytest.mark.parametrize("package", NEVER)
def test_an_edge_keeps_no_state_of_its_own(package: str) -> None:
    reached = [
        f"{module.path} imports {name}"
        for module in modules()
        if within(module.name, package)
        for name in module.imports()
        if within(name, *NEVER[package])
    ]
    assert not reached


def test_sql_is_said_in_storage_alone() -> None:
    said = [
        f"{module.path} imports {name}"
        for module in modules()
        if not within(module.name, "storage")
        for name in module.imports()
        if within(name, "sqlalchemy") and not (within(module.name, "hub") and name in TRANSACTION)
    ]
    assert not said


def test_no_function_hides_an_import_of_ours() -> None:
    hidden = [
        f"{module.path}:{statement.lineno}"
        for module in modules()
        for function in module.functions()
        for statement in ast.walk(function)
        if isinstance(statement, ast.Import | ast.ImportFrom)
        and any(within(name, *PACKAGES) for name in imported(statement, module))
    ]
    assert not hidden, "an import inside a function hides a circle"


def test_only_the_edges_catch_everything() -> None:
    blind = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        if not within(module.name, *EDGES)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
    ]
    assert not blind, "a library's exception becomes a Fault by its own name"


def test_only_what_speaks_to_a_person_prints() -> None:
    prints = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        if not within(module.name, *COMMANDS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not prints


def test_every_read_of_patients_data_takes_a_disclosure() -> None:
    careless = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules()
        if within(module.name, "storage") and module.name not in NO_PATIENTS
        for function in module.tree.body
        if isinstance(function, ast.FunctionDef)
        and _reads_patients(function)
        and f"{module.name}.{function.name}" not in NOBODY_S
        and not _takes_disclosure(function)
    ]
    assert not careless


def test_what_is_read_to_compare_is_shown_to_nobody() -> None:
    shows = ("hub.api", "hub.portal", "hub.query", "hub.retrieve", "hub.statistics")
    shown = [
        f"{module.path}:{node.lineno} {node.attr}"
        for module in modules()
        if within(module.name, *shows) and any(within(name, "storage") for name in module.imports())
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith(f"{COMPARES}_")
    ]
    assert not shown


def test_the_top_level_holds_only_what_belongs_there() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in files()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_the_tree_names_no_machine_and_no_package_index() -> None:
    place = re.compile(
        r"/(?:root|home|work|Users)/\w|(?:registry|proxy|index|mirror)\.\w+\.(?:org|com|io)|pypi\.(?:org|io)"
    )
    named = []
    for path in files():
        text = path.read_bytes().decode("utf-8", "replace")
        named += [f"{path.relative_to(ROOT)}: {found[0]}" for found in place.finditer(text)]
    assert not named


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False  # It only tidies up on the way.
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in caught)


def _reads_patients(function: ast.FunctionDef) -> bool:
    parameters = [parameter.arg for parameter in function.args.args]
    public = not function.name.startswith(("_", COMPARES, *WRITES))
    return public and parameters[:1] == ["tx"]


def _takes_disclosure(function: ast.FunctionDef) -> bool:
    parameters = [*function.args.args, *function.args.kwonlyargs]
    return any(p.annotation is not None and ast.unparse(p.annotation) == "Disclosure" for p in parameters)
