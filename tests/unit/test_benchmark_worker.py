"""A network in a process of its own: what comes back, and what happens when it ends."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snellen.benchmark.worker import Worker
from snellen.errors import DataWarning, InputError, MissingExtraError, ShapeError

N, K = 30, 3

# The package of somebody else that brings models of its own, by an entry point.
PACKAGE = """
import os, sys, time, warnings
import numpy as np
from snellen.benchmark.model import Facts
from snellen.benchmark.preprocessing import Preprocessing
from snellen.errors import DataWarning, MissingExtraError, ShapeError

class Mean:
    preprocessing = Preprocessing(4, 4, scale=1 / 255, mean=(0.5,), std=(0.25, 0.5, 0.75))
    classes = ("a", "b", "c")
    scores = "logits"

    def __init__(self, kind, options):
        self.kind = kind
        self.n_calls = 0
        self.facts = Facts(
            "cpu", "float32", options.threads, {"numpy": np.__version__}, kind,
            parameters=5, runtime="NumPy", notes=("made here",),
        )

    def resident(self, batch):
        return batch

    def run(self, batch):
        self.n_calls += 1
        if self.kind == "stalls":  # longer than the pause between messages of progress
            time.sleep(60 if self.n_calls == 7 else 0.15)
        if self.kind == "slow":
            time.sleep(0.1)
        return batch.mean(axis=(2, 3))

    predict = run

    def close(self):
        if self.kind == "closing":
            print("closed in order", file=sys.stderr, flush=True)
        if self.kind == "hanging":
            time.sleep(60)

class Odd(Mean):
    classes = (np.bytes_(b"a"), object(), 3)

def load(name, options):
    if name == "shape":
        raise ShapeError("expected another shape", "layer 1")
    if name == "missing":
        raise MissingExtraError("onnxruntime", "onnx")
    if name == "gone":
        open("/no/such/file")
    if name == "wrong":
        return 1 / 0
    if name == "memory":
        raise MemoryError
    if name == "speechless":
        class Speechless(Exception):
            def __str__(self):
                raise ZeroDivisionError
        raise Speechless(object())
    if name == "surrogate":
        raise ValueError("file \\udcff")
    if name == "surrogate gone":
        open(b"/no/such/\\xff")
    if name == "dies":
        os._exit(7)
    if name == "shouts":
        print("\\0garbage" * 10_000, flush=True)
        os.write(1, b"\\xff" * 1000)
    if name == "warns":
        warnings.warn("3 things are left out", DataWarning)
        warnings.warn("nobody's business", UserWarning)
    if name == "where":
        import beside
    return (Odd if name == "odd" else Mean)(name, options)
"""

# A process that starts a worker which works, and leaves its pipe to a process of its own.
PARENT = """
import os, sys, time
from snellen.benchmark.worker import Worker
worker = Worker("theirs:slow", {"data": sys.argv[1]})
worker.load()
worker._channel.send({"do": "end_to_end", "with": {"seconds": 60.0}})
heir = os.fork()
if not heir:
    os.close(1)
    time.sleep(60)
print(worker.pid, heir, flush=True)
time.sleep(60)
"""


@pytest.fixture
def images(tmp_path: Path) -> dict[str, object]:
    random = np.random.default_rng(4)
    for k in range(N):
        folder = tmp_path / "images" / "abc"[k % K]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (4, 4, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:02d}.png")
    return {"data": str(tmp_path / "images")}


@pytest.fixture
def worker(
    tmp_path: Path, images: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Worker]]:
    """Return what starts a worker for a model of another package; all of them end."""
    package = tmp_path / "site"
    package.mkdir()
    (package / "their_models.py").write_text(textwrap.dedent(PACKAGE))
    info = package / "their_models-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[snellen.models]\ntheirs = their_models:load\n")
    monkeypatch.syspath_prepend(str(package))
    with contextlib.ExitStack() as stack:

        def start(kind: str, **options: object) -> Worker:
            made = Worker(f"theirs:{kind}", **{"images": images, **options})  # type: ignore[arg-type]
            return stack.enter_context(made)

        yield start


def n_files() -> int:
    """Return how many files this process has open; where nobody knows, always the same."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def is_gone(pid: int) -> bool:
    """Return whether there is no such process: neither alive nor a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def has_ended(pid: int) -> bool:
    """Return whether a process that is nobody's here has ended, though it may be a zombie."""
    status = Path(f"/proc/{pid}/stat")
    return is_gone(pid) or (
        status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
    )


