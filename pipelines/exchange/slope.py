"""Slope (GNSS) files: one JSON document each, its entries' members found by name (PC-57).

These files hold a few dozen entries, so a document is opened by Python's JSON reader; its members are columns from
there on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

from minefusion.pipelines.exchange.envelope import without_lone_surrogates
from minefusion.pipelines.exchange.records import RECORD, Source, judge_columns, quarantine
from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR, Kind


@dataclass(frozen=True)
class Document:
    """The document's upload time as text, what else its envelope says, and the text of each entry."""

    send_time: str
    header: tuple[str, ...]
    entries: list[str]


def open_document(text: str) -> Document | None:
    """None where the text is no JSON object with a list of entries."""
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return None
    rest = [str(value) for name, value in document.items() if name != "data" and value is not None]
    texts = [json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries]
    header, texts = tuple(map(without_lone_surrogates, rest)), list(map(without_lone_surrogates, texts))
    return Document(str(document.get("send_time") or ""), header, texts)


def judge_entries(kind: Kind, source: Source) -> pl.DataFrame:
    """Entries as records: raw is the entry, the canonical text its members in the layout's order."""
    is_object = source.rows["text"].str.starts_with("{")
    others = source.rows.filter(~is_object)
    rows = source.rows.filter(is_object).with_columns(pl.col("text").alias("raw"))
    layout = kind.layout()
    parts = [
        rows["text"]
        .str.json_path_match(f"$.{column}")
        .fill_null("")
        .str.replace_all(FIELD_SEPARATOR, " ", literal=True)
        for column in layout.columns
    ]
    done = [judge_columns(layout, source.of(rows), parts)] if len(rows) else []
    if len(others):
        zh, en = pl.lit("应为JSON对象"), pl.lit("expected a JSON object")
        done.append(quarantine(kind, source, others, pl.lit("FIELD_TYPE"), zh, en))
    return pl.concat(done, rechunk=False) if done else pl.DataFrame(schema=RECORD)
