# vcam: every task by name. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
NATIVE := CMakeLists.txt $(wildcard vcam/native/*.cpp vcam/native/*.h)

##@ Use
demo: $(VENV)/.base ## The whole pipeline on a test scene: out/demo.mp4, out/demo.png, a latency table
	$(BIN)/vcam demo $(ARGS)

run: $(VENV)/.dev ## Start the virtual camera in this terminal (make run ARGS="-i /dev/video0 -b blur")
	$(BIN)/vcam run $(ARGS)

devices: $(VENV)/.base ## Cameras with their modes, virtual cameras with their readers
	$(BIN)/vcam devices $(ARGS)

doctor: $(VENV)/.base ## What stands in the way of a working camera, and what to paste (make doctor ARGS=--json)
	$(BIN)/vcam doctor $(ARGS)

install: ## Set this computer up: virtual cameras, start at plug-in (sudo make install; ARGS=--dry-run only tells)
	scripts/host-setup.sh $(ARGS)

uninstall: ## Take away what install made, and nothing else (sudo make uninstall)
	scripts/host-setup.sh --uninstall $(ARGS)

##@ Operate
up: ## Start the appliance in Docker, or bring it up to date (make up CAMERA=... BACKGROUND=green OUTPUT=/dev/video10)
	scripts/up.sh

down: ## End it; what it has learned and measured stays (make down ARGS=--volumes removes that too)
	scripts/compose.sh --profile '*' down $(ARGS)

restart: ## Start it anew, with the settings it has (new ones: make up)
	scripts/compose.sh restart vcam

logs: ## What it says, as it says it (make logs ARGS="--tail 20")
	scripts/compose.sh logs --no-log-prefix --follow --tail 100 $(ARGS) vcam

status: ## What runs, and whether pictures leave
	scripts/compose.sh ps --all
	scripts/compose.sh exec -T vcam python3 -m vcam.service.probe

build: ## Build the image for this computer (BASE_IMAGE=... TENSORRT=rtx or cu13)
	REVISION=$$(git describe --always --dirty --abbrev=40) scripts/compose.sh build vcam $(ARGS)

image: ## Build both images of a release, tagged and labelled; nothing is pushed (REPOSITORY=...)
	scripts/image.sh

##@ Develop
setup: $(VENV)/.dev ## Install everything that developing needs into .venv

test: $(VENV)/.dev ## All tests; no camera, no GPU and no network needed
	$(BIN)/python -m pytest $(ARGS)

test-container: $(VENV)/.dev ## The images and the compose file, with a Docker engine (BASE_IMAGE=... where no registry is reached)
	$(BIN)/python -m pytest -m container tests/container $(ARGS)

test-vm: $(VENV)/.dev ## Real drivers and applications in a virtual machine (as root it installs qemu; minutes)
	tests/vm/bed/needs.sh --install && $(BIN)/python -m pytest -m vm tests/vm $(ARGS)

test-monitoring: $(VENV)/.dev ## Rules, alerts and dashboards, with a real Prometheus (apt-get install prometheus prometheus-alertmanager npm)
	VCAM_REQUIRE=monitoring $(BIN)/python -m pytest -m "monitoring or not monitoring" tests/monitoring $(ARGS)

check: lint type layers files ## Everything that is checked without running it

lint: $(VENV)/.dev ## Style: ruff, and the format
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

type: $(VENV)/.dev ## Types: mypy, strict
	$(BIN)/mypy

layers: $(VENV)/.dev ## Data flows one way: import-linter
	$(BIN)/lint-imports

files: $(VENV)/.dev ## Shell scripts, units, rules, Dockerfile, YAML, compose files, alerts (STRICT=--strict: nothing is skipped)
	scripts/check_host.sh $(STRICT)
	scripts/check_container.sh
	scripts/check_monitoring.sh $(STRICT)

format: $(VENV)/.dev ## Put the code into the house format
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

golden: $(VENV)/.dev ## Draw the golden images anew (look at each before you commit it)
	VCAM_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests -k golden

dashboards: $(VENV)/.dev ## Write the Grafana dashboards anew, from monitoring/dashboards
	$(BIN)/python -m monitoring.dashboards

bench: $(VENV)/.dev ## Measure everything on this machine; JSON into benchmarks/
	$(BIN)/vcam bench --json benchmarks $(ARGS)

kernels: ## Compile the CUDA kernels (fetches nvcc where there is none; needs no GPU)
	$(firstword $(wildcard $(BIN)/python) python3) scripts/build_kernels.py --fetch

lock: $(VENV)/.dev ## Pin the newest versions that pyproject.toml allows
	scripts/lock.sh

clean: ## Remove what was built here (.venv, build, out, caches); keeps models
	rm -rf $(VENV) build out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.base $(VENV)/.dev: $(VENV)/.%: pyproject.toml constraints.txt scripts/setup.sh $(NATIVE)
	scripts/setup.sh $*

.PHONY: demo run devices doctor install uninstall up down restart logs status build image setup test test-container test-vm test-monitoring check \
	lint type layers files format golden dashboards bench kernels lock clean help
