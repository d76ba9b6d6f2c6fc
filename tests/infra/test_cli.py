"""The frame of the command line: global options, output, errors and exit codes, progress."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import typer

from minefusion.cli import app, call, progress
from minefusion.schemas.errors import InputError, MissingError, NotInOrderError


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., None]], None]:
    """Register a function as the verb `probe`."""

    def register(command: Callable[..., None], *, has_csv: bool = False) -> None:
        monkeypatch.setitem(app.VERBS, "probe", app.Verb("试", "Try", "probe", has_csv))
        monkeypatch.setitem(sys.modules, "minefusion.cli.probe", SimpleNamespace(command=command))

    return register


def only_json(capsys: pytest.CaptureFixture[str]) -> object:
    """The one JSON document on stdout; fails where anything else is there."""
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--lake", "/x", "--output", "json", "--quiet", "build", "--select", "gas+"],
        ["build", "--lake", "/x", "--select", "gas+", "--output=json", "--quiet"],
        ["--quiet", "build", "--select", "gas+", "--lake=/x", "--output", "json"],
    ],
)
def test_global_options_stand_before_or_after_the_verb(arguments: list[str]):
    assert app.take_global_options(arguments) == ["build", "--select", "gas+"]
    assert call.call == call.Call(lake="/x", output="json", quiet=True)


def test_what_follows_two_dashes_is_left_alone():
    assert app.take_global_options(["sql", "--", "--quiet"]) == ["sql", "--", "--quiet"]
    assert not call.call.quiet


def test_table_is_the_word_for_text():
    app.take_global_options(["sql", "select 1", "--output", "table"])
    assert call.call.output == "text"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lake"], "expected a value after --lake"),
        (["doctor", "--output", "xml"], "text or json or csv"),
        (["doctor", "--output", "csv"], "only sql prints CSV"),
        (["dcotor"], "expected a verb, got 'dcotor'; there are: doctor"),
        (["doctor", "--quik"], "--quik"),
        (["doctor", "--engine", "duckdb"], "auto or light or spark"),
        (["doctor", "--lang", "de"], "zh or en"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert app.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("expected a, got b; do c"), 2, "expected a, got b; do c"),
        (MissingError("expected Java"), 3, "expected Java"),
        (NotInOrderError("three kinds do not balance"), 1, "three kinds"),
        (OSError(28, "No space left on device", "/lake"), 3, "/lake, got: No space left on device"),
        (KeyError("observed_at"), 70, "a fault in minefusion: KeyError: 'observed_at'"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_each_error_has_its_exit_code(error: BaseException, code: int, said: str, verb, capsys):
    def fail() -> None:
        raise error

    verb(fail)
    assert app.run(["probe", "--output", "json"]) == code
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert json.loads(out)["exit_code"] == code


def test_debug_adds_the_trace(verb, capsys):
    def fail() -> None:
        raise InputError("expected a, got b")

    verb(fail)
    assert app.run(["probe", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_result_that_is_not_in_order_stays_one_document(verb, capsys):
    def fail() -> None:
        call.emit({"ok": False}, "not ok")
        raise NotInOrderError("a kind does not balance")

    verb(fail)
    assert app.run(["probe", "--output", "json"]) == 1
    assert only_json(capsys) == {"ok": False}


def test_json_is_strict_and_instants_carry_their_offset(verb, capsys):
    rows = [{"at": datetime(2026, 3, 1, tzinfo=UTC), "value": float("nan"), "place": "采煤工作面", "list": [1.5]}]
    verb(lambda: call.emit(rows, ""))
    assert app.run(["--output", "json", "probe"]) == 0
    expected = [{"at": "2026-03-01T00:00:00+00:00", "value": None, "place": "采煤工作面", "list": [1.5]}]
    assert only_json(capsys) == expected


def test_csv_has_a_header_and_one_line_a_row(verb, capsys):
    verb(lambda: call.emit([{"a": 1, "b": None}, {"a": 2.5, "b": [1, 2]}], ""), has_csv=True)
    assert app.run(["probe", "--output", "csv"]) == 0
    assert capsys.readouterr().out == 'a,b\n1,\n2.5,"[1, 2]"\n'


def test_words_follow_the_language(verb, capsys):
    verb(lambda: call.emit({}, call.words("瓦斯", "methane")))
    assert app.run(["probe"]) == 0
    assert capsys.readouterr().out == "瓦斯\n"
    call.settings.cache_clear()
    assert app.run(["probe", "--lang", "en"]) == 0
    assert capsys.readouterr().out == "methane\n"


def test_settings_hear_the_global_options(verb, tmp_path):
    heard = []
    verb(lambda: heard.append(call.settings()))
    assert app.run(["probe", "--lake", str(tmp_path / "other"), "--engine", "spark"]) == 0
    assert (heard[0].lake, heard[0].engine) == (tmp_path / "other", "spark")


def test_help_needs_no_settings_and_lists_every_verb(monkeypatch, capsys):
    monkeypatch.setenv("MINEFUSION_NONSENSE", "1")
    assert app.run([]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in app.VERBS)
    assert all(option in text for option in [*app.GLOBAL_VALUES, *app.GLOBAL_FLAGS])


@pytest.mark.parametrize("name", app.VERBS)
def test_each_verb_has_its_module_help_and_a_true_example(name: str, capsys: pytest.CaptureFixture[str]):
    command = importlib.import_module(f"minefusion.cli.{name}").command
    assert isinstance(command, typer.Typer) or callable(command)
    assert app.run([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert app.VERBS[name].example.split()[0] in text
    assert "--lake" in text


PARTS = [
    (verb, part.name or part.callback.__name__)
    for verb in app.VERBS
    if isinstance(command := importlib.import_module(f"minefusion.cli.{verb}").command, typer.Typer)
    for part in command.registered_commands
    if part.callback is not None
]


@pytest.mark.parametrize(("verb", "part"), PARTS, ids=lambda name: name)
def test_each_part_of_a_verb_shows_an_example_of_its_own(verb: str, part: str, capsys: pytest.CaptureFixture[str]):
    """Its options are options that there are."""
    assert app.run([verb, part, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    example = text.rpartition("minefusion ")[2].partition(" Global options")[0].split()
    assert example[:2] == [verb, part]
    for option in (word for word in example if word.startswith("--") and word not in app.GLOBAL_VALUES):
        assert f" {option} " in text.rpartition("minefusion ")[0], option


def test_progress_says_rate_and_time_left_in_plain_lines(monkeypatch, capsys):
    clock = iter([0.0, 10.0, 11.0, 20.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.Progress("ingest", total=100, unit="MB") as step:
        step(0.25, "a.txt")
        step(0.26, "too soon for another line")
        step(0.5, "b.txt")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "ingest  25%  a.txt, 2.5 MB/s, 30 s left",
        "ingest  50%  b.txt, 2.5 MB/s, 20 s left",
        "ingest done in 20.0 s",
    ]


def test_quiet_progress_says_nothing(capsys):
    call.call.quiet = True
    with progress.Progress("ingest") as step:
        step(0.5)
    assert capsys.readouterr().err == ""


def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m minefusion --version | (exec 0<&-; sleep 1); exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
