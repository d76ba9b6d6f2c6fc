"""Pictures of the indices: which jobs a scenario asks for, and that another level than the picture's is told."""

from datetime import UTC, datetime

import pytest

from minefusion import pictures
from minefusion.pipelines.hazard.catalogue import INDICES
from minefusion.pipelines.jobs.hazard import Job
from minefusion.serving.index_picture import Window, index_picture

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def asked_for(scenario: str) -> set[str]:
    """Ids of the indices that its jobs compute."""
    jobs = pictures.jobs_for(scenario)
    assert all(isinstance(job, Job) for job in jobs)
    return {index for job in jobs for index in job.compute.keywords["only"]}  # type: ignore[union-attr]


def test_a_run_computes_only_what_its_scenario_drives_and_what_that_reads():
    assert asked_for("low_air") == {"G-12", "V-01"}
    assert asked_for("outburst") == {"G-07", "G-08", "G-09", "G-10"}
    assert pictures.jobs_for("overdue_danger") == ["hazard_index", "hazard_trend", "composite"]


def test_a_level_other_than_the_pictures_is_told(tmp_path, monkeypatch, capsys):
    low_air = [index for index in INDICES if index.scenario == "low_air"]
    monkeypatch.setattr(pictures, "curves", lambda _: {index: [Window(T0, 1.0, 2)] for index in low_air})
    folder = tmp_path / "indices" / "pictures"
    folder.mkdir(parents=True)
    for index in low_air:
        (folder / f"{index.id}.svg").write_text(index_picture(index.id, "1", [Window(T0, 1.0, 2)], {}))
    assert pictures.main(["low_air"], tmp_path, is_check=True) == 0
    (folder / "V-01.svg").write_text(index_picture("V-01", "1", [Window(T0, 1.0, 3)], {}))
    (folder / "G-12.svg").unlink()
    capsys.readouterr()
    assert pictures.main(["low_air"], tmp_path, is_check=True) == 1
    told = capsys.readouterr().out
    assert "V-01: expected level 3 as in its picture, got 2" in told
    assert "G-12: expected a picture, found none" in told


@pytest.mark.parametrize("index", [index for index in INDICES if index.scenario], ids=lambda index: index.id)
def test_every_index_with_a_scenario_is_computed_by_its_jobs(index):
    jobs = pictures.jobs_for(index.scenario)
    assert jobs == ["hazard_index", "hazard_trend", "composite"] or index.id in asked_for(index.scenario)
