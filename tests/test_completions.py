"""Completion, as bash, zsh and fish really do it; and the scripts, which are generated.

There is no PowerShell to be had on most machines that run these tests: its script is held against the
documented contract of Register-ArgumentCompleter and against `--help`, as text.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pexpect
import pytest

from dgcli import app
from dgcli.formats import FORMATS
from dgcli.params.languages import name_of_language
from dgcli.params.table import BY_NAME, Endpoint
from dgcli.ui.completion import SHELLS, Argument, Command, Flag, Program, Shell, Takes, Value, script
from tests.conftest import HANGS_AFTER, ROOT, Run

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

FOLDER = ROOT / "completions"
COMMANDS = {row.name for row in app.COMMANDS}
NAMES = [format_.name for format_ in FORMATS]
PATHS = {
    "notes.txt",
    "sub dir",
    "talk one.wav",
    "a call.json",
    "stream.jsonl",
}  # what the folder holds in which keys are pressed


class Typist(Protocol):
    """Somebody who types in a shell that has loaded a script."""

    def offered(self, line: str) -> set[str]:
        """All that may stand in place of the last word of a line, without quotes and what may follow."""


class Terminal:
    """An interactive shell; `\\x07` (Ctrl-G) makes it print the line as it stands, and empties it.

    Once it runs it has an empty PATH: a completion that started a program, Python above all, would fail.
    """

    def __init__(self, program: list[str], every: str, folder: Path, **environment: str) -> None:
        self._every = every  # the keys that put all that is offered on the line
        self._child = pexpect.spawn(
            program[0],
            program[1:],
            cwd=str(folder),
            env={"TERM": "dumb", "HOME": str(folder.parent), "LC_ALL": "C.UTF-8", **environment},
            encoding="utf-8",
            dimensions=(200, 4000),
            timeout=HANGS_AFTER,
        )
        self._child.delaybeforesend = None
        self._child.expect_exact("READY>")

    def typed(self, keys: str) -> str:
        """The line after some keys, tabs among them."""
        self._child.send(keys + "\x07")
        self._child.expect("@@@(.*?)@@@")
        assert self._child.match is not None, "expect() raises where nothing matches"
        return str(self._child.match[1])

    def listed(self, line: str) -> str:
        """What is shown when TAB is pressed twice."""
        self.typed(line + "\t\t")
        return str(self._child.before)

    def offered(self, line: str) -> set[str]:
        """All that may stand in place of the last word of a line, without quotes and what may follow."""
        before = line.rpartition(" ")[0]
        words = shlex.split(self.typed(line + self._every).removeprefix(before))
        return {word.rstrip("/=") for word in words} - {line.rpartition(" ")[2]}

    def close(self) -> None:
        self._child.close(force=True)


class Fish:
    """fish tells without a terminal what it would offer."""

    def __init__(self, completions: Path, folder: Path) -> None:
        self._completions = completions
        self._folder = folder

    def described(self, line: str) -> dict[str, str]:
        """All that is offered for a line, and its descriptions."""
        code = "source $argv[1]; set PATH; complete -C $argv[2]"
        result = subprocess.run(
            ["fish", "--no-config", "-c", code, str(self._completions), line],
            cwd=self._folder,
            env={"HOME": str(self._folder.parent), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stderr == ""
        rows = (row.partition("\t") for row in result.stdout.splitlines())
        return {word: description for word, _, description in rows}

    def offered(self, line: str) -> set[str]:
        """All that may stand in place of the last word of a line, slashes removed."""
        return {word.rstrip("/") for word in self.described(line)}


def _need(shell: str) -> str:
    """The path of a shell; the test is skipped where it is not installed."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


def _bash(completions: Path, folder: Path, settings: Path) -> Terminal:
    rc = settings / "bashrc"
    rc.write_text(
        "bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set page-completions off'\n"
        """show() { printf '@@@%s@@@\\n' "$READLINE_LINE"; READLINE_LINE=""; }\n"""
        """bind -x '"\\C-g": show'\n"""
        f"source {shlex.quote(str(completions))}\n"
        "PATH= PS1='READY>'\n"
    )
    program = [_need("bash"), "--noprofile", "--rcfile", str(rc), "-i"]
    return Terminal(program, "\x1b*", folder, INPUTRC="/dev/null")  # M-* is insert-completions


