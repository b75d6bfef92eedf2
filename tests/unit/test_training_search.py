"""Search: what is gone through, that it can be interrupted, what is refused before it begins."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
optuna = pytest.importorskip("optuna")

from snellen.errors import InputError, MissingExtraError, SchemaError  # noqa: E402
from snellen.training import search as module  # noqa: E402
from snellen.training.description import Description, read_description  # noqa: E402
from snellen.training.description_toml import toml_of  # noqa: E402
from snellen.training.search import LogRange, Range, SearchResult, search  # noqa: E402
from snellen.training.search_space import Space, over_of  # noqa: E402
from snellen.training.training import train  # noqa: E402

BASE = {"data": "digits", "network": {"name": "fc", "hidden": [16]}, "epochs": 2, "batch_size": 128}
OVER = {"learning_rate": LogRange(1e-4, 1e-1), "network.hidden.0": Range(8, 32)}


def told(result: SearchResult) -> list[Any]:
    """Return all that is the same whenever it is done."""
    return [dataclasses.replace(trial, seconds=0) for trial in result.trials]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    return search(BASE, OVER, n_trials=9, out=tmp_path_factory.mktemp("search") / "whole")


class TestSpace:
    def test_a_command_line(self) -> None:
        assert over_of("learning_rate=1e-4..1e-1:log") == ("learning_rate", LogRange(1e-4, 1e-1))
        assert over_of("clip_norm=.5..2") == ("clip_norm", Range(0.5, 2))
        assert over_of("batch_size=64, 128") == ("batch_size", [64, 128])
        assert over_of("optimizer=sgd,{name = 'adam', betas = [0.9, 0.99]}") == (
            "optimizer",
            ["sgd", {"name": "adam", "betas": [0.9, 0.99]}],
        )
        assert over_of("data='a,b','../c'") == ("data", ["a,b", "../c"])

    def test_whole_numbers_where_both_ends_are(self) -> None:
        assert Range(32, 128).is_whole
        assert not Range(32, 128.0).is_whole
        (rate,) = Space({"learning_rate": Range(1, 2)}).parameters
        assert rate.range == Range(1.0, 2.0)
        assert not rate.range.is_whole

    @pytest.mark.parametrize("over", [OVER, {"batch_size": [64, 128], "ema": [None, 0.99]}])
    def test_plain_values_make_it_again(self, over: dict[str, Any]) -> None:
        space = Space(over)
        assert Space(json.loads(json.dumps(space.plain()))).parameters == space.parameters

    def test_places(self) -> None:
        content = {
            "network": [{"name": "conv", "out": 8}, "relu", "flatten", "linear"],
            "schedule": ["one_cycle"],
            "optimizer": {"name": "adam", "betas": [0.9, 0.99]},
        }
        values = {
            "optimizer.momentum": 0.9,
            "optimizer": "sgd",
            "network.0.out": 16,
            "network.1.inplace": True,
            "schedule.peak": 0.2,
        }
        assert Space({"seed": [1, 2]}).placed(content, values) == {
            "network": [
                {"name": "conv", "out": 16},
                {"name": "relu", "inplace": True},
                "flatten",
                "linear",
            ],
            "schedule": [{"name": "one_cycle", "peak": 0.2}],
            "optimizer": {"name": "sgd", "momentum": 0.9},
        }
        assert content["network"][0] == {"name": "conv", "out": 8}

    def test_a_list_that_the_description_has_not(self) -> None:
        placed = Space({"seed": [1, 2]}).placed(
            {"network": "fc"}, {"network.hidden.0": 32, "network.hidden.1": 16}
        )
        assert placed == {"network": {"name": "fc", "hidden": [32, 16]}}

    def test_corners_hold_each_end_and_each_value(self) -> None:
        assert Space({"epochs": Range(1, 3), "batch_size": [64, 128, 256]}).corners() == [
            {"epochs": 1, "batch_size": 64},
            {"epochs": 3, "batch_size": 64},
            {"epochs": 1, "batch_size": 128},
            {"epochs": 1, "batch_size": 256},
        ]


class TestToml:
    @pytest.mark.parametrize(
        "content",
        [
            {"data": "digits"},
            {
                "data": {"name": 'a "b"\\\n\x7f\x01ä', "x-y": 1, "a b": {"c": [True, 1e-5]}},
                "network": [{"name": "conv", "out": 8, "padding": "same"}] * 9 + ["linear"],
                "schedule": ["warm_up", {"name": "step", "every": 3}],
                "class_weights": [1.0, 2.5],
                "learning_rate": 1e-07,
                "ema": 0.999,
                "compile": "auto",
                "rewrites": False,
            },
        ],
    )
    def test_is_read_as_what_was_written(self, content: dict[str, Any], tmp_path: Path) -> None:
        description = Description.of(content)
        path = tmp_path / "written.toml"
        path.write_text(toml_of(description), encoding="utf-8")
        assert read_description(path).plain() == description.plain()


class TestSearch:
    def test_values_are_in_their_ranges(self, whole: SearchResult) -> None:
        assert [trial.number for trial in whole.trials] == list(range(1, 10))
        for trial in whole.trials:
            assert 1e-4 <= trial.parameters["learning_rate"] <= 1e-1
            assert trial.parameters["network.hidden.0"] in range(8, 33)
        assert len({trial.parameters["learning_rate"] for trial in whole.trials}) == 9

    def test_the_best_is_the_highest_of_those_done(self, whole: SearchResult) -> None:
        done = [trial for trial in whole.trials if trial.outcome == "done"]
        assert whole.best_trial.value == max(trial.value for trial in done if trial.value)
        assert whole.best.learning_rate == whole.best_trial.parameters["learning_rate"]
        assert whole.best.plain()["network"] == {
            "name": "fc",
            "hidden": [whole.best_trial.parameters["network.hidden.0"]],
        }
        assert whole.monitor == "accuracy"

    def test_the_written_description_trains_to_the_same_number(self, whole: SearchResult) -> None:
        best = read_description(Path(whole.folder or "", "best.toml"))
        assert best.plain() == whole.best.plain()
        run = train(best, test=False)
        assert run.metrics["accuracy"] == whole.best_trial.value

    def test_a_trial_worse_than_the_median_is_pruned(self, whole: SearchResult) -> None:
        """Recomputed from the journal: the rule is the median of finished trials at the epoch."""
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(Path(whole.folder or "", "journal.log")))
        )
        (study,) = storage.get_all_studies()
        trials = storage.get_all_trials(study._study_id)
        done: list[float] = []
        pruned = 0
        for trial, said in zip(trials, whole.trials, strict=True):
            first = trial.intermediate_values[1]
            is_worse = len(done) >= 5 and first < float(torch.tensor(done).quantile(0.5))
            assert (said.outcome == "pruned") == is_worse
            assert said.epochs == (1 if is_worse else 2)
            pruned += is_worse
            if said.outcome == "done":
                done.append(first)
        assert 0 < pruned < len(trials) - 5

    def test_without_pruning_all_are_done(self) -> None:
        over = {"learning_rate": [1e-1, 1e-6, 1e-7, 1e-8]}
        result = search({**BASE, "epochs": 1}, over, n_trials=7, prune=False)
        assert {trial.outcome for trial in result.trials} == {"done"}

    def test_the_same_values_are_not_trained_again(self) -> None:
        result = search({**BASE, "epochs": 1}, {"batch_size": [64, 128]}, n_trials=6)
        numbers: dict[int, set[float | None]] = {64: set(), 128: set()}
        for trial in result.trials:
            numbers[trial.parameters["batch_size"]].add(trial.value)
        assert [len(values) for values in numbers.values()] == [1, 1]
        assert [trial.seconds for trial in result.trials].count(0) == 4
        assert sum("as trial" in trial.reason for trial in result.trials) == 4

    def test_a_loss_is_to_be_small(self) -> None:
        result = search({**BASE, "monitor": "loss"}, {"learning_rate": [1e-6, 1e-2]}, n_trials=4)
        assert result.monitor == "loss"
        assert result.best.learning_rate == 1e-2
        assert result.best_trial.value == min(trial.value or 9 for trial in result.trials)

    def test_the_test_part_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = []

        def trained(*arguments: Any, data: Any, test: bool, **options: Any) -> Any:
            seen.append((data.test, test))
            return train(*arguments, data=data, test=test, **options)

        monkeypatch.setattr(module, "train", trained)
        search({**BASE, "epochs": 1}, {"learning_rate": [1e-3, 1e-2]}, n_trials=1)
        assert seen == [(None, False)]

    def test_what_diverges_is_no_end(self) -> None:
        result = search(
            {**BASE, "optimizer": "sgd", "epochs": 1}, {"learning_rate": [1e-2, 1e30]}, n_trials=4
        )
        outcomes = {trial.parameters["learning_rate"]: trial for trial in result.trials}
        assert outcomes[1e30].outcome == "diverged"
        assert "expected finite numbers" in outcomes[1e30].reason
        assert result.best.learning_rate == 1e-2

    def test_nothing_done(self) -> None:
        over = {"learning_rate": [1e29, 1e30]}
        with pytest.raises(InputError, match="got none of 1; the last one: expected finite"):
            search({**BASE, "optimizer": "sgd", "epochs": 1}, over, n_trials=1)

    def test_options_of_data(self) -> None:
        with pytest.raises(InputError, match="the same validation part") as caught:
            search(BASE, {"data.validation": [0.1, 0.2]}, n_trials=1)
        assert caught.value.place == "over"
        # So little more that no sample changes its part.
        result = search({**BASE, "epochs": 1}, {"data.test": [0.2, 0.2 + 1e-9]}, n_trials=3)
        assert {trial.value for trial in result.trials} == {result.best_trial.value}

    def test_objects_as_data(self) -> None:
        inputs = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
        targets = (inputs[:, 0] > 0).long()
        data = {"train": (inputs[:40], targets[:40]), "validation": (inputs[40:], targets[40:])}
        base = {"data": "objects", "network": "fc", "epochs": 1, "batch_size": 10}
        result = search(base, {"learning_rate": [1e-5, 1e-2]}, n_trials=2, data=data)
        assert len(result.trials) == 2
        with pytest.raises(InputError, match="by name"):
            search(base, {"data.validation": [0.1, 0.2]}, n_trials=1, data=data)

    def test_says_it(self, whole: SearchResult) -> None:
        lines = str(whole).splitlines()
        assert lines[0].split() == [
            "trial",
            "learning_rate",
            "network.hidden.0",
            "val_accuracy",
            "epochs",
            "seconds",
            "outcome",
        ]
        assert len(lines) == 10
        assert lines[whole.best_trial.number].endswith("best")
        plain = json.loads(json.dumps(whole.to_dict()))
        assert plain["schema"] == "snellen.search/1"
        assert plain["best_trial"] == whole.best_trial.number
        assert len(plain["trials"]) == 9
        assert json.loads(Path(whole.folder or "", "trials.json").read_text()) == plain


class TestResume:
    @pytest.mark.parametrize("begun", [1, 4, 8])
    def test_goes_on_as_if_nothing_had_been(
        self, whole: SearchResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: int
    ) -> None:
        """Interrupted within an epoch's end of a trial, its number reported but not decided on."""
        report = optuna.trial.Trial.report

        def interrupted(trial: Any, value: float, step: int) -> None:
            report(trial, value, step)
            if trial.number == begun:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(optuna.trial.Trial, "report", interrupted)
            with pytest.raises(KeyboardInterrupt):
                search(BASE, OVER, n_trials=9, out=tmp_path)
        # The last line of a process that was killed while it wrote.
        with (tmp_path / "journal.log").open("ab") as file:
            file.write(b'{"op_code":6,"work')
        (tmp_path / "journal.log.lock").touch()
        again = search(BASE, OVER, n_trials=9, out=tmp_path, resume=True)
        assert told(again) == told(whole)

    def test_killed_before_all_values_were_chosen(
        self, whole: SearchResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        suggest = optuna.trial.Trial.suggest_int

        def interrupted(trial: Any, *arguments: Any, **options: Any) -> int:
            if trial.number == 1:
                raise KeyboardInterrupt
            return int(suggest(trial, *arguments, **options))

        with monkeypatch.context() as patched:
            patched.setattr(optuna.trial.Trial, "suggest_int", interrupted)
            with pytest.raises(KeyboardInterrupt):
                search(BASE, OVER, n_trials=3, out=tmp_path)
        again = search(BASE, OVER, n_trials=3, out=tmp_path, resume=True)
        assert told(again) == told(whole)[:3]

    def test_beyond_its_end(self, whole: SearchResult, tmp_path: Path) -> None:
        search(BASE, OVER, n_trials=2, out=tmp_path)
        seen: list[int] = []
        longer = search(
            BASE,
            OVER,
            n_trials=4,
            out=tmp_path,
            resume=True,
            told=lambda trial: seen.append(trial.number),
        )
        assert told(longer) == told(whole)[:4]
        assert seen == [3, 4]

    @pytest.mark.parametrize(
        ("base", "over", "words"),
        [
            ({"batch_size": 64}, OVER, "batch_size was 128, is 64"),
            ({"data": {"name": "digits", "test": 0.3}}, OVER, "data was"),
            ({}, {**OVER, "learning_rate": LogRange(1e-3, 1e-1)}, "over learning_rate was"),
            ({}, {"learning_rate": LogRange(1e-4, 1e-1)}, "over network.hidden.0 was"),
            ({}, {**OVER, "epochs": [1, 2]}, r"over epochs was null, is \[1,2\]"),
        ],
    )
    def test_another_plan(
        self, whole: SearchResult, base: dict[str, Any], over: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(InputError, match=words):
            search({**BASE, **base}, over, n_trials=9, out=whole.folder, resume=True)

    def test_another_pruning(self, whole: SearchResult) -> None:
        with pytest.raises(InputError, match="prune was true, is false"):
            search(BASE, OVER, n_trials=9, out=whole.folder, resume=True, prune=False)

    def test_folders(self, whole: SearchResult, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="there is one: resume it"):
            search(BASE, OVER, out=whole.folder)
        with pytest.raises(InputError, match="there is none"):
            search(BASE, OVER, out=tmp_path / "nothing", resume=True)
        with pytest.raises(InputError, match="got none"):
            search(BASE, OVER, resume=True)
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="got a file"):
            search(BASE, OVER, out=tmp_path / "file")

    def test_a_broken_journal(self, tmp_path: Path) -> None:
        search({**BASE, "epochs": 1}, OVER, n_trials=1, out=tmp_path)
        (tmp_path / "journal.log").write_text("nonsense\nnonsense\n")
        with pytest.raises(SchemaError, match="expected the journal of a search"):
            search({**BASE, "epochs": 1}, OVER, n_trials=1, out=tmp_path, resume=True)


class TestRefusals:
    @pytest.mark.parametrize(
        ("over", "words"),
        [
            ({}, "what to search over"),
            ({"learnin_rate": Range(1, 2)}, 'got "learnin_rate". Did you mean "learning_rate"?'),
            ({"network.hiden": [[1], [2]]}, 'got "hiden". Did you mean "hidden"?'),
            ({"network.hidden.2": [1, 2]}, 'from 0 to 1, got "2"'),
            ({"optimizer": ["adam", "adan"]}, 'got "adan". Did you mean "adam"?'),
            ({"batch_size": ["many", 64]}, "expected `int`, got `str`: 'many'"),
            ({"batch_size": Range(1.5, 64)}, "expected `int`, got `float`"),
            ({"batch_size": Range(64, 100_000)}, "expected a batch size of at most"),
            ({"network.dropout": Range(0.0, 1.5)}, "1.5"),
            ({"learning_rate": Range(-1, 1)}, "a number above 0, got -1.0"),
            ({"learning_rate": "1e-1..1e-4"}, "low end is below its high one, got 0.1..0.0001"),
            ({"learning_rate": "0..1:log"}, "a logarithmic range above 0, got 0..1"),
            ({"learning_rate": "0.1"}, "LOW..HIGH, LOW..HIGH:log or at least two values"),
            ({"learning_rate": [0.1]}, "at least two values, got 0.1"),
            ({"learning_rate": [0.1, 0.1]}, "got 0.1 twice"),
            ({"learning_rate": [0.1, float("nan")]}, "expected finite numbers, got nan"),
            ({"learning_rate": 0.1}, "a range or a list of values, got 0.1"),
            ({"learning_rate": [0.1, object()]}, "expected plain values"),
            ({"network.dropout": [None, 0.1]}, "got None"),
            ({"seed.x": [1, 2]}, "expected seed to be chosen by name"),
            ({"seed": [1, 2]}, "expected the same validation part"),
            ({"monitor": ["loss", "accuracy"]}, "can be compared with each other, got monitor"),
            ({"optimizer": ["sgd", "adam"], "optimizer.momentum": Range(0.1, 0.9)}, "momentum"),
        ],
    )
    def test_before_anything_is_trained(
        self,
        over: dict[str, Any],
        words: str,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.delattr(module, "train")
        with pytest.raises(InputError) as caught:
            search(BASE, over, n_trials=2, out=tmp_path / "out")
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "out").exists()

    def test_ranges(self) -> None:
        with pytest.raises(SchemaError, match="numbers, got True"):
            Range(0, True)
        with pytest.raises(InputError, match="finite numbers, got inf"):
            Range(0, float("inf"))
        with pytest.raises(InputError, match="expected KEY=LOW"):
            over_of("learning_rate")
        with pytest.raises(InputError, match="at least two values"):
            over_of("batch_size=64,")

    def test_descriptions(self) -> None:
        with pytest.raises(InputError, match="a number of trials from 1, got 0"):
            search(BASE, OVER, n_trials=0)
        with pytest.raises(InputError, match="without n_folds"):
            search({**BASE, "n_folds": 2}, OVER)
        with pytest.raises(InputError, match="without devices"):
            search({**BASE, "devices": 2}, OVER)
        with pytest.raises(InputError, match="expected a validation part"):
            search({**BASE, "data": {"name": "digits", "validation": 0}}, OVER)
        with pytest.raises(InputError, match="not the loss"):
            search({**BASE, "monitor": "loss"}, {"loss.label_smoothing": Range(0.0, 0.2)})

    def test_without_optuna(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "optuna", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'snellen\[search\]'"):
            search(BASE, OVER)


def test_optuna_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    search({**BASE, "epochs": 1}, OVER, n_trials=1)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before
