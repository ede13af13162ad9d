"""The script for PowerShell, from 5.1 on: a table of what can be typed, and a completer that reads it.

Sources: Microsoft's reference of Register-ArgumentCompleter (-Native) and of CompletionResult. That nothing
returned means paths and an empty text means nothing is in PowerShell/PowerShell, issues 18233 and 27398.
Windows PowerShell 5.1 asks no completer for a word that is only `-` or `--` (issue 2912).
"""

from collections.abc import Iterable

from dgcli.ui.completion.tree import Program, Takes

_SCRIPT = r"""# PowerShell completion for @names@. Made by: @program@ completions powershell

Register-ArgumentCompleter -Native -CommandName @quoted@ -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # Sort, commands, names, what follows, help; the words that may follow have the next rows.
    $table = @'
@rows@
'@
    $rows = [System.Collections.ArrayList]::new()
    foreach ($line in $table -split '\r?\n') {
        $sort, $commands, $names, $takes, $help = $line -split '\|', 5
        $row = [pscustomobject]@{
            Sort = $sort
            Commands = $commands -split ' '
            Names = $names -split ' '
            Takes = $takes
            Help = $help
            Words = [System.Collections.ArrayList]::new()
        }
        if ($sort -eq 'word') {
            [void]$rows[$rows.Count - 1].Words.Add($row)
        } else {
            [void]$rows.Add($row)
        }
    }

    # Where we are: in which command, behind which flag.
    $command = ''
    $behind = $null
    $onlyArguments = $false
    $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition })
    foreach ($element in $before | Select-Object -Skip 1) {
        $word = $element.Extent.Text
        if ($behind) {
            $behind = $null
        } elseif (-not $onlyArguments -and $word -ceq '--') {
            $onlyArguments = $true
        } elseif (-not $onlyArguments -and $word -like '-?*') {
            $behind = $rows | Where-Object {
                $_.Sort -ne 'argument' -and $_.Takes -and
                $_.Commands -ccontains $command -and $_.Names -ccontains $word
            }
        } elseif (-not $command) {
            $command = $word
        }
    }

    # What may stand here: the words of a row, or flags and commands; the text in front of them stays.
    $start = ''
    $text = "$wordToComplete"
    $here = @($rows | Where-Object { $_.Commands -ccontains $command })
    if (-not $behind -and -not $onlyArguments -and $text -cmatch '^(--[^=]+)=(.*)$|^(-[^-])(.+)$') {
        $name = $Matches[1] + $Matches[3]
        $found = $here | Where-Object { $_.Sort -ne 'argument' -and $_.Takes -and $_.Names -ccontains $name }
        if ($found) {
            $behind = $found
            $text = $Matches[2] + $Matches[4]
            $start = $wordToComplete.Substring(0, $wordToComplete.Length - $text.Length)
        }
    }
    if ($behind) {
        $takes = $behind.Takes
        $offered = @($behind.Words)
    } elseif (-not $onlyArguments -and $text -like '-*') {
        $takes = ''
        $offered = @($here | Where-Object { $_.Sort -eq 'flag' })
    } else {
        $argument = $here | Where-Object { $_.Sort -eq 'argument' } | Select-Object -First 1
        $takes = if ($argument) { $argument.Takes } else { '' }
        $offered = @(if ($argument) { $argument.Words })
    }

    if ($takes -like 'asked *') {
        # Which values there are, the program alone knows: a name on each line, what it is behind a tab.
        $quote = [string][char]39
        $asked = @($takes -split ' ' | Select-Object -Skip 1)
        $text = $text.Trim([char]34, [char]39)
        $results = @(
            foreach ($line in & $commandAst.CommandElements[0].Extent.Text @asked 2>$null) {
                $name, $help = $line -split '\t', 2
                if ($name.StartsWith($text, [System.StringComparison]::OrdinalIgnoreCase)) {
                    $quoted = $quote + $name.Replace($quote, $quote + $quote) + $quote
                    $word = if ($name -match '^[\w.+-]+$') { $name } else { $quoted }
                    $help = if ($help) { $help } else { $name }
                    [System.Management.Automation.CompletionResult]::new(
                        $start + $word, $name, 'ParameterValue', $help)
                }
            }
        )
        if ($results) { return $results }
        return ''
    }
    if ($takes -eq 'path') {
        if ($start -and $text) {
            foreach ($path in [System.Management.Automation.CompletionCompleters]::CompleteFilename($text)) {
                [System.Management.Automation.CompletionResult]::new(
                    $start + $path.CompletionText, $path.ListItemText, $path.ResultType, $path.ToolTip)
            }
        }
        return # without results PowerShell completes paths
    }
    $results = @(
        foreach ($row in $offered) {
            foreach ($name in $row.Names) {
                if ($name.StartsWith($text, [System.StringComparison]::OrdinalIgnoreCase)) {
                    $type = if ($row.Sort -eq 'flag') { 'ParameterName' } else { 'ParameterValue' }
                    $help = if ($row.Help) { $row.Help } else { $name }
                    [System.Management.Automation.CompletionResult]::new($start + $name, $name, $type, $help)
                }
            }
        }
    )
    if ($results) { $results } else { '' } # an empty text: no paths instead
}
"""


def _row(sort: str, commands: Iterable[str], names: Iterable[str], takes: str = "", text: str = "") -> str:
    return "|".join((sort, " ".join(commands), " ".join(names), takes, text))


def _kind(takes: Takes) -> str:
    """Return the kind of a value for the completer: words, a path, or any text."""
    if takes.values:
        return "words"
    if takes.asks:
        return f"asked {takes.asks}"
    return "path" if takes.paths else "text"


def _words(takes: Takes) -> list[str]:
    return [_row("word", (), (value.word,), text=value.help) for value in takes.values]


def _rows(program: Program) -> Iterable[str]:
    """The table; commands that share a flag share its rows."""
    yield _row("argument", ("",), ("COMMAND",), "words")
    for command in program.commands:
        yield _row("word", (), (command.name,), text=command.help)
    for command in program.commands:
        for argument in command.arguments:
            yield _row("argument", (command.name,), (argument.takes.name,), _kind(argument.takes))
            yield from _words(argument.takes)
    shared: dict[tuple[str, ...], list[str]] = {}
    for command in program.all:
        for flag in command.flags:
            kind, words = ("", []) if flag.takes is None else (_kind(flag.takes), _words(flag.takes))
            sort = "hidden" if flag.hidden else "flag"
            key = (sort, " ".join(flag.names), kind, flag.help, *words)
            shared.setdefault(key, []).append(command.name)
    for (sort, names, kind, text, *words), commands in shared.items():
        yield _row(sort, commands, (names,), kind, text)
        yield from words


def script(program: Program) -> str:
    """The script for PowerShell."""
    return (
        _SCRIPT.replace("@rows@", "\n".join(_rows(program)))
        .replace("@program@", program.names[0])
        .replace("@names@", " ".join(program.names))
        .replace("@quoted@", ", ".join(f"'{name}'" for name in program.names))
    )
