# What needs no network after the first run: demo, test, lint, docs, bench. Everything that is
# built or installed goes to the user's cache directory, so a fresh clone is warm.

CACHE            ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/evenkeel
CARGO_TARGET_DIR ?= $(CACHE)/target
TOOLS            := $(CACHE)/tools
VENV             := $(CACHE)/venv
PYTHON           := $(VENV)/bin/python
DENY_VERSION     := 0.20.2
ZIZMOR_VERSION   := 1.32.0
MINISTACK_VERSION := 1.5.33

export CARGO_TARGET_DIR
export EVENKEEL_PYTHON := $(PYTHON)

.PHONY: help demo demo-fleet demo-controller test lint deny docs bench bench-storm bench-fleet bench-steady bench-forms bench-history kill-test release build emulator emulator-matrix \
        emulator-second-opinion bench-emulator postgres tools fuzz clean-cache

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: build emulator ## the whole job against emulated accounts: plan, apply, break, check, repair; then all of detection
	@scripts/demo "$(CARGO_TARGET_DIR)/debug/evenkeel"
	@scripts/demo-detection "$(CARGO_TARGET_DIR)/debug/evenkeel"

demo-fleet: build emulator ## an emulated organization of twelve accounts: one plan, apply, snapshot, pull request
	@scripts/demo-fleet "$(CARGO_TARGET_DIR)/debug/evenkeel"

demo-controller: build emulator ## the controller: a deleted trail is back in a second, who fights is named, and not fought
	@scripts/demo-controller "$(CARGO_TARGET_DIR)/debug/evenkeel"

test: emulator postgres ## everything: unit, property, command-line and emulator tests
	@echo "== the emulator's own tests"
	@$(PYTHON) -m unittest discover -q -s tests/emulator -t tests
	@echo "== the project's tests"
	@# Many of them wait for what others do in real time, and leave the cores to others meanwhile.
	RUST_TEST_THREADS=$$((3 * $$(nproc))) cargo test --all-targets
	cargo test --doc

