.PHONY: help build test soak bench mutants

# Settings of make soak: time to fuzz each decoder, checks of each property, runs of
# kill -9 on each database, time for which the database is gone, runs in which each
# step fails, and messages of the growth test.
TIME   ?= 1m
CHECKS ?= 100000
KILLS  ?= 25
OUTAGE ?= 1m
FAULTS ?= 5
GROWTH ?= 100000

help:
	@echo 'make test    everything that has to pass, as ./test.sh does'
	@echo 'make build   the binary, ./casehook'
	@echo 'make soak    long campaigns, with figures: TIME=$(TIME) CHECKS=$(CHECKS) KILLS=$(KILLS) OUTAGE=$(OUTAGE) FAULTS=$(FAULTS) GROWTH=$(GROWTH)'
	@echo 'make bench   the benchmarks'
	@echo 'make mutants changes the pure packages, one place at a time, and shows what their tests do not notice'

build:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o casehook ./cmd/casehook

test:
	./test.sh

soak:
	.ci/need
	@TIME=$(TIME) CHECKS=$(CHECKS) KILLS=$(KILLS) OUTAGE=$(OUTAGE) FAULTS=$(FAULTS) GROWTH=$(GROWTH) .ci/soak

bench:
	.ci/need
	go test -run '^$$' -bench . -benchmem $$(grep -rl --include='*_test.go' 'func Benchmark' . | xargs -n1 dirname | sort -u)

mutants:
	.ci/mutants
