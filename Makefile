# accelsim: `make` lists the targets.
.DEFAULT_GOAL := help
GO ?= go
TOOL := $(GO) tool -modfile=tools.mod
FUZZTIME ?= 10s

.PHONY: help run test docs lint bench bench-peer fuzz cover golden-update hdl-test mutants verify-portable

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the main job: AlexNet on CIFAR10-DVS at (k, n) = (10, 1)
	$(GO) run ./cmd/accelsim run --net alexnet --k 10 --n 1

# What is run, what failed and, at the end, what was skipped and why.
REPORT = $(GO) run ./internal/testreport

test: lint ## everything that must hold: linters, and all tests with the race detector; lists what it skips
	$(GO) build ./...
	$(GO) test -json ./dram/... ./tiling ./crosscheck | $(REPORT) # all random cases; the race detector runs a tenth of them
	$(GO) test -json -race -timeout 30m ./... | $(REPORT)

docs: ## every command of README and docs/, those that take minutes too, against what the pages show
	$(GO) test -json -timeout 60m ./docs -all | $(REPORT)

# Kinds that grow: a switch over one names every value.
CLOSED = ./role ./op ./schedule ./tiling ./sim

lint: ## vet, staticcheck, exhaustive, gofumpt
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) exhaustive -test=false $(CLOSED)
	@unformatted=$$($(TOOL) gofumpt -l $$(git ls-files '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "gofumpt would change: $$unformatted"; exit 1; fi

bench: ## Go benchmarks of every package
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-peer: ## the golden trainer beside PyTorch (needs Debian's python3-torch and libopenblas0-pthread)
	$(GO) run ./cmd/accelsim train --bench
	@test -n "$(PEER)" || echo "set PEER=.../torch_speed.py to time PyTorch in the same run"
	@test -z "$(PEER)" || /usr/bin/python3 $(PEER)

hdl-test: ## the RTL against the fixed-point model (needs Debian's iverilog, verilator, yosys)
	@for tool in iverilog verilator yosys; do command -v $$tool >/dev/null || { echo "$$tool is missing: apt-get install $$tool"; exit 1; }; done
	$(GO) test -v ./hdl ./pe/fixed

verify-portable: ## the same bits for GOAMD64=v3 and, under Debian's qemu-user-static, arm64; and no fused instruction
	$(GO) test -v ./internal/portable

# Until Go 1.27 a target may fail as its time ends, with no input to blame
# (go.dev/issue/75804): that alone is no failure.
fuzz: ## every fuzz target for FUZZTIME each
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	  echo "$$p $$f"; out=$$($(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p 2>&1); status=$$?; echo "$$out"; \
	  [ $$status -eq 0 ] && continue; \
	  echo "$$out" | grep -q 'context deadline exceeded' && ! echo "$$out" | grep -q 'Failing input' || exit 1; done; done

mutants: ## wrong lines, one at a time: do tests see them? (ONLY=energy for one list)
	$(GO) run ./internal/mutants -run '$(ONLY)'

cover: ## test coverage by package
	$(GO) test -cover ./...

golden-update: ## rewrite the golden files of the command-line tests
	$(GO) test ./cmd/accelsim -update
