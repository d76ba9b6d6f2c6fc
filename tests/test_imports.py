"""Which part may import which, read from the import statements; and that light parts load nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Our parts, and of ours what each may import. A longer name goes before the part it lies in.
MAY_IMPORT = {
    "minefusion.schemas": {"minefusion.schemas"},
    "minefusion.models": {"minefusion.schemas", "minefusion.models"},
    "minefusion.pipelines.jobs": {
        "minefusion.schemas", "minefusion.models", "minefusion.pipelines", "minefusion.pipelines.jobs",
    },
    "minefusion.pipelines": {"minefusion.schemas", "minefusion.pipelines"},
    "minefusion.serving": {"minefusion.schemas", "minefusion.models", "minefusion.serving"},
    "dags": {"minefusion.schemas"},
}  # fmt: skip
HEAVY = {"pyspark", "torch", "airflow", "mlflow", "pandas", "ultralytics"}
# Where a heavy package is at home; elsewhere it is imported inside a function or not at all.
HEAVY_HOME = {"pyspark": "minefusion.pipelines.engines.spark", "airflow": "dags", "torch": "minefusion.models"}


def folders() -> dict[str, Path]:
    mapping = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    return {name: ROOT / folder for name, folder in mapping.items()} | {"dags": ROOT / "dags"}


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in folders().items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join([package, *(part for part in parts if part != "__init__")]), path


def imported(path: Path, *, at_start_only: bool = False) -> Iterator[str]:
    """Full names that a file imports; `at_start_only` leaves out what stands in functions and under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _at_start(tree) if at_start_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: expected full names in imports, got a relative one"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _at_start(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _at_start(child)


def part_of(name: str, parts: Iterator[str] | dict[str, set[str]]) -> str | None:
    return max((part for part in parts if name == part or name.startswith(f"{part}.")), key=len, default=None)


MODULES = dict(modules())


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name, MAY_IMPORT)])
def test_imports_point_one_way(module: str):
    part = part_of(module, MAY_IMPORT)
    assert part is not None
    wrong = [
        name
        for name in imported(MODULES[module])
        if name.split(".")[0] in ("minefusion", "dags", "notebooks", "tests")
        and not (name == "minefusion.__version__" or part_of(name, MAY_IMPORT) in MAY_IMPORT[part])
    ]
    assert not wrong, f"{module} may import only {sorted(MAY_IMPORT[part])}"


@pytest.mark.parametrize("module", list(MODULES))
def test_heavy_packages_are_imported_where_they_are_used(module: str):
    tops = {name.split(".")[0] for name in imported(MODULES[module], at_start_only=True)} & HEAVY
    wrong = {top for top in tops if not module.startswith(HEAVY_HOME.get(top, "none"))}
    assert not wrong, f"{module}: import inside the function that needs it"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("minefusion.cli")])
def test_commands_import_what_they_do_when_they_do_it(module: str):
    """So that `--help` of any verb and a wrong option are answered at once."""
    parts = ("minefusion.pipelines", "minefusion.serving", "minefusion.models", "minefusion.doctor")
    wrong = [name for name in imported(MODULES[module], at_start_only=True) if name.startswith(parts)]
    assert not wrong, f"{module}: import inside the command"


def test_schemas_load_nothing_heavy():
    names = [name for name in MODULES if name.startswith("minefusion.schemas")]
    loaded = loaded_by("; ".join(f"import {name}" for name in names))
    assert not loaded & HEAVY


def test_the_command_loads_neither_an_engine_nor_heavy_packages():
    loaded = loaded_by("import minefusion.cli.app as app; app.run(['--help'])")
    assert not loaded & (HEAVY | {"polars", "pyarrow", "narwhals", "deltalake", "numpy"})


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh process has after running `code`."""
    ask = f"{code}\nimport sys; print('LOADED', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_each_folder_with_code_is_a_listed_package():
    """A folder left out of pyproject works from a clone and is missing from the wheel."""
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in MODULES.items()}
    there = {name for name in there if name.startswith("minefusion")}
    assert there == listed
    for name in there:
        assert MODULES[name].name == "__init__.py", f"{name} needs an __init__.py"
