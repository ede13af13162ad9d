"""The option that shows a request instead of sending it."""

from typing import Annotated

import typer

from dgcli.errors import UsageError
from dgcli.options.machinery import OptionGroup, completion

WAYS = ("curl", "python", "httpie")


class ShownRequestOptions(OptionGroup):
    """Whether a request is only shown."""

    panel = "Delivery"

    show_request: Annotated[
        str | None,
        typer.Option(
            help="Send nothing: print the same request for another program, which takes the key from "
            "$DEEPGRAM_API_KEY.",
            metavar="|".join(WAYS),
            autocompletion=completion(WAYS),
        ),
    ] = None

    def way(self, *, local: bool) -> str | None:
        """Return the program that a request is shown for; None where it is sent. Raises `UsageError`."""
        if self.show_request is None:
            return None
        way = self.show_request.lower()
        if way not in WAYS:
            raise UsageError(f"--show-request takes {', '.join(WAYS)}, not {self.show_request!r}.")
        if local:
            raise UsageError(
                "--local asks a server that ends with this command: nothing else can ask it.",
                hint="Leave --local out, or ask a server that stays: dg serve",
            )
        return way
