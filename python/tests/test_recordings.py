"""Recordings of networks and of task sizes."""

from __future__ import annotations

import pickle

import mrdro
import numpy as np
import pytest


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "bus.csv"
    path.write_text("t_s,device,mbps\n" + "".join(f"{t},{d},{t + d}\n" for t in range(10) for d in (1, 2)))
    return path


def test_recordings_are_arrays(log):
    recording = mrdro.Recording.open(log)
    (drive,) = recording.drives
    assert drive.devices == ["1", "2"] and drive.duration_s >= 9
    np.testing.assert_array_equal(drive.samples["2"], [[t, t + 2] for t in range(10)])
    starts, mbps = drive.windows(5)
    assert starts.tolist() == [0, 5] and mbps.tolist() == [[3, 4], [8, 9]]
    assert "csv" in recording.sources[0] and "1 drive" in repr(recording)
    assert pickle.loads(pickle.dumps(recording)).drives[0].devices == ["1", "2"]
    assert recording.drive("bus").name == drive.name


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "phone.csv"
    path.write_text("When;Up\n2024-01-31T12:00:00;4000\n2024-01-31T12:00:01;6000\n".replace(";", ","))
    drive = mrdro.Recording.open(path, columns="time=When:iso,rate=Up:kbps").drives[0]
    assert next(iter(drive.samples.values()))[:, 1].tolist() == [4, 6]
    with pytest.raises(ValueError, match="columns: .*rate=NAME:UNIT is missing"):
        mrdro.Recording.open(path, columns="time=When:iso")


def test_what_is_no_recording_is_said(tmp_path, log):
    with pytest.raises(FileNotFoundError, match="missing.csv"):
        mrdro.Recording.open(tmp_path / "missing.csv")
    (tmp_path / "note.txt").write_text("hello\nworld\n")
    with pytest.raises(mrdro.RecordingError, match="note.txt"):
        mrdro.Recording.open(tmp_path / "note.txt")
    with pytest.raises(ValueError, match="there is no drive called `tram`"):
        mrdro.Recording.open(log).drive("tram")
    with pytest.raises(ValueError, match="length_s must be a number of seconds above 0"):
        mrdro.Recording.open(log).drives[0].windows(0)


def test_task_sizes(tmp_path):
    path = tmp_path / "sizes.txt"
    path.write_text("# MB\n1.5\n20\n")
    assert mrdro.task_sizes(path).tolist() == [1.5, 20]
    with pytest.raises(FileNotFoundError):
        mrdro.task_sizes(tmp_path / "none")
