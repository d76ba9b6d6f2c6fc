"""What `bench routes` says; how fast it is belongs to whoever runs it."""

from minefusion.pipelines.jobs.bench.routes import bench_routes

KEYS = {"case", "seconds", "rate", "unit", "cpu_s", "peak_mib", "ratio", "ratio_to"}


def test_ours_beside_networkx_at_one_and_ten_times_the_data():
    found = bench_routes(scale=0.05)
    assert {"name", "hardware", "data", "results"} <= set(found)
    assert (found["name"], found["data"]["people"], found["data"]["roadways"]) == ("routes", 15, 100)
    assert all(set(row) == KEYS for row in found["results"])
    ours = [row for row in found["results"] if row["case"].startswith("routes/")]
    assert [row["case"] for row in ours] == [
        "routes/all",
        "routes/great_fire",
        "routes/all/10x",
        "routes/great_fire/10x",
    ]
    assert all(row["ratio"] and row["ratio_to"] for row in ours)
