# What needs doing, from a machine with Python >= 3.10, a C++ compiler and make:
#   make demo    install into .venv, make samples, split, evaluate and compare them, train and compare networks
#   make test    the whole test suite
#   make lint    ruff, mypy, clang-format
#   make bench   speed side by side with other tools
#   make fuzz    hammer the readers (needs clang++; FUZZ_CXX=clang++-14), FUZZ_SECONDS=60
# .venv holds a marker for each step that was done; a step is done again only when what it depends
# on has changed.

PYTHON ?= python3
FUZZ_SECONDS ?= 60
FUZZ_CXX ?= clang++

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MADE := .venv/made
BUILT := .venv/built

SOURCES := CMakeLists.txt pyproject.toml LICENSE README.md \
	$(shell find core/include core/src bind src -type f -not -name '*.pyc')
CORE_TESTS := $(shell find core -type f)
CPP := $(shell find core bind -name '*.cpp' -o -name '*.hpp')

.PHONY: demo test test-core test-python lint format stubs bench fuzz clean

$(MADE): constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) scikit-build-core nanobind cmake ninja
	@touch $@

$(BUILT): $(MADE) $(SOURCES)
	$(PIP) --no-build-isolation .
	@touch $@

.venv/extra-%: $(BUILT)
	$(PIP) "snellen[$*]"
	@touch $@

demo/detection/masks.json: $(BUILT)
	$(BIN)/snellen sample detection demo/detection --masks --quiet

demo/classification/truth.csv: $(BUILT)
	$(BIN)/snellen sample classification demo/classification --quiet

demo/regression/truth.csv: $(BUILT)
	$(BIN)/snellen sample regression demo/regression --quiet

demo/segmentation/classes.json: $(BUILT)
	$(BIN)/snellen sample segmentation demo/segmentation --quiet

# The last thing that is written.
demo/tracking/truth/WALK-03/seqinfo.ini: $(BUILT)
	$(BIN)/snellen sample tracking demo/tracking --sequences 8 --frames 60 --quiet

CLASSIFICATION := demo/classification
SEGMENTATION := demo/segmentation
TRAINING := demo/training

# On Fashion-MNIST where its files are, else on scikit-learn's digits; nothing is downloaded.
# The page of a run is the last thing that is written.
$(TRAINING)/fc/index.html: EPOCHS := 2
$(TRAINING)/cnn/index.html: EPOCHS := 1
$(TRAINING)/%/index.html: examples/fashion-%.toml examples/course_data.py .venv/extra-train
	rm -rf $(@D)
	data=$$($(BIN)/python examples/course_data.py) && \
		$(BIN)/snellen train $< --data $$data --epochs $(EPOCHS) --out $(@D)

$(TRAINING)/inside-cnn.html: $(TRAINING)/cnn/index.html
	$(BIN)/snellen inspect --run $(TRAINING)/cnn --out $@ --quiet

# Three more networks, less trained, and all five as ONNX files: which one to use? Digits are too few
# and too small for it.
BENCHMARK := demo/benchmark

