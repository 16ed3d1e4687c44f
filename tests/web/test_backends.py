"""Where large matches are worked on, and what is said when that cannot be."""

import sys

import joblib
import pytest
from click.testing import CliRunner

from web import backends
from web.backends import NoCluster, working_on
from web.cli import cli


def test_backend_and_jobs_hold_inside_only():
    with working_on("threading", None, 2):
        assert joblib.effective_n_jobs(None) == 2
    with working_on(None, None, 2):
        assert joblib.effective_n_jobs(None) == 1
    assert joblib.effective_n_jobs(None) == 1


def test_dask_works_on_all_of_its_cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=3, processes=False, dashboard_address=":0", protocol="tcp"
        ) as cluster,
        working_on("dask", cluster.scheduler_address, 1),
    ):
        assert joblib.effective_n_jobs(None) == 3
        assert joblib.Parallel()(joblib.delayed(abs)(-k) for k in range(4)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--backend", "dask"], "--backend dask needs --scheduler"),
        (["--backend", "loky", "--scheduler", "tcp://127.0.0.1:1"], "goes with --backend dask alone"),
        (["--scheduler", "nowhere://x"], "No dask scheduler answers at nowhere://x"),
        (["--scheduler", "tcp://127.0.0.1:1"], "No dask scheduler answers at tcp://127.0.0.1:1"),
    ],
)
def test_cluster_that_cannot_be_is_told_in_a_sentence(options, said, tmp_path, monkeypatch):
    monkeypatch.setattr(backends, "CONNECT_SECONDS", 0.5)
    made = CliRunner().invoke(cli, ["sample", "--n", "12", "--out", str(tmp_path / "s.csv")])
    assert made.exit_code == 0
    done = CliRunner().invoke(
        cli, ["match", str(tmp_path / "s.csv"), "--out", str(tmp_path / "r.csv"), *options]
    )
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "r.csv").exists()


def test_dask_that_is_not_installed_is_told_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoCluster, match=r"cohorts\[scale\]"), working_on("dask", "tcp://127.0.0.1:1", 1):
        pass
