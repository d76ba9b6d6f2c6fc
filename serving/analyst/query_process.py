"""The process in which an analyst's SQL runs: reads its question from stdin, writes the answer to stdout, and ends."""

from __future__ import annotations

import json
import resource
import secrets
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import QueryBuilder
from deltalake.exceptions import DeltaError

from minefusion.schemas.errors import InputError, MinefusionError
from minefusion.serving.analyst.query import tables, visible
from minefusion.serving.reader import SESSION, Reader, checked, in_one_line, without_rows


def main() -> None:
    """A line of JSON, then the rows as an Arrow stream."""
    told = json.loads(sys.stdin.buffer.read())
    confine(told["most_memory"], told["most_s"])
    try:
        rows, is_cut = answer(told)
    except MinefusionError as error:
        head: dict[str, Any] = {"error": str(error)}
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
        return
    sys.stdout.buffer.write(json.dumps({"is_cut": is_cut}).encode() + b"\n")
    with pa.ipc.new_stream(sys.stdout.buffer, rows.schema) as stream:
        stream.write_table(rows)


def confine(most_memory: int, most_s: float) -> None:
    """From here on: no byte into any file, no core dump, so much memory, so much time of all processors together."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))
    # Were the one that waits for us gone, we would still end.
    cpu_s = int(most_s * 64) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))


def answer(told: dict[str, Any]) -> tuple[pa.Table, bool]:
    """The rows, no more than asked for, and whether there are more."""
    query, named = checked(told["query"], {})
    allowed = {each.name for each in tables()}
    refused = [each.name for each in named if each.name not in allowed]
    if refused:
        raise InputError(f"expected a table that may be asked here, got {refused[0]}: it holds persons or no mine")
    reader = Reader(Path(told["lake"]), told["root"])
    session = QueryBuilder(SESSION)
    # The tables as they lie are under a name that nobody can know; what a question sees are views of the user's rows.
    hidden = f"h{secrets.token_hex(16)}"
    try:
        for schema in (hidden, *sorted({each.layer for each in named})):
            session.execute(f"CREATE SCHEMA {schema}")
        for number, table in enumerate(named):
            if not reader.has(table):
                session.execute(without_rows(table))
                continue
            session.register(f"{hidden}.t{number}", reader.opened(table))
            columns = ", ".join(f'"{each.name}"' for each in visible(table))
            mines = ", ".join("'" + each.replace("'", "''") + "'" for each in told["mines"])
            where = f" WHERE mine_code IN ({mines})" if mines and "mine_code" in table.names else ""
            session.execute(f"CREATE VIEW {table.name} AS SELECT {columns} FROM {hidden}.t{number}{where}")
        return _first(session.execute(query), told["most_rows"], told["most_bytes"])
    except DeltaError as error:
        raise InputError(in_one_line(str(error).replace(hidden, "table"), named)) from None


def _first(stream: Any, most_rows: int, most_bytes: int) -> tuple[pa.Table, bool]:
    """Read no more of the answer than the limits allow."""
    batches, rows, size, is_cut, schema = [], 0, 0, False, pa.schema(stream.schema)
    twice = next((name for name in schema.names if schema.names.count(name) > 1), None)
    if twice:
        raise InputError(f"expected every column to have its own name, got '{twice}' twice; name one with AS")
    spans = [field.name for field in schema if "interval" in str(field.type)]
    if spans:
        raise InputError(f"expected plain values, got an interval in '{spans[0]}'; write CAST(… AS VARCHAR)")
    for each in stream:
        batch = pa.record_batch(each)
        batches.append(batch.slice(0, most_rows - rows))
        size += batch.nbytes
        if rows + len(batch) > most_rows or size > most_bytes:
            is_cut = True
            break
        rows += len(batch)
    return pa.Table.from_batches(batches, schema), is_cut


if __name__ == "__main__":
    main()
