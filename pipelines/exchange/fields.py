"""What a field's text must be, by its type: one Polars expression each for canonical text, fault and warnings.

A column is judged by its distinct texts. They are few in exchange files (points, places, times and values in coarse
steps come again and again), so a large file costs little more than finding them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from minefusion.schemas.exchange.grammar import CODE_LENGTHS, POINT_CODE, RELATION, Field, dictionary, sentinels

_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
# Years 1000 to 2999: what Python, Arrow and Spark all can hold.
_DATE = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$"
_DATETIME = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_MOMENT = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?$"
_LISTED_DATE = r"^\[\s*([0-9]{4})\s*,\s*([0-9]{1,2})\s*,\s*([0-9]{1,2})\s*\]$"
_HIGHEST_STATUS = 255

_RAW = pl.col("text")
_TRIMMED = _RAW.str.strip_chars()
_EMPTY = pl.lit("")
_NO = pl.lit(False)


@dataclass(frozen=True)
class Verdicts:
    """Of a field's distinct texts: canonical text, whether the record must go to quarantine, warning codes (",A,B")."""

    canonical: pl.Expr
    is_bad: pl.Expr
    codes: pl.Expr


@dataclass(frozen=True)
class Column:
    """One field's column, judged. `odd` holds its distinct texts that are not plain: None where all are."""

    field: Field
    odd: pl.DataFrame | None

    def of_rows(self, texts: pl.Series) -> pl.DataFrame:
        """canonical, is_bad, codes of each row."""
        if self.odd is None:
            return pl.DataFrame({"canonical": texts}).with_columns(_NO.alias("is_bad"), _EMPTY.alias("codes"))
        rows = pl.DataFrame({"text": texts}).join(
            self.odd, on="text", how="left", maintain_order="left", nulls_equal=True
        )
        return rows.select(
            pl.coalesce("canonical", "text").alias("canonical"),
            pl.col("is_bad").fill_null(False),
            pl.col("codes").fill_null(""),
        )


def judge(field: Field, folder: str, register: int, texts: pl.Series) -> Column:
    """Judge a column of texts by its distinct ones.

    Args:
        folder: the feed that the field's layout belongs to.
        register: length of the mine code, which says how long positioning codes are.
    """
    distinct = pl.DataFrame({"text": texts.unique()})
    verdicts = _verdicts(field, folder, register)
    judged = distinct.with_columns(
        verdicts.canonical.alias("canonical"), verdicts.is_bad.alias("is_bad"), verdicts.codes.alias("codes")
    )
    odd = judged.filter((pl.col("canonical") != pl.col("text")) | pl.col("is_bad") | (pl.col("codes") != ""))
    return Column(field, odd if len(odd) else None)


@lru_cache(maxsize=4096)
def _verdicts(field: Field, folder: str, register: int) -> Verdicts:
    found = _RULES.get(field.type, _text)(field, folder, register)
    every = sentinels()["every"]
    is_null = _TRIMMED.str.to_lowercase().is_in(list(every))
    canonical = pl.when(is_null).then(_EMPTY).otherwise(found.canonical)
    is_bad = ~is_null & found.is_bad
    if "required" in field.roles:
        is_bad = is_bad | (canonical == "")
    codes = pl.when(is_null).then(pl.lit(",SENTINEL")).otherwise(found.codes)
    return Verdicts(canonical, is_bad, codes)


def _codes(conditions: Iterable[tuple[str, pl.Expr]]) -> pl.Expr:
    parts = [pl.when(holds).then(pl.lit("," + code)).otherwise(_EMPTY) for code, holds in conditions]
    return pl.concat_str(parts) if parts else _EMPTY


def _is_set() -> pl.Expr:
    return _TRIMMED != ""


def _text(field: Field, _folder: str, _register: int) -> Verdicts:
    unset = _RAW.is_in(list(sentinels()["text"])) if field.type == "text" else _NO
    canonical = pl.when(unset | ~_is_set()).then(_EMPTY).otherwise(_RAW)
    conditions = [("SENTINEL", unset)]
    if field.longest is not None:
        conditions.append(("FIELD_TOO_LONG", _RAW.str.len_chars() > field.longest))
    if field.type == "relation":
        conditions.append(("RELATION_FORMAT", _is_set() & ~_TRIMMED.str.contains(RELATION)))
    return Verdicts(canonical, _NO, _codes(conditions))


def _empty(_field: Field, _folder: str, _register: int) -> Verdicts:
    return Verdicts(pl.when(_is_set()).then(_RAW).otherwise(_EMPTY), _NO, _EMPTY)