def _zsh(load: str, folder: Path, settings: Path) -> Terminal:
    (settings / ".zshrc").write_text(
        "unsetopt beep; bindkey -e; LISTMAX=0\n"
        f"{load}\n"
        "insert-all() { _main_complete; compstate[insert]=all; unset 'compstate[list]' }\n"
        "zle -C insert-all complete-word insert-all; bindkey '^X*' insert-all\n"
        """show() { zle -I; print -r -- "@@@$BUFFER@@@"; BUFFER="" }; zle -N show; bindkey '^G' show\n"""
        "PATH= PS1='READY>'\n"
    )
    return Terminal([_need("zsh"), "-d", "-i"], "\x18*", folder, ZDOTDIR=str(settings), PATH="/usr/bin:/bin")


def _zsh_eval(completions: Path, folder: Path, settings: Path) -> Terminal:
    """zsh with the script evaluated, as a line of .zshrc does it."""
    path = shlex.quote(str(completions))
    return _zsh(f'autoload -Uz compinit; compinit -u -D; eval "$(<{path})"', folder, settings)


def _zsh_fpath(completions: Path, folder: Path, settings: Path) -> Terminal:
    """zsh with the script in a folder of $fpath, as a package installs it."""
    path = shlex.quote(str(completions.parent))
    return _zsh(f"fpath=({path} $fpath); autoload -Uz compinit; compinit -u -D", folder, settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four files and a folder, three of them with a space in their names."""
    made = tmp_path_factory.mktemp("folder")
    (made / "talk one.wav").touch()
    (made / "notes.txt").touch()
    (made / "a call.json").touch()
    (made / "stream.jsonl").touch()
    (made / "sub dir").mkdir()
    return made


@pytest.fixture(scope="module")
def bash(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """bash that has loaded the script."""
    made = _bash(FOLDER / "dg.bash", folder, tmp_path_factory.mktemp("bash"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def zsh(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """zsh that has loaded the script."""
    made = _zsh_eval(FOLDER / "_dg", folder, tmp_path_factory.mktemp("zsh"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def fish(folder: Path) -> Fish:
    """fish that loads the script."""
    _need("fish")
    return Fish(FOLDER / "dg.fish", folder)


@pytest.fixture(params=["bash", "zsh", "fish"])
def typist(request: pytest.FixtureRequest) -> Typist:
    """Each of the shells that are installed."""
    made: Typist = request.getfixturevalue(request.param)
    return made


@pytest.fixture(params=["bash", "zsh"])
def terminal(request: pytest.FixtureRequest) -> Terminal:
    """Each of the shells that type on a terminal."""
    made: Terminal = request.getfixturevalue(request.param)
    return made


def flags_of(help_page: bytes) -> set[str]:
    """All flags that a page of --help shows, with both forms of `--[no-]x`."""
    flags = set()
    for line in re.findall(r"^  (-.*?)(?:  |$)", help_page.decode(), re.MULTILINE):
        for flag in re.findall(r"(?<!\S)--?[\w\[][\w\[\]-]*", line):
            flags |= {flag.replace("[no-]", ""), flag.replace("[no-]", "no-")}
    return flags


def test_scripts_are_up_to_date(tmp_path: Path) -> None:
    """`python completions/generate.py` writes just the scripts that stand beside it."""
    generator = shutil.copy(FOLDER / "generate.py", tmp_path)
    subprocess.run([sys.executable, generator], check=True)
    for shell in SHELLS:
        same = (tmp_path / shell.file).read_bytes() == (FOLDER / shell.file).read_bytes()
        assert same, f"{shell.file} is out of date: python completions/generate.py"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.name)
def test_command_prints_script(dg: Run, shell: Shell) -> None:
    """`dg completions SHELL` prints the script, whatever the case of the name, and nothing else."""
    result = dg("completions", shell.name.upper())
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == (FOLDER / shell.file).read_bytes()


def test_command_knows_its_shells(dg: Run) -> None:
    """Another shell is a usage error that lists those there are."""
    result = dg("completions", "tcsh")
    assert result.returncode == 2
    assert result.stderr.decode().splitlines() == [
        "dg: error: There are no completions for 'tcsh'.",
        "dg: There are some for bash, zsh, fish, powershell.",
    ]


@pytest.mark.parametrize("command", ["", *sorted(COMMANDS)])
def test_flags_are_those_of_help(typist: Typist, dg: Run, command: str) -> None:
    """After a dash, each command offers the flags of its --help: short ones and --no-x, but no hidden one."""
    shown = flags_of(dg(*command.split(), "--help").stdout)
    assert {"-h", "--help"} <= shown
    assert typist.offered(f"dg {command} -".replace("  ", " ")) == shown


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dg ", COMMANDS),
        ("dg fi", {"file"}),
        ("dgcli ", COMMANDS),
        ("dgcli file --model nova-3-m", {"nova-3-medical"}),
        ("dg file --model nova-3-", {"nova-3-general", "nova-3-medical", "nova-3-pharma"}),
        ("dg file --model=nova-3-m", {"--model=nova-3-medical"}),
        ("dg file -m nova-3-m", {"nova-3-medical"}),
        ("dg file -mnova-3-m", {"-mnova-3-medical"}),
        ("dg file -f ", set(NAMES)),
        ("dg file -f sr", {"srt"}),
        ("dg file --format=sr", {"--format=srt"}),
        ("dg file --language en-", {"en-AU", "en-GB", "en-IN", "en-NZ", "en-US"}),
        ("dg file --redact phi --redact pc", {"pci"}),
        ("dg file --preset ", {"netflix", "bbc", "youtube", "social"}),
        ("dg render --language zh-H", {"zh-HK", "zh-Hans", "zh-Hant"}),
        ("dg file --show-request ", {"curl", "python", "httpie"}),
        ("dg file --callback-method ", {"POST", "PUT"}),
        ("dg file --diarize-model ", {"latest", "v1", "v2"}),
        ("dg file --no-smart", {"--no-smart-format"}),
        ("dg url https://example.com/a.wav --model nova-3-m", {"nova-3-medical"}),
        ("dg file 'talk one.wav' -q --utt-sp", {"--utt-split"}),
        ("dg file --keyterm 'two words' --utt-sp", {"--utt-split"}),
        ("dg file --param key=value --utt-sp", {"--utt-split"}),
        ("dg file --base-url http://localhost:8080 --utt-sp", {"--utt-split"}),
        ("dg completions ", {"bash", "zsh", "fish", "powershell"}),
        ("echo | dg file -f sr", {"srt"}),
    ],
)
def test_words(typist: Typist, line: str, offered: set[str]) -> None:
    """Commands, flags and values are offered where they may stand, for both names of the program."""
    assert typist.offered(line) == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dg file ", PATHS),
        ("dg file t", {"talk one.wav"}),
        ("dg file -- ", PATHS),
        ("dg file -o ", PATHS),
        ("dg file --output n", {"notes.txt"}),
        ("dg file --output=n", {"--output=notes.txt"}),
        ("dg file --ca-cert ", PATHS),
        ("dg file --diarize t", {"talk one.wav"}),
        ("dg file --model nova-3 t", {"talk one.wav"}),
        ("dg serve --response ", PATHS),
        ("dg render ", {"a call.json", "stream.jsonl", "sub dir"}),
        ("dg render s", {"stream.jsonl", "sub dir"}),
        ("dg render stream.jsonl a", {"a call.json"}),
        ("dg serve --record ", {"sub dir"}),
    ],
)
def test_paths(typist: Typist, line: str, offered: set[str]) -> None:
    """Files are offered for arguments and flags that take one, folders alone for a flag that takes a folder."""
    assert typist.offered(line) == offered


@pytest.mark.parametrize(
    "line",
    [
        "dg url ",
        "dg file --keyterm ",
        "dg file -- --mo",
        "dg file --tie",
        "dg bogus ",
        "dg zz",
    ],
)
def test_nothing(typist: Typist, line: str) -> None:
    """No path is offered where none can stand, no flag behind `--`, and nothing hidden or unknown."""
    assert typist.offered(line) == set()


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("dg file --model nov\t", "dg file --model nova"),
        ("dg file --model=nova-3-m\t", "dg file --model=nova-3-medical "),
        ("dg file t\t-f sr\t", r"dg file talk\ one.wav -f srt "),
        ("dg file su\t", r"dg file sub\ dir/"),
        ("dg file --output=su\t", r"dg file --output=sub\ dir/"),
        ('dg file --model "nova-3-m\t', 'dg file --model "nova-3-medical" '),
        ("dg file --model nova-3-m talk.wav" + "\x02" * 9 + "\t", "dg file --model nova-3-medical talk.wav"),
        ("dg file --model=nova-3-m talk.wav" + "\x02" * 9 + "\t", "dg file --model=nova-3-medical talk.wav"),
        ("dg file --bogus=n\t", "dg file --bogus=n"),
        ("dg file --tier nova t\t", r"dg file --tier nova talk\ one.wav "),
    ],
)
def test_keys(terminal: Terminal, keys: str, line: str) -> None:
    """What TAB makes of the line: common beginnings, names with spaces, quotes, a cursor amid the line."""
    assert terminal.typed(keys).split() == line.split()  # zsh leaves one more space amid the line


@pytest.mark.system
def test_bash_without_equals_as_a_break(folder: Path, tmp_path: Path) -> None:
    """bash completes --model=x too for users who took `=` out of COMP_WORDBREAKS."""
    shell = _bash(FOLDER / "dg.bash", folder, tmp_path)
    try:
        shell.typed("COMP_WORDBREAKS=${COMP_WORDBREAKS//=}\r")
        assert shell.typed("dg file --model=nova-3-m\t") == "dg file --model=nova-3-medical "
    finally:
        shell.close()


@pytest.mark.system
def test_zsh_from_fpath(folder: Path, tmp_path: Path) -> None:
    """zsh loads the script from a folder of $fpath, at the first TAB for either name."""
    shell = _zsh_fpath(FOLDER / "_dg", folder, tmp_path)
    try:
        assert shell.offered("dgcli ") == COMMANDS
        assert shell.offered("dg file -f ") == set(NAMES)
    finally:
        shell.close()


def test_descriptions(zsh: Terminal, fish: Fish) -> None:
    """zsh and fish say what commands, flags and formats are."""
    assert re.search(r"url +-- Transcribe recordings that the API fetches itself\.", zsh.listed("dg "))
    assert "--utterances  " in (flags := zsh.listed("dg file --ut"))
    assert "-- Divide the transcript into utterances: what one speaker says without a pause." in flags
    assert re.search("srt +-- SubRip captions", zsh.listed("dg file -f "))
    assert fish.described("dg ")["serve"] == "Run a Deepgram-compatible server on this machine."
    assert fish.described("dg file --no-dia")["--no-diarize"] == "The opposite of --diarize."
    assert fish.described("dg file -f ")["vtt"].startswith("WebVTT captions")
    assert re.search(r"de-CH +-- German \(Switzerland\)", zsh.listed("dg file --language d"))
    assert fish.described("dg file --language multi") == {"multi": "several in one recording"}
    assert fish.described("dg file --preset n") == {
        "netflix": "42 characters a line, lines: 2, 20 characters a second"
    }
    assert set(fish.described("dg file --redact p").values()) == {""}


HARD = r"""it's "50%" [a:b] $HOME `id` \n | a\b {c} ~ #x ! * (d)"""
AWKWARD = Program(
    ("dg", "dgcli"),
    Command("", "", (Flag(("-V", "--version"), HARD),)),
    (
        Command(
            "go",
            HARD,
            (
                Flag(("--how", "-w"), HARD, Takes("A:[B]", (Value("one", HARD), Value("two", HARD)))),
                Flag(("--loud",), HARD, opposite=("--quiet",)),
                Flag(("--quiet",), HARD, opposite=("--loud",)),
                Flag(("--old",), HARD, Takes("X"), hidden=True),
            ),
            (
                Argument(Takes("FIRST", paths=True)),
                Argument(Takes("DIR", paths=True, only_folders=True), True),
            ),
        ),
        Command("stay", HARD, (Flag(("--long",), HARD),)),
    ),
)


def _written(shell: str, folder: Path) -> Path:
    """The script that completes a program whose help is hard to quote."""
    row = next(row for row in SHELLS if row.name == shell)
    path = folder / row.file
    path.write_text(script(row, AWKWARD))
    return path


@pytest.mark.system
@pytest.mark.parametrize(("shell", "make"), [("bash", _bash), ("zsh", _zsh_eval), ("zsh", _zsh_fpath)])
def test_quoting(
    shell: str, make: Callable[[Path, Path, Path], Terminal], folder: Path, tmp_path: Path
) -> None:
    """Whatever a help text contains, the script says it as it is, and none of it is evaluated."""
    terminal = make(_written(shell, tmp_path), folder, tmp_path)
    try:
        assert terminal.offered("dg ") == {"go", "stay"}
        assert terminal.offered("dg go --") == {"--how", "--loud", "--quiet"}
        assert terminal.offered("dg go --loud --how ") == {"one", "two"}
        assert terminal.offered("dg go --old x t") == {"talk one.wav"}
        if shell == "zsh":
            assert f"-- {HARD}" in terminal.listed("dg ")
            assert f"-- {HARD}" in terminal.listed("dg go --")
            assert f"-- {HARD}" in terminal.listed("dg go --how ")
            assert terminal.offered("dg go x ") == {"sub dir"}
    finally:
        terminal.close()


@pytest.mark.system
def test_quoting_in_fish(folder: Path, tmp_path: Path) -> None:
    """Whatever a help text contains, fish shows it as it is."""
    _need("fish")
    shell = Fish(_written("fish", tmp_path), folder)
    assert shell.described("dg ") == {"go": HARD, "stay": HARD}
    assert shell.described("dg go --how ") == {"one": HARD, "two": HARD}
    assert shell.described("dg go --") == {"--how": HARD, "--loud": HARD, "--quiet": HARD}


def table(text: str) -> list[list[str]]:
    """The table in the script for PowerShell, read as the script reads it."""
    rows = text.split("$table = @'\n")[1].split("\n'@\n")[0]
    return [row.split("|", 4) for row in rows.split("\n")]


def test_powershell_contract() -> None:
    """The script registers a native completer for both names, and its here-string ends where it should."""
    text = (FOLDER / "dg.ps1").read_text()
    head = "Register-ArgumentCompleter -Native -CommandName 'dg', 'dgcli' -ScriptBlock {\n"
    assert head + "    param($wordToComplete, $commandAst, $cursorPosition)\n" in text
    assert len(re.findall(r"^'@", text, re.MULTILINE)) == 1
    code = text.split("@'\n")[0] + text.split("\n'@\n")[1]
    code = re.sub(r"'[^']*'|#.*", "", code)
    for opening, closing in ("{}", "()", "[]"):
        assert code.count(opening) == code.count(closing)


@pytest.mark.parametrize("command", ["", *sorted(COMMANDS)])
def test_powershell_flags_are_those_of_help(dg: Run, command: str) -> None:
    """The table for PowerShell has the flags of each --help, and hidden ones under another sort."""
    rows = table((FOLDER / "dg.ps1").read_text())
    flags = {
        flag
        for sort, commands, names, *_ in rows
        if sort == "flag" and command in commands.split(" ")
        for flag in names.split(" ")
    }
    assert flags == flags_of(dg(*command.split(), "--help").stdout)


def test_powershell_values() -> None:
    """Values follow their flag in the table, with their help; paths are left to PowerShell."""
    rows = table((FOLDER / "dg.ps1").read_text())
    start = next(i for i, row in enumerate(rows) if row[2] == "-f --format")
    assert rows[start][3] == "words"
    after = rows[start + 1 :]
    assert [row[2] for row in after[: len(NAMES)]] == NAMES
    assert ["word", "", "srt", "", "SubRip captions"] in after
    assert ["argument", "file", "PATH", "path", ""] in rows
    hidden = next(row for row in rows if row[0] == "hidden" and row[2] == "--tier")
    assert {"file", "url"} <= set(hidden[1].split())
    assert hidden[3] == "words"


def test_powershell_survives_any_help() -> None:
    """A help text stands in the table as it is: nothing in a here-string of that kind means anything."""
    row = next(row for row in SHELLS if row.name == "powershell")
    rows = table(script(row, AWKWARD))
    assert ["flag", "go", "--loud", "", HARD] in rows
    assert ["word", "", "two", "", HARD] in rows


def test_every_language_has_a_name() -> None:
    """Each tag of the table has a name of its own."""
    tags = BY_NAME["language"].values
    names = [name_of_language(tag) for tag in tags]
    assert all(names)
    assert len(
        {name for tag, name in zip(tags, names, strict=True) if tag not in ("es-LATAM", "es-419")}
    ) == (len(tags) - 2)
    assert name_of_language("xx") == ""


DEVICES = {"Blue Yeti: USB Audio (hw:1,0)": "2, ALSA", "Blue cam's": "4, ALSA", "pulse": "7, ALSA"}
# What stands for the program in a shell whose PATH is empty: it answers one question, and no other.
ANSWERS = {
    "bash": "dg() {{ [[ $* == {1} ]] && printf {0}; }}\n",
    "zsh": "dg() {{ [[ $* == {1} ]] && printf {0} }}\n",
    "fish": 'function dg; test "$argv" = {1}; and printf {0}; end\n',
}


def _asking(
    shell: str, folder: Path, question: str = "devices --names", names: Mapping[str, str] = DEVICES
) -> Path:
    """The script of a shell, with a program that has some microphones, or answers another question."""
    row = next(row for row in SHELLS if row.name == shell)
    rows = "".join(f"{name}\\t{about}\\n" for name, about in names.items())
    path = folder / row.file
    answer = ANSWERS[shell].format(shlex.quote(rows), shlex.quote(question))
    path.write_text((FOLDER / row.file).read_text() + answer)
    return path


@pytest.mark.system
@pytest.mark.parametrize(("shell", "make"), [("bash", _bash), ("zsh", _zsh_eval)])
def test_devices(
    shell: str, make: Callable[[Path, Path, Path], Terminal], folder: Path, tmp_path: Path
) -> None:
    """--device is completed with the microphones there are, their names quoted as the shell wants them."""
    terminal = make(_asking(shell, tmp_path), folder, tmp_path)
    try:
        assert terminal.offered("dg mic --device ") == set(DEVICES)
        assert terminal.typed("dg mic -d p\t") == "dg mic -d pulse "
        assert terminal.typed("dg mic --device=pu\t") == "dg mic --device=pulse "
        line = terminal.typed("dg mic -d Blue\\ Y\t")
        assert shlex.split(line) == ["dg", "mic", "-d", "Blue Yeti: USB Audio (hw:1,0)"]
        assert shlex.split(terminal.typed('dg mic -d "Blue c\t')) == ["dg", "mic", "-d", "Blue cam's"]
        assert terminal.offered("dg mic -d none") == set()
        if shell == "zsh":
            assert "-- 2, ALSA" in terminal.listed("dg mic --device ")
    finally:
        terminal.close()


@pytest.mark.system
def test_devices_in_fish(folder: Path, tmp_path: Path) -> None:
    """fish offers the microphones there are, with their index and system."""
    _need("fish")
    assert Fish(_asking("fish", tmp_path), folder).described("dg mic --device ") == DEVICES


MODELS = BY_NAME["model"].values_on(Endpoint.FILE)
PROFILES = {"work": "", "eu": ""}


@pytest.mark.system
@pytest.mark.parametrize(("shell", "make"), [("bash", _bash), ("zsh", _zsh_eval)])
def test_models_and_profiles(
    shell: str, make: Callable[[Path, Path, Path], Terminal], folder: Path, tmp_path: Path
) -> None:
    """--model is completed in the order of the table, nova-3 first; --profile with the profiles there are."""
    terminal = make(_asking(shell, tmp_path, "config profiles", PROFILES), folder, tmp_path)
    every = "\x1b*" if shell == "bash" else "\x18*"
    try:
        assert terminal.typed(f"dg file --model {every}").split()[3:] == list(MODELS)
        assert terminal.typed(f"dg file --profile {every}").split()[3:] == list(PROFILES)
    finally:
        terminal.close()


@pytest.mark.system
def test_models_and_profiles_in_fish(folder: Path, tmp_path: Path) -> None:
    """fish offers models in the order of the table, nova-3 first, and the profiles there are."""
    _need("fish")
    fish = Fish(_asking("fish", tmp_path, "config profiles", PROFILES), folder)
    assert list(fish.described("dg file --model ")) == list(MODELS)
    assert list(fish.described("dg file --profile ")) == list(PROFILES)


def test_the_program_lists_profiles(dg: Run, tmp_path: Path) -> None:
    """`dg config profiles` prints their names, a line each, in the order of the file."""
    path = tmp_path / "config.toml"
    assert dg("config", "profiles").stdout == b""
    path.write_text("[profiles.work]\nproject = 'x'\n[profiles.eu.params]\nlanguage = 'de'\n")
    assert dg("config", "profiles", env={"DGCLI_CONFIG": str(path)}).stdout == b"work\neu\n"


def test_nova_3_is_the_first_model(dg: Run) -> None:
    """`dg models --names` begins with the model that is used, whatever the API has listed last."""
    assert dg("models", "--names").stdout.splitlines()[0] == b"nova-3"


def test_devices_in_powershell() -> None:
    """The table for PowerShell says what to ask the program for the values of --device."""
    rows = table((FOLDER / "dg.ps1").read_text())
    assert next(row for row in rows if "--device" in row[2].split())[3] == "asked devices --names"
