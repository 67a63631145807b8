# Every target does its own set-up: on a fresh Debian machine with Rust, nothing else has to be done first.
CARGO ?= cargo
RELEASE := $(shell $(CARGO) metadata --no-deps --format-version 1 2>/dev/null | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/dataflare

.PHONY: quickstart test check reliability bench coverage docs clean-out

## Builds dataflare and runs the main job on files that are in this repository.
quickstart: tools
	$(CARGO) build --release --bin dataflare
	$(RELEASE) run workflows/quickstart.yaml
	@echo "look at out/quickstart: sales, report and rejects"

## Runs all tests.
test: tools
	$(CARGO) test --workspace

## Formatting, lints, documentation, every workflow and example.
check: tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

## The long forms of the reliability tests: more seeds, more rows, more kills.
reliability: tools
	DATAFLARE_TEST_KILLS=20 DATAFLARE_TEST_ROWS=5000000 $(CARGO) test --release --workspace -- --nocapture

## Measures against peers and limits; see benches/README.md.
bench: tools
	$(CARGO) build --release --bin dataflare
	benches/run.sh $(RELEASE)

## Line coverage of the engine, with cargo-tarpaulin.
coverage: tools
	command -v cargo-tarpaulin >/dev/null || $(CARGO) install cargo-tarpaulin --locked
	$(CARGO) tarpaulin --packages dataflare-core --out Stdout

docs:
	$(CARGO) doc --workspace --no-deps

.PHONY: tools
tools:
	@scripts/setup
