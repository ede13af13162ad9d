"""The parameter table as Typer options, and the groups of options that commands share."""