def _code(field: Field, folder: str, register: int) -> Verdicts:
    conditions = []
    if field.type == "point_code":
        conditions.append(("CODE_FORMAT", _is_set() & ~_TRIMMED.str.contains(POINT_CODE)))
    elif field.type == "serial_code":
        conditions.append(("CODE_FORMAT", _is_set() & ~_TRIMMED.str.contains(r"^[0-9A-Z]+$")))
    elif field.type in ("sensor_type", "listed_code"):
        conditions.append(("CODE_UNKNOWN", _is_set() & ~_TRIMMED.is_in(list(field.allowed))))
    elif folder == "jxry":
        expected = CODE_LENGTHS.get(field.column, {}).get(register)
        if expected is not None:
            conditions.append(("CODE_FORMAT", _is_set() & (_TRIMMED.str.len_chars() != expected)))
    return Verdicts(_TRIMMED, _NO, _codes(conditions))


def _digits(field: Field, _folder: str, register: int) -> Verdicts:
    """A positioning code of a main form: with a 12-digit mine another length is an error, elsewhere only marked."""
    is_current = register == 12
    expected = CODE_LENGTHS.get(field.column, {}).get(register, int(field.length))
    other_length = _is_set() & (_TRIMMED.str.len_chars() != expected)
    other_form = _is_set() & ~_TRIMMED.str.contains(r"^[0-9]+$" if is_current else r"^[0-9A-Za-z]+$")
    marked = other_form if is_current else other_form | other_length
    return Verdicts(_TRIMMED, other_length if is_current else _NO, _codes([("CODE_FORMAT", marked)]))


def _is_number() -> pl.Expr:
    return _TRIMMED.str.contains(_NUMBER) & _TRIMMED.cast(pl.Float64, strict=False).is_finite().fill_null(False)


def _number(field: Field, _folder: str, _register: int) -> Verdicts:
    is_number = _is_number()
    unset = _NO
    for text in sentinels().get(field.type, ()):
        unset = unset | (_TRIMMED.cast(pl.Float64, strict=False) == float(text)).fill_null(False)
    faulty = _is_set() & ~is_number
    is_optional = field.type == "coordinate"
    canonical = pl.when(unset | (faulty if is_optional else _NO)).then(_EMPTY).otherwise(_TRIMMED)
    conditions = [("SENTINEL", unset)] + ([("BAD_OPTIONAL_VALUE", faulty)] if is_optional else [])
    return Verdicts(canonical, _NO if is_optional else faulty, _codes(conditions))


def _number_list(_field: Field, _folder: str, _register: int) -> Verdicts:
    one = _NUMBER[1:-1]
    return Verdicts(_TRIMMED, _is_set() & ~_TRIMMED.str.contains(rf"^{one}(?:&{one})*$"), _EMPTY)


def _int(_field: Field, _folder: str, _register: int) -> Verdicts:
    whole = _TRIMMED.str.replace(r"\.0*$", "").str.strip_prefix("+")
    number = pl.when(whole.str.contains(r"^-?[0-9]{1,18}$")).then(whole)
    return Verdicts(number.fill_null(_TRIMMED), _is_set() & number.is_null(), _EMPTY)


def _switch(field: Field, _folder: str, _register: int) -> Verdicts:
    """A state written as a number: 1, 1.0 and +1 are one state."""
    state = _TRIMMED.cast(pl.Float64, strict=False)
    known = _is_number() & state.is_in([float(text) for text in field.allowed])
    canonical = pl.when(known).then(state.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(_TRIMMED)
    return Verdicts(canonical, _is_set() & ~known, _EMPTY)


def _choice(field: Field, _folder: str, _register: int) -> Verdicts:
    return Verdicts(_TRIMMED, _is_set() & ~_TRIMMED.is_in(list(field.allowed)), _EMPTY)


def _status(_field: Field, _folder: str, _register: int) -> Verdicts:
    """Sum of bits; 8 binary digits, highest first; a word. Anything else is unknown and kept only as it came."""
    words = {word: term.means for word, term in dictionary("status_word").items()}
    word = _TRIMMED.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.String)
    binary = pl.when(_TRIMMED.str.contains(r"^[01]{8}$")).then(_TRIMMED)
    from_binary = binary.str.to_integer(base=2, strict=False, dtype=pl.Int64).cast(pl.String)
    total = pl.when(_TRIMMED.str.contains(r"^[0-9]{1,3}$")).then(_TRIMMED.cast(pl.Int64, strict=False))
    from_total = pl.when(total <= _HIGHEST_STATUS).then(total.cast(pl.String))
    canonical = pl.coalesce(word, from_binary, from_total)
    unknown = _is_set() & canonical.is_null()
    return Verdicts(
        canonical.fill_null(""), _NO, _codes([("STATUS_WORD", word.is_not_null()), ("STATUS_UNKNOWN", unknown)])
    )


def _parsed(text: pl.Expr, pattern: str, form: str) -> pl.Expr:
    """The text where it has the form and names a real day and time, else null."""
    shaped = pl.when(text.str.contains(pattern)).then(text)
    dtype = pl.Datetime("us") if "%H" in form else pl.Date
    return pl.when(shaped.str.strptime(dtype, form, strict=False).is_not_null()).then(shaped)


