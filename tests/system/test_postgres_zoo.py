"""Databases of shapes that are met rarely, each found by trying one that was not made for kedge."""
import shutil
from pathlib import Path

import pytest

from test_postgres import BIN, TOOL, Run, free_port
from test_postgres_proofs import Proofs

pytestmark = pytest.mark.skipif(not BIN.exists() or not TOOL.exists(), reason="needs PostgreSQL 15 and a build")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = Path("/tmp") / f"kedge-zoo-{tmp_path_factory.getbasetemp().name}-{free_port()}"
    folder.mkdir(mode=0o755)
    running = Proofs(folder, free_port())
    yield running
    running.stop()
    shutil.rmtree(folder)


# ---- catalogues of a size that the server reads with several processes ----

def test_a_catalogue_read_in_any_order_is_no_change_of_the_schema(server, tmp_path):
    server.create("many")
    server.sql("""ALTER DATABASE many SET parallel_setup_cost = 50; ALTER DATABASE many SET parallel_tuple_cost = 0;
                  ALTER DATABASE many SET parallel_leader_participation = off; CREATE TABLE t AS SELECT 1 AS a;""", "many")
    run = Run("dump", server.url("many"), tmp_path / "many.sql", "--jobs", 2)
    assert "starting again" not in run.error
    server.drop("many")