def test_all_is_measured_elsewhere(worker: Callable[..., Worker], tmp_path: Path) -> None:
    here = worker("plain", name="mine", threads=2, batch_size=8)
    loaded = here.load()
    assert loaded.facts.digest == "plain"
    assert loaded.facts.threads == 2
    assert loaded.facts.notes == ("made here",)
    assert loaded.preprocessing.std == (0.25, 0.5, 0.75)
    assert (loaded.classes, loaded.scores, loaded.n_outputs) == (["a", "b", "c"], "logits", K)
    told: list[tuple[int, int]] = []
    summary, store = here.predict(tmp_path / "kept", lambda *done: told.append(done))
    assert (summary.n_predicted, summary.n_stored) == (N, 0)
    assert told[-1] == (N, N)
    found = store.read()
    assert found.rows.tolist() == list(range(N))
    first = np.asarray(Image.open(tmp_path / "images/a/00.png")).mean(axis=(0, 1)) / 255
    np.testing.assert_allclose(found.scores[0], (first - 0.5) / (0.25, 0.5, 0.75), atol=1e-6)
    assert here.latency(0.05, 20).n >= 20
    assert here.throughput(16, 0.05).batch_size == 16
    assert here.end_to_end(0.05).n >= 16
    memory = here.memory()
    assert memory.host_peak >= memory.host_loaded > 0
    again = worker("plain", threads=2, batch_size=8)
    assert again.load().images_digest == loaded.images_digest
    assert again.predict(tmp_path / "kept")[0].n_stored == N


def test_memory_is_not_that_of_the_parent(worker: Callable[..., Worker]) -> None:
    kept = np.ones(300 << 20, np.uint8)
    here = worker("plain")
    here.load()
    assert here.memory().host_peak < len(kept)


def test_errors_come_back_as_they_were(worker: Callable[..., Worker]) -> None:
    with pytest.raises(ShapeError, match=r"^expected another shape - at layer 1$") as caught:
        worker("shape").load()
    assert type(caught.value) is ShapeError
    with pytest.raises(MissingExtraError, match=r"snellen\[onnx\]"):
        worker("missing").load()
    with pytest.raises(FileNotFoundError) as gone:
        worker("gone").load()
    assert gone.value.filename == "/no/such/file"


def test_what_nobody_thought_of_is_said_in_a_line(
    worker: Callable[..., Worker],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    expected = r"^expected the model to run, got ZeroDivisionError: .*DEBUG.* - at theirs:wrong$"
    with pytest.raises(InputError, match=expected):
        worker("wrong").load()
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("SNELLEN_DEBUG", "1")
    with pytest.raises(InputError, match=expected):
        worker("wrong").load()
    assert "return 1 / 0" in capfd.readouterr().err
    with pytest.raises(InputError, match="enough memory"):
        worker("memory").load()


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("speechless", InputError, "got Speechless: a Speechless that cannot be shown"),
        ("surrogate", InputError, r"got ValueError: file \\udcff"),
        ("surrogate gone", FileNotFoundError, r"\\\\udcff"),
        ("odd", InputError, "got TypeError: "),
    ],
)
def test_what_cannot_be_sent_is_described(
    worker: Callable[..., Worker], kind: str, error: type[Exception], said: str
) -> None:
    here = worker(kind)
    with pytest.raises(error, match=said):
        here.load()
    with contextlib.suppress(InputError):
        here.memory()
    assert not is_gone(here.pid)


def test_names_that_are_no_text_are_refused_here(worker: Callable[..., Worker]) -> None:
    with pytest.raises(InputError, match=r"written in UTF-8, got .*\\udcff: rename it"):
        worker("x\udcff").load()


def test_a_system_without_pipes_to_share_is_named(
    worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        with pytest.raises(InputError, match="expected Linux or macOS"):
            worker("plain")


def test_an_error_is_not_the_end(worker: Callable[..., Worker], tmp_path: Path) -> None:
    here = worker("plain")
    here.load()
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        here.predict(tmp_path / "file")
    assert here.predict(tmp_path / "kept")[0].n_predicted == N


def test_a_process_that_ends_is_named(worker: Callable[..., Worker]) -> None:
    here = worker("dies", name="net")
    with pytest.raises(InputError, match=r"ended with code 7 - at net$"):
        here.load()
    with pytest.raises(InputError, match=r"ended with code 7 - at net$"):
        here.memory()


def test_a_process_that_is_killed_is_named_and_what_it_wrote_is_kept(
    worker: Callable[..., Worker], tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1600, 4, 4, 3)).astype(np.uint8)
    (tmp_path / "many" / "a").mkdir(parents=True)
    for k, each in enumerate(pixels):
        Image.fromarray(each).save(tmp_path / "many" / "a" / f"{k:04d}.png")
    options = {"images": {"data": str(tmp_path / "many")}, "batch_size": 512, "name": "net"}
    here = worker("stalls", **options)
    here.load()

    # Calls: one black image, the first batch, again, its first image, two batches, the last one.
    def killed(done: int, _: int) -> None:
        if done > 1024:  # the first chunk
            os.kill(here.pid, signal.SIGKILL)

    with pytest.raises(InputError, match=r"ended by signal 9 \(is the memory .*\) - at net$"):
        here.predict(tmp_path / "kept", killed)
    assert is_gone(here.pid)
    again = worker("stalls", **options)
    again.load()
    summary, store = again.predict(tmp_path / "kept")
    assert (summary.n_stored, summary.n_predicted) == (1024, 576)
    expected = (pixels.mean(axis=(1, 2)) / 255 - 0.5) / (0.25, 0.5, 0.75)
    np.testing.assert_allclose(store.read().scores, expected, atol=1e-6)