def _is_datetime(text: pl.Expr) -> pl.Expr:
    return _parsed(text, _DATETIME, "%Y-%m-%d %H:%M:%S")


def _is_date(text: pl.Expr) -> pl.Expr:
    return _parsed(text, _DATE, "%Y-%m-%d")


def _listed_date() -> pl.Expr:
    """[2025,1,1] as 2025-01-01."""
    part = [_TRIMMED.str.extract(_LISTED_DATE, group).str.zfill(2) for group in (1, 2, 3)]
    return _is_date(pl.concat_str(part, separator="-"))


def _datetime(field: Field, _folder: str, _register: int) -> Verdicts:
    unset = _TRIMMED.is_in([*sentinels()["time"], *sentinels().get(field.type, ())])
    plain = _is_datetime(_TRIMMED)
    separators = {"slash_datetime": ("/", " "), "joined_datetime": ("-", "/")}.get(field.type)
    own, variant = plain, _NO
    if separators is not None:
        between, before_time = separators
        form = between.join((r"^([0-9]{4})", "([0-9]{2})", "([0-9]{2})")) + before_time + "([0-9:]{8})$"
        own = _is_datetime(_TRIMMED.str.replace(form, "$1-$2-$3 $4"))
        variant = plain.is_not_null()
    day = pl.coalesce(_is_date(_TRIMMED), _listed_date())
    canonical = pl.coalesce(plain, own, pl.concat_str(day, pl.lit(" 00:00:00")))
    conditions = [("SENTINEL", unset)]
    if field.type != "define_time":
        conditions.append(("DATE_VARIANT", variant | (day.is_not_null() & plain.is_null())))
    return Verdicts(canonical.fill_null(""), _is_set() & ~unset & canonical.is_null(), _codes(conditions))


def _moment(_field: Field, _folder: str, _register: int) -> Verdicts:
    """A date-time that may go on with parts of a second."""
    shaped = pl.when(_TRIMMED.str.contains(_MOMENT)).then(_TRIMMED)
    canonical = pl.when(_is_datetime(shaped.str.slice(0, 19)).is_not_null()).then(shaped).fill_null("")
    return Verdicts(canonical, _is_set() & (canonical == ""), _EMPTY)


def _date(field: Field, _folder: str, _register: int) -> Verdicts:
    unset = _TRIMMED.is_in(list(sentinels().get(field.type, ()))) | _TRIMMED.is_in(list(sentinels()["time"]))
    plain = _is_date(_TRIMMED)
    of_time = pl.when(_is_datetime(_TRIMMED).is_not_null()).then(_TRIMMED.str.slice(0, 10))
    listed = _listed_date()
    canonical = pl.coalesce(plain, of_time, listed)
    unreadable = _is_set() & ~unset & canonical.is_null()
    is_optional = field.type in ("birth_date", "expiry_date")
    variant = listed.is_not_null() if field.type == "define_date" else pl.coalesce(of_time, listed).is_not_null()
    conditions = [("SENTINEL", unset), ("DATE_VARIANT", variant)]
    if is_optional:
        conditions.append(("BAD_OPTIONAL_VALUE", unreadable))
    canonical = pl.when(unset).then(_EMPTY).otherwise(canonical.fill_null(""))
    return Verdicts(canonical, _NO if is_optional else unreadable, _codes(conditions))


def _two_times(_field: Field, _folder: str, _register: int) -> Verdicts:
    first, second = _is_datetime(_TRIMMED.str.slice(0, 19)), _is_datetime(_TRIMMED.str.slice(19))
    both = pl.concat_str(first, pl.lit(";"), second)
    canonical = pl.when(_is_set()).then(both.fill_null("")).otherwise(pl.lit(";"))
    return Verdicts(canonical, _is_set() & both.is_null(), _codes([("GLUED_FIELDS", both.is_not_null())]))


_RULES: dict[str, Callable[[Field, str, int], Verdicts]] = {
    "empty": _empty,
    "code": _code,
    "point_code": _code,
    "serial_code": _code,
    "sensor_type": _code,
    "listed_code": _code,
    "digits": _digits,
    "number": _number,
    "value": _number,
    "limit": _number,
    "coordinate": _number,
    "number_list": _number_list,
    "int": _int,
    "switch": _switch,
    "choice": _choice,
    "status": _status,
    "datetime": _datetime,
    "moment": _moment,
    "end_time": _datetime,
    "define_time": _datetime,
    "slash_datetime": _datetime,
    "joined_datetime": _datetime,
    "date": _date,
    "birth_date": _date,
    "expiry_date": _date,
    "define_date": _date,
    "two_times": _two_times,
}
