"""`dg doctor`: look at everything between here and a transcript, and say what to do."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dgcli.options.account import JsonOption
from dgcli.options.groups import AccessOptions, GeneralOptions
from dgcli.options.machinery import command
from dgcli.output.stdout import write_json, write_stdout
from dgcli.terminal import colours, harmless

if TYPE_CHECKING:
    from dgcli.tasks.stages import StageResult

_MARKS = {"ok": ("ok", "32"), "warning": ("note", "33"), "failed": ("FAIL", "31"), "skipped": ("-", "2")}


def _line(each: "StageResult", *, coloured: bool) -> str:
    mark, colour = _MARKS[each.finding.verdict.value]
    mark = f"\x1b[{colour}m{mark:4}\x1b[0m" if coloured else f"{mark:4}"
    request = each.finding.request_id
    told = f" [request {request}]" if request and request not in each.finding.text else ""
    text = " ".join(harmless(f"{each.finding.text}{told}").split())
    lines = f"{each.number:2}. {mark} {each.name:14} {text}\n"
    if each.finding.remedy:
        lines += " " * 9 + f"-> {' '.join(harmless(each.finding.remedy).split())}\n"
    return lines


@command()
def doctor(
    access: AccessOptions,
    general: GeneralOptions,
    send: Annotated[
        bool,
        typer.Option("--send/--no-send", help="Send two seconds of silence, which is billed. Default: on."),
    ] = True,
    json: JsonOption = False,
) -> None:
    """Look at everything between this machine and a transcript: what works, what does not, and what to do about it.

    Two seconds of silence are sent, one as a file and one as a stream, and billed; --no-send leaves that out. Each
    stage takes 5 seconds at most. The exit code is that of the first failure; request ids are for support.

    Examples:

        dg doctor
        dg doctor --no-send --json
    """
    from dgcli.tasks.doctor import diagnose, exit_code

    if send:
        general.console().note(
            "Two seconds of silence are sent, which is billed (--no-send: nothing is sent)."
        )
    results = []
    for each in diagnose(access.access_config, send=send):
        results.append(each)
        if not json:
            write_stdout(_line(each, coloured=colours(sys.stdout)).encode())
    code = exit_code(results)
    if json:
        write_json({"exit_code": code, "stages": [each.fields() for each in results]})
    if code:
        raise typer.Exit(code)
