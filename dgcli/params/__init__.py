"""API query parameters: the table (`table`), and what is done with values by it (`check`). Pure: no I/O."""

from dgcli.params.check import check, encode, merge, split_assignment
from dgcli.params.table import BY_NAME, PARAMS, Endpoint, Need, Panel, Param, ParamKind, Value, Values, family

__all__ = [
    "BY_NAME",
    "PARAMS",
    "Endpoint",
    "Need",
    "Panel",
    "Param",
    "ParamKind",
    "Value",
    "Values",
    "check",
    "encode",
    "family",
    "merge",
    "split_assignment",
]
