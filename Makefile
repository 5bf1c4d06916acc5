.PHONY: help build test need format vet race soak bench

# Of make soak: how long each decoder is fuzzed, how often each property is
# checked, how many runs of kill -9 there are on each database, how long the
# database is gone, and how many runs there are in which each step fails.
TIME   ?= 1m
CHECKS ?= 100000
KILLS  ?= 25
OUTAGE ?= 1m
FAULTS ?= 5
GROWTH ?= 100000

help:
	@echo 'make test    everything that has to pass; on Debian and Ubuntu it installs what the tests need'
	@echo 'make build   the binary, ./casehook'
	@echo 'make soak    long campaigns, with figures: TIME=$(TIME) CHECKS=$(CHECKS) KILLS=$(KILLS) OUTAGE=$(OUTAGE) FAULTS=$(FAULTS) GROWTH=$(GROWTH)'
	@echo 'make bench   the benchmarks'

build:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o casehook ./cmd/casehook

test: need format vet race

need:
	@.ci/need

format:
	@out=$$(gofmt -l $$(go list -f '{{.Dir}}' ./...)); [ -z "$$out" ] || { echo "not formatted: run gofmt -w on"; echo "$$out"; exit 1; }

# vet says what it finds in other modules too, which is theirs to repair.
vet:
	@go vet ./... 2>&1 | grep -v -e '^#' -e "$$(go env GOMODCACHE)/" -e '^$$' && exit 1 || true

# The tests in e2e run a binary that they build: what Go remembers of them says
# nothing about it. The inside of SQLite, which is C put into Go, is not watched
# for races: it has none of ours, and watching it takes most of the time.
RACE = -race -timeout 15m -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false

race:
	go test $(RACE) $$(go list ./... | grep -v /e2e)
	go test $(RACE) -count=1 ./e2e

soak: need
	@TIME=$(TIME) CHECKS=$(CHECKS) KILLS=$(KILLS) OUTAGE=$(OUTAGE) FAULTS=$(FAULTS) GROWTH=$(GROWTH) .ci/soak

bench: need
	go test -run '^$$' -bench . -benchmem $$(grep -rl --include='*_test.go' 'func Benchmark' . | xargs -n1 dirname | sort -u)
