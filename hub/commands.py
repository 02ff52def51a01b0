"""The subcommands of `dxhub`, their arguments and their help."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from adapters.dicom.conformance import statement
from hub import app, demo, logs
from hub.check import check
from hub.check_words import words
from hub.ingest.verify import verify
from hub.profiles import register_first
from hub.serving import serving
from hub.settings import Settings
from hub.settings import read as read_settings
from hub.strictness import lines, strictness
from schemas.disclosure import PEOPLE, Principal, Role
from schemas.faults import Fault
from schemas.organization import Organization

PARTS = ("web", "dicom", "mllp", "worker", "watch")
_HELD = {"conformant": True}
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the process's exit code. A Fault becomes a sentence, never a traceback."""
    arguments = _parser().parse_args(argv)
    try:
        settings = _settings(arguments)
        logs.configure(settings.log_level)
        return int(arguments.run(arguments, settings))
    except Fault as fault:
        print(f"dxhub: {fault}", file=sys.stderr)
    except OSError as error:
        print(f"dxhub: {error.strerror or error} {error.filename or ''}".rstrip(), file=sys.stderr)
    return 1


def _settings(arguments: argparse.Namespace) -> Settings:
    names = ("data", "host", "http_port", "dicom_port", "mllp_port")
    given = {name: value for name in names if (value := getattr(arguments, name, None)) is not None}
    return read_settings(**given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dxhub", description="A district's exchange hub for diagnostic reports. 区域检查检验结果互认共享中枢"
    )
    parser.add_argument("--version", action="version", version=f"dxhub {app.VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_demo, _serve, _migrate, _account, _token, _check, _conformance, _verify):
        add(commands)
    return parser


def _command(
    commands: _Commands, name: str, run: Callable[[argparse.Namespace, Settings], int], what: str, example: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=what,
        description=what,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def _stores(command: argparse.ArgumentParser) -> None:
    what = "folder of the embedded database and objects (./dxhub-data)"
    command.add_argument("--data", type=Path, metavar="DIR", help=what)


def _doors(command: argparse.ArgumentParser) -> None:
    _stores(command)
    command.add_argument("--host", metavar="H", help="address on which to listen (127.0.0.1)")
    command.add_argument("--http-port", type=int, metavar="N", help="portal and HTTP interfaces (8080)")
    command.add_argument("--dicom-port", type=int, metavar="N", help="DICOM (11112)")
    command.add_argument("--mllp-port", type=int, metavar="N", help="HL7 v2 (2575)")


def _demo(commands: _Commands) -> None:
    what = "bring up a seeded fictional district and send real files over real sockets"
    command = _command(commands, "demo", demo.run, what, "dxhub demo --once --data /tmp/district")
    _doors(command)
    command.add_argument("--once", action="store_true", help="stop afterwards; exit 0 only if every step held")


def _serve(commands: _Commands) -> None:
    what = "serve the hub as configured; SIGTERM stops it cleanly"
    command = _command(commands, "serve", serve, what, "dxhub serve --data /srv/dxhub --only web,dicom")
    _doors(command)
    command.add_argument("--only", metavar="PARTS", default=",".join(PARTS), help=f"of {','.join(PARTS)}")


def serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT."""
    parts = {part.strip() for part in arguments.only.split(",")}
    if unknown := parts - set(PARTS):
        print(f"dxhub: --only takes {','.join(PARTS)}; found {','.join(sorted(unknown))}", file=sys.stderr)
        return 2
    if parts == {"watch"} and settings.watch is None:
        print("dxhub: --only watch needs DXHUB_WATCH, the folder into which devices drop their files", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serving(settings, parts) as hub:
        print(hub.greeting(), flush=True)
        stop.wait()
    return 0


def _migrate(commands: _Commands) -> None:
    _stores(_command(commands, "migrate", migrate, "bring the database to this version", "dxhub migrate"))


def migrate(_: argparse.Namespace, settings: Settings) -> int:
    """Applies what is missing."""
    app.open_stores(settings).close()
    print("the database is at this version")
    return 0


def _account(commands: _Commands) -> None:
    what = "add an account, the first one of a fresh hub too; its password is printed once"
    example = "dxhub account --add admin --role admin --institution HB01 --institution-name 区卫生健康局"
    command = _command(commands, "account", account, what, example)
    _stores(command)
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--add", metavar="NAME", help="the name to sign in with")
    which.add_argument("--reset", metavar="NAME", help="give an account a new password")
    command.add_argument("--role", choices=[role.value for role in PEOPLE], help="what the person does")
    command.add_argument("--institution", metavar="CODE", help="for which the person acts")
    command.add_argument("--institution-name", metavar="NAME", help="registers the institution where it is new")
    command.add_argument("--name", metavar="TEXT", default="", help="the person's name, as pages show it")


def account(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints the password alone, so that a shell can take it."""
    stores = app.open_stores(settings)
    try:
        if arguments.reset:
            print(stores.access.reset_password(arguments.reset))
            return 0
        if not (arguments.role and arguments.institution):
            print("dxhub: --add needs --role and --institution", file=sys.stderr)
            return 2
        if arguments.institution_name:
            known = Organization(arguments.institution, arguments.institution_name)
            register_first(stores.database, known)
        principal = Principal(arguments.add, arguments.name, Role(arguments.role), arguments.institution)
        print(stores.access.add_account(principal))
    finally:
        stores.close()
    return 0


def _token(commands: _Commands) -> None:
    command = _command(
        commands, "token", token, "print a short-lived bearer token", "dxhub token --user clinician --data D"
    )
    _stores(command)
    command.add_argument("--user", required=True, metavar="NAME", help="the account that the token speaks for")


def token(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints the token alone, so that a shell can take it."""
    stores = app.open_stores(settings, create=False)
    print(stores.access.issue_token(arguments.user))
    stores.close()
    return 0


def _check(commands: _Commands) -> None:
    what = "read files offline as the hub would and show what became of every part"
    command = _command(commands, "check", run_check, what, "dxhub check --json result.hl7 slice.dcm")
    command.add_argument("--json", action="store_true", help="one JSON object a file, a line each")
    command.add_argument(
        "--strict", action="store_true", help="hold HL7 v2 against the standard itself, for its vendor"
    )
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")


def run_check(arguments: argparse.Namespace, _: Settings) -> int:
    """Exit code 1 where any file would be refused or, with `--strict`, departs from its standard."""
    answers = [check(path, app.READERS, app.sniff, app.EXAMINERS, app.DESCRIBERS) for path in arguments.files]
    for answer in answers:
        if arguments.strict:
            answer["strict"] = strictness(Path(answer["file"]), app.STRICT, app.sniff)
        if arguments.json:
            print(json.dumps(answer, ensure_ascii=False))
        else:
            print("\n".join(lines(answer) if arguments.strict else words(answer)))
    return 0 if all(answer["ok"] and answer.get("strict", _HELD)["conformant"] for answer in answers) else 1


def _conformance(commands: _Commands) -> None:
    what = "print the DICOM conformance statement in Markdown"
    _command(commands, "conformance", conformance, what, "dxhub conformance > dicom.md")


def conformance(_: argparse.Namespace, settings: Settings) -> int:
    """Made of the tables by which the services negotiate, so that it cannot fall behind them."""
    print(statement(app.VERSION, settings.dicom_ae_title), end="")
    return 0


def _verify(commands: _Commands) -> None:
    what = "prove custody and audit: every object present and unchanged, the audit chain unbroken"
    _stores(_command(commands, "verify", run_verify, what, "dxhub verify --data /srv/dxhub"))


def run_verify(_: argparse.Namespace, settings: Settings) -> int:
    """Exit code 1, and a line for each thing that is not as promised."""
    stores = app.open_stores(settings, create=False)
    problems = list(verify(stores.database, stores.objects))
    stores.close()
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems found" if problems else "every acknowledged delivery is there and unchanged")
    return 1 if problems else 0
