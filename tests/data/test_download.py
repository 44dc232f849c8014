"""A download that fails: one line, and no empty folders."""

import pytest

from infogan_core.data.download import downloading
from pictures import refused


@pytest.mark.parametrize("error", [OSError("no\nnetwork"), KeyboardInterrupt()])
def test_only_folders_that_were_made_in_vain_are_removed(tmp_path, error):
    def fail():
        with downloading("toys", tmp_path / "new" / "empty", "use another"):
            (tmp_path / "new" / "empty").mkdir(parents=True)
            (tmp_path / "new" / "kept").touch()
            raise error

    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            fail()
    else:
        with refused(RuntimeError, r"^toys could not be downloaded: use another \(no network\)$"):
            fail()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["kept"]
