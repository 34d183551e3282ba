"""A run's folder: what it refuses, what it keeps through kills, what it says."""

import gc
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from asterism.errors import UserError
from asterism.runtime.run_folder import RunFolder


@dataclass(frozen=True)
class League:
    learning_rate: float = 1e-3
    steps: int = 10


@dataclass(frozen=True)
class Config:
    seed: int = 0
    league: League = field(default_factory=League)


def events(folder: Path) -> list:
    """All TensorBoard events below a folder, in the order of writing."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for file in sorted(folder.rglob("events*"), key=lambda file: file.stat().st_mtime_ns):
        data = file.read_bytes()
        while data:  # a record: length (8 bytes), its CRC (4), the event, its CRC (4)
            size = int.from_bytes(data[:8], "little")
            found.append(Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return found


def test_the_same_config_goes_on_and_another_is_refused(tmp_path):
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        assert not run.resumed
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        assert run.resumed and run.load_config(Config) == Config()
    other = Config(seed=1, league=League(learning_rate=0.5))
    with pytest.raises(UserError) as refusal:
        RunFolder.create_or_resume("a", other, root=tmp_path)
    assert "--seed was 0 and is now 1, --league.learning-rate was 0.001 and is now 0.5" in str(refusal.value)
    assert "--name" in str(refusal.value)
    assert RunFolder.open(tmp_path / "a").load_config(Config) == Config()


def test_settings_that_may_change_are_saved(tmp_path):
    RunFolder.create_or_resume("a", Config(), root=tmp_path).close()
    longer = Config(league=League(steps=20))
    RunFolder.create_or_resume("a", longer, root=tmp_path, may_change=["league.steps"]).close()
    assert RunFolder.open(tmp_path / "a").load_config(Config) == longer
    with pytest.raises(UserError, match="seed"):
        RunFolder.create_or_resume("a", Config(seed=1), root=tmp_path, may_change=["league"])


def test_no_run(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        RunFolder.open(tmp_path / "none")
    with pytest.raises(UserError, match="is not a run folder: no config.json in it"):
        RunFolder.open(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    with pytest.raises(UserError, match="no config.json"):
        RunFolder.create_or_resume("photos", Config(), root=tmp_path)
    for name in ("", "../up", "a/b", ".hidden", "-x"):
        with pytest.raises(UserError, match="run name"):
            RunFolder.create_or_resume(name, Config(), root=tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}', '{"format":1,"asterism":"1","config":[]}'])
def test_a_corrupt_config_is_named(tmp_path, content):
    RunFolder.create_or_resume("a", Config(), root=tmp_path).close()
    (tmp_path / "a" / "config.json").write_text(content)
    with pytest.raises(UserError, match="config.json is corrupt"):
        RunFolder.open(tmp_path / "a")
    with pytest.raises(UserError, match="config.json is corrupt"):
        RunFolder.create_or_resume("a", Config(), root=tmp_path)


def test_another_format_names_the_version_that_wrote_it(tmp_path):
    RunFolder.create_or_resume("a", Config(), root=tmp_path).close()
    path = tmp_path / "a" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99, "asterism": "7.0"}))
    with pytest.raises(UserError, match="format 99, written by asterism 7.0"):
        RunFolder.open(tmp_path / "a")


def test_one_process_at_a_time(tmp_path):
    with RunFolder.create_or_resume("a", Config(), root=tmp_path):
        with pytest.raises(UserError, match=f"in use by process {os.getpid()}"):
            RunFolder.create_or_resume("a", Config(), root=tmp_path)
        RunFolder.open(tmp_path / "a")
    RunFolder.create_or_resume("a", Config(), root=tmp_path).close()


def test_a_refused_config_frees_the_lock(tmp_path):
    RunFolder.create_or_resume("a", Config(), root=tmp_path).close()
    with pytest.raises(UserError):
        RunFolder.create_or_resume("a", Config(seed=5), root=tmp_path)
    RunFolder.create_or_resume("a", Config(), root=tmp_path).close()


def test_resuming_from_a_checkpoint_writes_no_step_twice(tmp_path):
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        for step in range(10):
            run.log("supervised", step, {"loss/units": 10.0 - step})
        for step in range(6):
            run.log("league", step, {"loss/units": step})
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        run.truncate_after("league", 2)
        for step in range(3, 8):
            run.log("league", step, {"loss/units": 100 + step})
    series = RunFolder.open(tmp_path / "a").series()
    assert series["supervised"]["loss/units"] == (list(range(10)), [10.0 - step for step in range(10)])
    assert series["league"]["loss/units"] == (list(range(8)), [0, 1, 2, 103, 104, 105, 106, 107])


def test_tensorboard_has_each_scalar_once(tmp_path):
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        for step in range(3):
            run.log("league", step, {"loss": step, "rate": 2.0})
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        run.truncate_after("league", 1)
        run.log("league", 2, {"loss": 7})
    kept = {}  # as TensorBoard reads it: a session's start forgets what was at or after its step
    for event in events(tmp_path / "a" / "tensorboard" / "league"):
        if event.HasField("session_log"):
            kept = {key: value for key, value in kept.items() if key[1] < event.step}
        for value in event.summary.value:
            assert (value.tag, event.step) not in kept
            kept[value.tag, event.step] = value.simple_value
    expected = {("loss", 0): 0, ("loss", 1): 1, ("loss", 2): 7, ("rate", 0): 2, ("rate", 1): 2}
    assert kept == expected


def test_numbers_that_are_none_stay_json(tmp_path):
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        run.log("s", 0, {"nan": math.nan, "inf": math.inf, "one": 1})
        line = json.loads(run.metrics_path.read_text(), parse_constant=lambda name: pytest.fail(name))
    assert line["scalars"] == {"nan": None, "inf": None, "one": 1}
    assert math.isnan(run.series()["s"]["nan"][1][0])


def test_a_torn_last_line_is_dropped_and_a_corrupt_one_named(tmp_path):
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        run.log("s", 0, {"x": 1})
    with open(run.metrics_path, "a") as file:
        file.write('{"stage": "s", "ste')
    assert RunFolder.open(run.path).series() == {"s": {"x": ([0], [1.0])}}
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        run.log("s", 1, {"x": 2})
    assert run.series() == {"s": {"x": ([0, 1], [1.0, 2.0])}}
    run.metrics_path.write_text('not json\n{"stage": "s", "step": 1, "time": 0, "scalars": {}}\n')
    with pytest.raises(UserError, match="metrics.jsonl: line 1 is corrupt"):
        run.series()


def test_reading_only(tmp_path):
    RunFolder.create_or_resume("a", Config(), root=tmp_path).close()
    with pytest.raises(ValueError, match="reading only"):
        RunFolder.open(tmp_path / "a").log("s", 0, {"x": 1})


WRITER = """
    import sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from test_run_folder import Config, RunFolder
    run = RunFolder.create_or_resume("a", Config(), root=Path({root!r}))
    for step in range(10**9):
        run.log("s", step, {{"x": step}})
        print(step, flush=True)
