"""Values of the simulator in the types of a contract, and in the words of a silo."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from zhongtai.ingest.contract import Column, Contract
from zhongtai.sql import quote_identifier, quote_literal

# How each silo writes a time: offset from UTC in hours, and the form. Excel and Parquet keep real times instead.
_LOCAL_OFFSET, _LOCAL_PLAIN = (8, "%Y-%m-%dT%H:%M:%S+08:00"), (8, "%Y-%m-%d %H:%M:%S")
TIME_FORMS = {
    "storefront": _LOCAL_OFFSET,
    "marketing": _LOCAL_OFFSET,
    "marketplace": (8, "%Y/%m/%d %H:%M:%S"),
    "logistics": (0, "%Y-%m-%dT%H:%M:%SZ"),
}
_ARROW_TYPES = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
# Headers of the marketplace's export are padded, and its ids end in a tab so that Excel leaves them alone.
PADDED = ("marketplace",)


def typed(contract: Contract, columns: Mapping[str, Any], rows: int) -> pa.Table:
    """The columns in the contract's order and types, under the silo's headers.

    Raises:
        ValueError: columns are missing, unknown, or of another length.
    """
    names = [column.name for column in contract.columns]
    if set(columns) != set(names):
        wrong = sorted(set(columns) ^ set(names))
        raise ValueError(f"{contract.silo}.{contract.table}: missing or unknown columns: {', '.join(wrong)}")
    arrays = []
    for column in contract.columns:
        array = _array(column, columns[column.name], rows)
        if len(array) != rows:
            raise ValueError(f"{contract.silo}.{contract.table}.{column.name}: {len(array)} values for {rows} rows")
        arrays.append(array)
    return pa.table(arrays, names=[column.source_name for column in contract.columns])


def _array(column: Column, values: Any, rows: int) -> pa.Array | pa.ChunkedArray:
    if values is None or isinstance(values, str | int | float | bool | np.datetime64):
        values = np.full(rows, values) if values is not None else pa.nulls(rows)
    if column.data_type.startswith("decimal"):
        return cents(values)
    target = _ARROW_TYPES[column.data_type]
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(np.asarray(values), from_pandas=True)
    if pa.types.is_list(array.type) and column.data_type == "string":
        return array
    if pa.types.is_floating(array.type) and pa.types.is_integer(target):
        array = pc.round(array)
    if pa.types.is_timestamp(array.type) and pa.types.is_date(target):
        array = array.cast(pa.timestamp("s"), safe=False)
    return array.cast(target)


def cents(values: Any) -> pa.Array | pa.ChunkedArray:
    """Decimals (18, 2) of whole cents; NaN and None are null."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    numbers = pd.to_numeric(pd.Series(values)).to_numpy()
    empty = np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros(len(numbers), bool)
    whole = np.where(empty, 0, np.round(numbers)).astype(np.int64)
    # A decimal is 128 bits, low half first: the high half only carries the sign.
    halves = np.column_stack([whole, whole >> 63])
    array = pa.Array.from_buffers(pa.decimal128(18, 2), len(whole), [None, pa.py_buffer(halves.tobytes())])
    return pc.if_else(pa.array(empty), pa.scalar(None, pa.decimal128(18, 2)), array) if empty.any() else array


def coded(prefix: str, numbers: np.ndarray, width: int = 8) -> pa.Array:
    """Ids such as SO00000042, fast; a negative number has none."""
    numbers = np.asarray(numbers)
    text = pc.utf8_lpad(pa.array(np.maximum(numbers, 0)).cast(pa.string()), width, "0")
    named = pc.binary_join_element_wise(prefix, text, "")
    return pc.if_else(pa.array(numbers >= 0), named, pa.scalar(None, pa.string())) if (numbers < 0).any() else named


def pick(values: Any, index: np.ndarray) -> pa.Array:
    """`values[index]` as Arrow strings, null where the index is negative."""
    index = np.asarray(index).astype("int64")
    array = pa.array(np.asarray(values), from_pandas=True).cast(pa.string())
    return array.take(pa.array(index, mask=index < 0))


def rendered(
    connection: duckdb.DuckDBPyConnection, contract: Contract, contents: pa.Table, as_lines: bool = False
) -> pa.Table:
    """The rows as the file shows them: times as text for CSV and JSON.

    Args:
        as_lines: one column `line` with the whole line, line end included.
    """
    text = contract.format in ("csv", "json", "jsonl")
    columns = {column.source_name: _shown(contract, column) if text else _name(column) for column in contract.columns}
    if not as_lines:
        query = ", ".join(f"{value} as {quote_identifier(name)}" for name, value in columns.items())
    elif contract.format == "csv":
        quoted = [
            _quoted(columns[column.source_name]) if column.data_type == "string" else columns[column.source_name]
            for column in contract.columns
        ]
        query = "concat(" + ", ',', ".join(quoted) + ", chr(10)) as line"
    else:
        pairs = ", ".join(f"{quote_identifier(name)} := {value}" for name, value in columns.items())
        query = f"to_json(struct_pack({pairs})) || chr(10) as line"
    connection.register("contents", contents)
    try:
        return connection.execute(f"select {query} from contents").to_arrow_table()
    finally:
        connection.unregister("contents")


def shown_time(contract: Contract, instant: np.datetime64) -> Any:
    """An instant as the contract's files show it: text, or a time for Excel (on the silo's clock) and Parquet."""
    moment = instant.astype("datetime64[us]").item()
    if contract.format == "parquet":
        return moment
    hours, form = TIME_FORMS.get(contract.silo, _LOCAL_PLAIN)
    local = moment + timedelta(hours=hours)
    return local if contract.format == "xlsx" else local.strftime(form)


def _name(column: Column) -> str:
    return quote_identifier(column.source_name)


def _shown(contract: Contract, column: Column) -> str:
    """SQL of a value as text files show it."""
    name = _name(column)
    if column.data_type == "timestamp":
        hours, form = TIME_FORMS.get(contract.silo, _LOCAL_PLAIN)
        return f"strftime({name} + interval {hours} hour, {quote_literal(form)})"
    if column.data_type == "date":
        return f"strftime({name}, '%Y-%m-%d')"
    if contract.silo in PADDED and column.name in contract.key:
        return f"{name} || chr(9)"
    return name


def _quoted(value: str) -> str:
    """SQL of a CSV field, in quotes where it must be."""
    special = f"regexp_matches({value}, '[\",\\r\\n]')"
    return f"case when {special} then '\"' || replace({value}, '\"', '\"\"') || '\"' else {value} end"


def header(contract: Contract) -> bytes:
    """The header line of a CSV file, UTF-8."""
    names = [column.source_name for column in contract.columns]
    if contract.silo in PADDED:
        names = [f" {name} \t" if place % 3 == 1 else f" {name} " for place, name in enumerate(names)]
    return (",".join(names) + "\n").encode()


def line(contract: Contract, row: Mapping[str, Any]) -> bytes:
    """One row as `rendered` shows it, as the line of a text file."""
    if contract.format != "csv":
        plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        return (json.dumps(plain, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    target = io.StringIO()
    cells = [str(value).lower() if isinstance(value, bool) else value for value in row.values()]
    csv.writer(target, lineterminator="\n").writerow(cells)
    return target.getvalue().encode()


def encoded(contract: Contract, text: bytes) -> bytes:
    """The text in the encoding of the contract; UTF-8 exports of Excel carry a byte order mark."""
    if contract.encoding.lower() in ("utf-8", "utf8"):
        return b"\xef\xbb\xbf" + text if contract.silo == "crm" else text
    return text.decode().encode(contract.encoding)
