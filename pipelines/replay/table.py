"""A measured table, parquet or CSV, as instants and values under the names of its mapping."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import polars.selectors as cs

from minefusion.pipelines.replay.mapping import SECONDS, Mapping
from minefusion.schemas.errors import InputError

INSTANT = "observed_at"


def read_table(path: Path, mapping: Mapping, start: datetime | None) -> pl.DataFrame:
    """`observed_at` (UTC) and one column of numbers per point and covariate; null where the table has no value.

    Args:
        start: instant at which a time elapsed is 0; of a table with clock times, the instant of its first row (None:
            they stay as they are).

    Raises:
        InputError: the file is none, lacks a column, holds what is no number, or its time does not run forward.
    """
    table = open_table(path)
    for column in (mapping.time.column, *mapping.columns):
        if column not in table.columns:
            raise InputError(f"expected column '{column}' in {path}, got {', '.join(table.columns)}; mend the mapping")
    if table.is_empty():
        raise InputError(f"expected rows in {path}, got none; give the measured table")
    instants = _instants(path, table[mapping.time.column], mapping, start)
    values = [_numbers(path, table[column]) for column in mapping.columns]
    for covariate in mapping.covariates:
        _check_state(path, table[covariate.column].cast(pl.Float64, strict=False))
    return pl.DataFrame([instants, *values])


def period_s(mapping: Mapping, table: pl.DataFrame) -> float:
    """Nominal time between rows [s]: the mapping's, else the median step."""
    if mapping.time.period_s is not None:
        return mapping.time.period_s
    step = table[INSTANT].diff().median()
    return step.total_seconds() if isinstance(step, timedelta) else 60.0


def open_table(path: Path) -> pl.DataFrame:
    """A parquet or CSV file as it is.

    Raises:
        InputError: it is not there, or is none.
    """
    if not path.is_file():
        raise InputError(f"expected a measured table, found none at {path}; give a .parquet or .csv file")
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema_length=None, null_values=["", "NA", "NaN", "null"])
    except pl.exceptions.PolarsError as error:
        raise InputError(f"expected {path} as {path.suffix[1:]}, got: {str(error).splitlines()[0]}; mend it") from None
    raise InputError(f"expected a .parquet or .csv file, got {path}; convert it")


def _instants(path: Path, column: pl.Series, mapping: Mapping, start: datetime | None) -> pl.Series:
    """UTC instants of the rows, which must run forward by a second or more: files are stamped by the second."""
    name = column.name
    if mapping.time.unit is None:
        found = _clock(path, column, mapping)
        if start is not None:
            found = (found - found[0]) + start
    elif start is None:
        raise InputError(f"expected --start, since '{name}' counts from a start that {path} does not say; add it")
    else:
        microseconds = (_numbers(path, column) * (SECONDS[mapping.time.unit] * 1e6)).round(0)
        found = microseconds.cast(pl.Int64).cast(pl.Duration("us")) + start
    found = found.cast(pl.Datetime("us", "UTC")).alias(INSTANT)
    if found.null_count():
        raise InputError(
            f"expected a time in every row of '{name}' in {path}, got none in row {_first(found.is_null())}"
        )
    step = found.diff()
    stuck = (step < timedelta(seconds=1)).fill_null(False)
    if stuck.any():
        row = _first(stuck)
        what = "runs backwards" if step[row - 1] < timedelta(0) else "moves on by less than a second"
        raise InputError(f"expected '{name}' in {path} to run forward, it {what} in row {row}; sort or thin the table")
    return found


def _clock(path: Path, column: pl.Series, mapping: Mapping) -> pl.Series:
    """Clock times as UTC instants; text is read as ISO 8601."""
    if column.dtype == pl.String:
        try:
            column = column.str.to_datetime(time_unit="us")
        except pl.exceptions.PolarsError:
            raise InputError(f"expected ISO 8601 times in '{column.name}' of {path}, got '{column[0]}'") from None
    if not isinstance(column.dtype, pl.Datetime):
        raise InputError(f"expected clock times in '{column.name}' of {path}, got {column.dtype}; say its unit in time")
    if column.dtype.time_zone is not None:
        return column.dt.convert_time_zone("UTC")
    # In the night that the clocks go back an hour comes twice: it is the second one once the time has stepped back.
    again = (pl.col("t").diff() < timedelta(0)).fill_null(False).cum_sum().over(pl.col("t").dt.date()) > 0
    which = pl.when(again).then(pl.lit("latest")).otherwise(pl.lit("earliest"))
    local = pl.col("t").dt.replace_time_zone(mapping.time.zone, ambiguous=which, non_existent="null")
    return pl.DataFrame({"t": column}).select(local.dt.convert_time_zone("UTC")).to_series()


def _numbers(path: Path, column: pl.Series) -> pl.Series:
    numbers = column.cast(pl.Float64, strict=False)
    broken = numbers.is_null() & column.is_not_null()
    if broken.any():
        row = _first(broken)
        raise InputError(
            f"expected numbers in '{column.name}' of {path}, got '{column[row - 1]}' in row {row}; mend it"
        )
    return pl.DataFrame([numbers]).with_columns(cs.float().fill_nan(None)).to_series()


def _check_state(path: Path, column: pl.Series) -> None:
    odd = column.is_not_null() & ~column.is_in([0.0, 1.0])
    if odd.any():
        row = _first(odd)
        raise InputError(f"expected 0 or 1 in '{column.name}' of {path}, got {column[row - 1]:g} in row {row}; mend it")


def _first(found: pl.Series) -> int:
    """Row of the first true one, counted from 1."""
    return int(found.arg_true()[0]) + 1