def test_what_a_model_prints_does_no_harm(
    worker: Callable[..., Worker], capfd: pytest.CaptureFixture[str]
) -> None:
    assert worker("shouts").load().n_outputs == K
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("garbage") == 10_000


def test_warnings_about_data_come_back(
    worker: Callable[..., Worker], capfd: pytest.CaptureFixture[str]
) -> None:
    here = worker("warns")
    with pytest.warns(DataWarning, match="3 things are left out") as caught:
        here.load()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "nobody's business" in capfd.readouterr().err


def test_modules_of_the_folder_and_path_are_found(
    worker: Callable[..., Worker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "beside.py").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    assert worker("where").load().n_outputs == K


def test_an_interruption_ends_the_process_at_once(
    worker: Callable[..., Worker], tmp_path: Path
) -> None:
    here = worker("slow", batch_size=1)
    here.load()
    pid = here.pid

    def interrupted(*_: int) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), here:
        here.predict(tmp_path / "kept", interrupted)
    assert time.monotonic() - start < 5
    assert is_gone(pid)


def test_ctrl_c_is_for_the_parent(worker: Callable[..., Worker]) -> None:
    here = worker("plain")
    here.load()
    os.kill(here.pid, signal.SIGINT)
    assert os.getsid(here.pid) != os.getsid(0)  # no signal of the terminal reaches it
    assert here.memory().host_peak > 0


def test_after_an_interruption_no_answer_is_taken_for_another(
    worker: Callable[..., Worker], tmp_path: Path
) -> None:
    here = worker("slow", batch_size=1)
    here.load()

    def fail(*_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        here.predict(tmp_path / "kept", fail)
    with pytest.raises(InputError, match="ended"):
        here.memory()


def test_a_process_ends_with_its_parent(worker: Callable[..., Worker]) -> None:
    here = worker("slow")
    here.load()
    here._channel.send({"do": "end_to_end", "with": {"seconds": 60.0}})
    time.sleep(0.3)  # it works, and looks at no pipe
    start = time.monotonic()
    here._channel.close()  # as when the parent is killed
    here._process.wait()
    assert time.monotonic() - start < 5


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_ends_with_a_parent_that_is_killed(
    worker: Callable[..., Worker], images: dict[str, object]
) -> None:
    del worker  # but its package is there
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(images["data"])],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid, heir = map(int, parent.stdout.readline().split())
        try:
            assert not has_ended(pid)
            parent.kill()
            parent.wait()
            start = time.monotonic()
            while not has_ended(pid) and time.monotonic() - start < 10:
                time.sleep(0.05)
            assert has_ended(pid)
            assert not has_ended(heir)
        finally:
            os.kill(heir, signal.SIGKILL)


def test_models_are_closed_in_order(
    worker: Callable[..., Worker], capfd: pytest.CaptureFixture[str]
) -> None:
    here = worker("closing")
    here.load()
    here.close()
    here.close()
    assert "closed in order" in capfd.readouterr().err


def test_what_does_not_end_is_ended(
    worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snellen.benchmark.worker._PATIENCE", 0.5)
    here = worker("hanging")
    here.load()
    here.close()
    assert is_gone(here.pid)


def test_no_files_stay_open(worker: Callable[..., Worker]) -> None:
    gc.collect()
    before = n_files()
    for kind in ("plain", "dies", "shape"):
        here = worker(kind)
        with contextlib.suppress(InputError):
            here.load()
        here.close()
    assert n_files() == before


def test_what_cannot_be_started_leaves_nothing(
    worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = n_files()
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(FileNotFoundError):
        worker("plain")
    assert n_files() == before


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="of Linux")
@pytest.mark.parametrize("said", [{}, {"MALLOC_ARENA_MAX": "2"}])
def test_memory_that_is_freed_is_kept_unless_the_user_says_how(
    worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch, said: dict[str, str]
) -> None:
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUN"))]:
        monkeypatch.delenv(name)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with worker("plain") as here:
        here.load()
        lines = Path(f"/proc/{here.pid}/environ").read_bytes().split(b"\0")
    found = {line.partition(b"=")[0] for line in lines if line.startswith(b"MALLOC_")}
    kept = {b"MALLOC_MMAP_THRESHOLD_", b"MALLOC_TRIM_THRESHOLD_"}
    assert found == ({name.encode() for name in said} or kept)
