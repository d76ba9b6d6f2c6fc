"""The soak kills, reruns and compares; what it prints is what it did."""

from __future__ import annotations

from minefusion.pipelines.jobs import soak as job


def test_killed_runs_leave_the_tables_of_an_undisturbed_one(monkeypatch):
    monkeypatch.setattr(job, "HOURS", 0.1)
    monkeypatch.setattr(job, "SLICES", 2)
    done = job.soak(1, seed=3, engines=("light",))
    assert done.differences == {}
    assert done.ok
    assert done.kills["light"] >= 1
    assert (done.slices, done.after_the_end["light"]) == (2 * done.mines, 2 * done.mines)
    assert done.rows_compared > 1_000