lint: $(TOOLS)/promtool/.installed $(TOOLS)/zizmor/.installed-$(ZIZMOR_VERSION) $(TOOLS)/deploy/.installed-$(shell sha256sum deploy/requirements.txt | cut -c1-12) fuzz/Cargo.lock ## formatting, lints, docs without warnings, safe workflows and templates
	cargo fmt --check
	cargo clippy --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items
	@echo "== the fuzz targets compile"
	cargo check --quiet --manifest-path fuzz/Cargo.toml
	"$(TOOLS)/zizmor/bin/zizmor" --offline --no-progress --quiet .github examples/fleet examples/starter/workflow.yml
	@echo "== the alerts"
	"$(TOOLS)/promtool/promtool" check rules deploy/alerts/evenkeel.rules.yaml
	"$(TOOLS)/promtool/promtool" test rules deploy/alerts/evenkeel.test.yaml
	@echo "== the templates of a deployment"
	"$(TOOLS)/deploy/bin/cfn-lint" deploy/cloudformation/*.json deploy/ecs/*.yaml
	for values in deploy/helm/evenkeel/ci/*.yaml; do \
	  "$(TOOLS)/deploy/bin/helm" lint --strict --quiet -f $$values deploy/helm/evenkeel || exit 1; \
	  rendered=$$("$(TOOLS)/deploy/bin/helm" template evenkeel deploy/helm/evenkeel -f $$values) || exit 1; \
	  printf '%s\n' "$$rendered" | "$(TOOLS)/deploy/bin/kubernetes-validate" --strict --quiet /dev/stdin || exit 1; \
	done
	@! "$(TOOLS)/deploy/bin/helm" template evenkeel deploy/helm/evenkeel -f deploy/helm/evenkeel/ci/values.yaml \
	  --set replicas=2 >/dev/null 2>&1 || { echo "the chart takes several replicas without PostgreSQL"; exit 1; }
	@! "$(TOOLS)/deploy/bin/helm" template evenkeel deploy/helm/evenkeel -f deploy/helm/evenkeel/ci/tls.yaml \
	  --set metrics.tlsSecret= >/dev/null 2>&1 || { echo "the chart probes in clear what answers over TLS"; exit 1; }
	"$(TOOLS)/deploy/bin/kubernetes-validate" --strict --quiet deploy/kubernetes/*.yaml

# With the same versions, nothing but the fuzzer itself is compiled a second time.
fuzz/Cargo.lock: Cargo.lock
	cp Cargo.lock $@

deny: tools ## licences, advisories and sources of all dependencies
	"$(TOOLS)/bin/cargo-deny" check bans licenses sources
	@if "$(TOOLS)/bin/cargo-deny" fetch db >/dev/null 2>&1; then \
	  "$(TOOLS)/bin/cargo-deny" check advisories; \
	else echo "NOT CHECKED: advisories, because the RustSec database cannot be reached from here"; fi

docs: ## write docs/kinds/ and the table of metrics anew, from what the sources say
	EVENKEEL_UPDATE=1 cargo test --test it -q -- docs:: telemetry::the_documentation

emulator-matrix: emulator ## write docs/emulator.md's table of what the emulator holds
	cd tests && $(PYTHON) -m emulator.probe --write

emulator-second-opinion: emulator $(TOOLS)/ministack/.installed-$(MINISTACK_VERSION) ## where MiniStack, or EMULATOR=URL [KEYS=akia|digits|header], differs
ifdef EMULATOR
	cd tests && $(PYTHON) -m emulator.probe $(EMULATOR) --keys $(or $(KEYS),akia) --at-once 1 --compare
else
	cd tests && $(PYTHON) -m emulator.probe.second $(TOOLS)/ministack/bin/ministack
endif

$(TOOLS)/ministack/.installed-%:
	@echo "== installing MiniStack $*, another emulator of AWS"
	python3 -m venv "$(TOOLS)/ministack"
	"$(TOOLS)/ministack/bin/pip" install --quiet --disable-pip-version-check "ministack==$*" cryptography
	@touch "$@"

bench-emulator: emulator ## write docs/emulator.md's figures: start, first calls, calls by service, memory; ARGS=--cpu on a busy machine
	cd tests && $(PYTHON) -m emulator.bench --write $(ARGS)

bench: emulator ## the figures of docs/performance.md
	cargo build --release
	$(PYTHON) benches/plan.py "$(CARGO_TARGET_DIR)/release/evenkeel"

bench-storm: emulator ## 10,000 events in the queue, and the time from a message to the repair
	cargo build --release --bins
	$(PYTHON) benches/storm.py "$(CARGO_TARGET_DIR)/release/evenkeel"

bench-fleet: emulator ## 10, 100 and 1,000 accounts, or ACCOUNTS="…", against a simulated AWS: time, CPU, memory
	cargo build --release --features bench --bins
	CARGO_TARGET_DIR="$(CACHE)/simulator-target" cargo build --release --manifest-path benches/simulator/Cargo.toml
	$(PYTHON) benches/fleet.py "$(CARGO_TARGET_DIR)/release/evenkeel" \
	  "$(CACHE)/simulator-target/release/evenkeel-simulator" "$(CARGO_TARGET_DIR)/release/bare_loop" $(ACCOUNTS)

bench-steady: emulator ## a controller of 1,000 accounts, or ACCOUNTS=N, for some looks by schedule: memory, CPU, calls a day
	cargo build --release
	CARGO_TARGET_DIR="$(CACHE)/simulator-target" cargo build --release --manifest-path benches/simulator/Cargo.toml
	$(PYTHON) benches/steady.py "$(CARGO_TARGET_DIR)/release/evenkeel" \
	  "$(CACHE)/simulator-target/release/evenkeel-simulator" $(ACCOUNTS)

kill-test: emulator postgres ## three controllers over one PostgreSQL, killed KILLS times (60) in ACCOUNTS (200) accounts: figures
	EVENKEEL_KILLS=$(or $(KILLS),60) EVENKEEL_ACCOUNTS=$(or $(ACCOUNTS),200) EVENKEEL_GONE=$(or $(GONE),60) \
	  cargo test -q --test it replicas:: -- --nocapture --test-threads 1

bench-forms: emulator ## 1,000 drifted accounts, or ACCOUNTS="…", from a snapshot: time and memory of each form of a plan
	cargo build --release
	CARGO_TARGET_DIR="$(CACHE)/simulator-target" cargo build --release --manifest-path benches/simulator/Cargo.toml
	$(PYTHON) benches/forms.py "$(CARGO_TARGET_DIR)/release/evenkeel" \
	  "$(CACHE)/simulator-target/release/evenkeel-simulator" $(ACCOUNTS)

bench-history: ## 1,000 accounts over 90 days in SQLite: size, and how long the questions take
	cargo build --release --features bench --bin history_figures
	@folder=$$(mktemp -d) && "$(CARGO_TARGET_DIR)/release/history_figures" "$$folder/store.db" $(ACCOUNTS) $(DAYS); rm -rf "$$folder"

release: ## what a release has, for this machine's static target, in ./dist (see scripts/release)
	scripts/release build "$$(uname -m)-unknown-linux-musl" dist
	scripts/release sbom dist
	scripts/release sums dist

fuzz: ## fuzz what reads files for a minute each (needs cargo-fuzz and a nightly toolchain)
	cd fuzz && for target in baseline fleet plan snapshot; do cargo fuzz run $$target -- -max_total_time=60 || exit 1; done

build: ## the command, in the development profile
	@echo "== building evenkeel (the first time compiles the AWS SDK: ten to twenty-five minutes on two cores)"
	cargo build

emulator: $(VENV)/.installed-$(shell sha256sum tests/emulator/requirements.txt | cut -c1-12) ## the AWS emulator, in a virtual environment

$(VENV)/.installed-%:
	@echo "== installing the AWS emulator (moto) into $(VENV)"
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/emulator/requirements.txt
	@touch $@

# Debian's package; the tests start servers of their own, so that it starts none.
postgres: ## PostgreSQL, which the tests of the store start, and the command of SQLite
	@{ ls /usr/lib/postgresql/*/bin/initdb && command -v sqlite3; } >/dev/null 2>&1 || { \
	  echo "== installing PostgreSQL and sqlite3"; \
	  mkdir -p /etc/postgresql-common && \
	  { test -e /etc/postgresql-common/createcluster.conf || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf; } && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql sqlite3; } || \
	{ echo "install PostgreSQL and sqlite3 (Debian: apt-get install postgresql sqlite3)"; exit 1; }