"""


def test_kill_9_loses_no_line_and_frees_the_lock(tmp_path):
    code = textwrap.dedent(WRITER).format(tests=str(Path(__file__).parent), root=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) >= 20:
            break
    with pytest.raises(UserError, match=f"process {process.pid}"):
        RunFolder.create_or_resume("a", Config(), root=tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    told = 20 + process.stdout.read().count("\n")
    with RunFolder.create_or_resume("a", Config(), root=tmp_path) as run:
        steps, values = run.series()["s"]["x"]
        assert steps == list(range(len(steps))) == values
        assert len(steps) - 1 in (told, told + 1)


def test_a_full_disk_is_one_line_and_harms_nothing(tiny_disk):
    run = RunFolder.create_or_resume("a", Config(), root=tiny_disk)
    with pytest.raises(
        UserError, match="disk full while writing .*metrics.jsonl|disk full while writing .*tensorboard"
    ):
        for step in range(10**6):
            run.log("s", step, {f"name {i}": i for i in range(200)})
    run.close()
    gc.collect()
    (tiny_disk / "a" / "tensorboard").rename(tiny_disk / "gone")
    for file in (tiny_disk / "gone").rglob("events*"):
        file.unlink()
    with RunFolder.create_or_resume("a", Config(), root=tiny_disk) as run:
        steps, _ = run.series()["s"]["name 7"]
        assert steps == list(range(len(steps))) and len(steps) > 3
        run.log("s", len(steps), {"name 7": 0})
