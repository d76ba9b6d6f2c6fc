"""Every table, and where it lies: the one place that turns a table's name into a path or an address."""

from __future__ import annotations

from pathlib import Path

from minefusion.schemas import bronze, gold, reference, silver
from minefusion.schemas.errors import InputError
from minefusion.schemas.table import Table

TABLES: dict[str, Table] = {
    table.name: table
    for module in (bronze, silver, gold, reference)
    for table in vars(module).values()
    if isinstance(table, Table)
}


def table(name: str) -> Table:
    """The declaration of `name`. Raises InputError with the names there are."""
    if name not in TABLES:
        raise InputError(f"expected a table name, got '{name}'; there are: {', '.join(sorted(TABLES))}")
    return TABLES[name]


def table_uri(root: str | Path, table: Table) -> str:
    """Where the table's Delta log and files lie; `root` is a folder or `s3://bucket/prefix`, `Settings.tables_root`."""
    return f"{root}/{table.layer}/{table.name.split('.')[1]}"


def table_path(lake: Path, table: Table) -> Path:
    """The same inside the folder `lake`."""
    return Path(table_uri(lake, table))


def site_path(lake: Path, mine_code: str) -> Path:
    """The registered site file of one mine."""
    return lake / "sites" / f"{mine_code}.site.yaml"


def asset_uri(table: Table) -> str:
    """Name of the Airflow asset that stands for the table."""
    return f"minefusion://{table.layer}/{table.name.split('.')[1]}"