FETCH := apt-get -o APT::Sandbox::User=root download -qq prometheus

# Only the one program of Debian's package: so no server is installed, and none starts.
$(TOOLS)/promtool/.installed:
	@echo "== installing promtool, which tests the alerts"
	@mkdir -p "$(TOOLS)/promtool"
	@command -v promtool >/dev/null && ln -sf "$$(command -v promtool)" "$(TOOLS)/promtool/promtool" || { \
	  folder=$$(mktemp -d) && chmod 755 "$$folder" && cd "$$folder" && \
	  { $(FETCH) || { apt-get update -qq && $(FETCH); }; } && \
	  dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x -C "$(TOOLS)/promtool" --strip-components=3 ./usr/bin/promtool && \
	  rm -r "$$folder"; } || \
	{ echo "install promtool (Debian: the package prometheus)"; exit 1; }
	@touch "$@"

tools: $(TOOLS)/.cargo-deny-$(DENY_VERSION) ## cargo-deny

$(TOOLS)/.cargo-deny-$(DENY_VERSION):
	@echo "== installing cargo-deny $(DENY_VERSION)"
	CARGO_TARGET_DIR="$(CACHE)/tools-target" cargo install cargo-deny --version $(DENY_VERSION) --locked --root "$(TOOLS)"
	@touch $@

$(TOOLS)/zizmor/.installed-%:
	@echo "== installing zizmor $*, which looks for holes in workflows"
	python3 -m venv "$(TOOLS)/zizmor"
	"$(TOOLS)/zizmor/bin/pip" install --quiet --disable-pip-version-check "zizmor==$*"
	@touch "$@"

$(TOOLS)/deploy/.installed-%:
	@echo "== installing what checks CloudFormation templates and the Helm chart"
	python3 -m venv "$(TOOLS)/deploy"
	"$(TOOLS)/deploy/bin/pip" install --quiet --disable-pip-version-check -r deploy/requirements.txt
	@touch "$@"

clean-cache: ## throw away everything that was built or installed
	rm -rf "$(CACHE)"
