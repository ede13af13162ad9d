"""API query parameters: the table (`table`), and what is done with values by it (`check`). Pure: no I/O."""

from dgcli.params.check import check, check_value, encode, merge, split_assignment
from dgcli.params.table import (
    BY_NAME,
    PARAMS,
    RATES_FLUX,
    STREAM,
    Endpoint,
    Need,
    Panel,
    Param,
    ParamKind,
    Value,
    Values,
    family,
    stream_endpoint,
)

__all__ = [
    "BY_NAME",
    "PARAMS",
    "RATES_FLUX",
    "STREAM",
    "Endpoint",
    "Need",
    "Panel",
    "Param",
    "ParamKind",
    "Value",
    "Values",
    "check",
    "check_value",
    "encode",
    "family",
    "merge",
    "split_assignment",
    "stream_endpoint",
]