$(BENCHMARK)/index.html: $(TRAINING)/fc/index.html $(TRAINING)/cnn/index.html .venv/extra-onnx \
		.venv/extra-report $(wildcard examples/fashion-*.toml)
	rm -rf $(BENCHMARK)
	mkdir -p $(BENCHMARK)
	if [ $$($(BIN)/python examples/course_data.py) = fashion-mnist ]; then \
		for network in wide residual depthwise; do \
			rm -rf $(TRAINING)/$$network; \
			$(BIN)/snellen train examples/fashion-$$network.toml --epochs 1 --batch-size 64 \
				--set data.validation=0.5 --out $(TRAINING)/$$network --quiet || exit 1; \
		done; \
		for network in fc cnn wide residual depthwise; do \
			$(BIN)/snellen export $(TRAINING)/$$network $(BENCHMARK)/$$network.onnx || exit 1; \
		done; \
		$(BIN)/snellen benchmark --data fashion-mnist --rounds 2 --seconds 0.5 \
			--out $(BENCHMARK) $(BENCHMARK)/*.onnx; \
	else \
		echo "Fashion-MNIST is not here: no benchmark of five networks." | \
			tee $(BENCHMARK)/index.html; \
	fi

# Split, look for leaks, evaluate, compare, train, look inside, choose.
demo: demo/detection/masks.json $(CLASSIFICATION)/truth.csv demo/regression/truth.csv \
		$(SEGMENTATION)/classes.json demo/tracking/truth/WALK-03/seqinfo.ini \
		.venv/extra-report .venv/extra-segmentation .venv/extra-train \
		$(TRAINING)/fc/index.html $(TRAINING)/cnn/index.html $(TRAINING)/inside-cnn.html \
		$(BENCHMARK)/index.html
	$(BIN)/snellen split $(CLASSIFICATION)/images --ratios 60/20/20 --out $(CLASSIFICATION)/split.csv
	$(BIN)/snellen check --leaks $(CLASSIFICATION)/split.csv --root $(CLASSIFICATION)/images \
		--sheet $(CLASSIFICATION)/leaks.png --groups $(CLASSIFICATION)/groups.csv
	for model in a b; do \
		$(BIN)/snellen evaluate classification $(CLASSIFICATION)/truth.csv \
			$(CLASSIFICATION)/$$model.csv --group group --out $(CLASSIFICATION)/$$model || exit 1; \
	done
	$(BIN)/snellen compare $(CLASSIFICATION)/a $(CLASSIFICATION)/b
	$(BIN)/snellen evaluate regression demo/regression/truth.csv demo/regression/predictions.csv \
		--group person --out demo/regression/result
	$(BIN)/snellen evaluate detection demo/detection/truth.json demo/detection/predictions.json \
		--out demo/detection/result
	for similarity in mask boundary; do \
		$(BIN)/snellen evaluate detection demo/detection/truth.json demo/detection/masks.json \
			--similarity $$similarity --out demo/detection/$$similarity || exit 1; \
	done
	$(BIN)/snellen evaluate segmentation $(SEGMENTATION)/truth $(SEGMENTATION)/predictions \
		--classes $(SEGMENTATION)/classes.json --out $(SEGMENTATION)/result
	$(BIN)/snellen evaluate boundary $(SEGMENTATION)/truth $(SEGMENTATION)/predictions \
		--classes $(SEGMENTATION)/classes.json --out $(SEGMENTATION)/boundaries
	$(BIN)/snellen evaluate surface $(SEGMENTATION)/truth $(SEGMENTATION)/predictions \
		--classes $(SEGMENTATION)/classes.json --out $(SEGMENTATION)/surfaces
	$(BIN)/snellen evaluate panoptic $(SEGMENTATION)/panoptic/truth.json \
		$(SEGMENTATION)/panoptic/predictions.json --out $(SEGMENTATION)/panoptic/result
	$(BIN)/snellen evaluate tracking demo/tracking/truth demo/tracking/predictions \
		--protocol mot17 --out demo/tracking/a
	$(BIN)/snellen evaluate tracking demo/tracking/truth demo/tracking/predictions_b \
		--protocol mot17 --out demo/tracking/b
	$(BIN)/snellen compare demo/tracking/a demo/tracking/b
	@echo "What was made lies in demo: pictures, tables, results; $(CLASSIFICATION)/leaks.png shows"
	@echo "images that are alike in two parts of the split. The pages of the networks that were trained:"
	@echo "$(TRAINING)/fc/index.html, $(TRAINING)/cnn/index.html; $(TRAINING)/inside-cnn.html looks inside;"
	@echo "$(BENCHMARK)/index.html has five of them side by side."

test: test-core test-python

build/core/tested: $(MADE) CMakeLists.txt $(CORE_TESTS)
	$(BIN)/cmake -S . -B build/core -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja \
		-DSNELLEN_PYTHON=OFF -DSNELLEN_TESTS=ON
	$(BIN)/cmake --build build/core
	$(BIN)/ctest --test-dir build/core --output-on-failure
	@touch $@

test-core: build/core/tested

test-python: .venv/extra-test
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest --quiet --doctest-modules --pyargs snellen

lint: .venv/extra-lint .venv/extra-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd src && ../$(BIN)/mypy -p snellen --config-file ../pyproject.toml
	$(BIN)/clang-format --dry-run --Werror $(CPP)

format: .venv/extra-lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

# The extension's signatures, kept under version control for readers and type checkers.
stubs: $(BUILT)
	$(BIN)/python -m nanobind.stubgen -q -m snellen._core -o src/snellen/_core.pyi

bench: .venv/extra-bench
	$(BIN)/python benchmarks/detection.py
	$(BIN)/python benchmarks/detection_kinds.py
	$(BIN)/python benchmarks/classification.py
	$(BIN)/python benchmarks/splits.py
	$(BIN)/python benchmarks/leaks.py
	$(BIN)/python benchmarks/segmentation.py
	$(BIN)/python benchmarks/tracking.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/pretrained.py

fuzz: $(MADE)
	@command -v $(FUZZ_CXX) >/dev/null || \
		{ echo "make fuzz needs clang++ with libFuzzer: FUZZ_CXX=NAME where it is called otherwise"; exit 1; }
	$(BIN)/cmake -S . -B build/fuzz -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja \
		-DCMAKE_CXX_COMPILER=$(FUZZ_CXX) -DSNELLEN_PYTHON=OFF -DSNELLEN_FUZZ=ON
	$(BIN)/cmake --build build/fuzz
	for target in json_columns csv_table png track_text rle polygon mask_pairs oriented; do \
		mkdir -p build/fuzz/corpus-$$target && \
		build/fuzz/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
			build/fuzz/corpus-$$target || exit 1; \
	done

clean:
	rm -rf .venv build demo
