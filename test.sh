#!/bin/sh
# Runs everything that has to pass. It needs Go and a shell; on Debian and Ubuntu,
# as root or with sudo, it installs the rest (.ci/need). Elsewhere, and without the
# right to install, it says what to install.
set -eu
cd "$(dirname "$0")"

command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || { echo 'Go is not installed: see https://go.dev/doc/install' >&2; exit 1; }
.ci/need

echo 'fetching modules'
go mod download
go -C tools/s3 mod download # the server of S3 that tests use

echo 'formatting'
unformatted=$(gofmt -l tools $(go list -f '{{.Dir}}' ./...))
[ -z "$unformatted" ] || { echo "not formatted: run gofmt -w on"; echo "$unformatted"; exit 1; }

# Not watched for races is what takes most of the time and has none of ours: the inside
# of SQLite, which is C put into Go, what is done to each byte of a text, or of what is
# hashed, what parses and compiles definitions, schemas, expressions and patterns, and what
# reads and formats values, texts and times (reflect, fmt, strings, time). What
# uses sync.Map, sync.Pool or sync.Once is not inlined either (-l): else they might be linked from
# there, and what they publish would look like a race. No debugger looks at any of it
# (-dwarf=false, -w), and pointers are not checked (checkptr): we have no unsafe ones.
flags='-ldflags=-w
-gcflags=all=-dwarf=false -d=checkptr=0
-gcflags=encoding/json=-dwarf=false -d=checkptr=0 -race=false -l'
for package in modernc.org/sqlite/lib modernc.org/libc modernc.org/memory \
	github.com/go-text/typesetting/... golang.org/x/text/... \
	golang.org/x/crypto/argon2 golang.org/x/crypto/blake2b crypto/internal/fips140/bigmod \
	crypto/internal/fips140/sha256 encoding/base64 encoding/hex unicode unicode/utf8 compress/flate \
	strconv sort net/url github.com/jackc/pgx/v5/pgproto3; do
	flags="$flags
-gcflags=$package=-dwarf=false -d=checkptr=0 -race=false"
done
for package in cel.dev/cel-go/... github.com/antlr4-go/antlr/v4 github.com/santhosh-tekuri/jsonschema/v6/... \
	github.com/danielgtaylor/huma/v2/... go.yaml.in/yaml/v4/... github.com/casehook/casehook/internal/yaml \
	regexp regexp/syntax reflect fmt strings time net/textproto; do
	flags="$flags
-gcflags=$package=-dwarf=false -d=checkptr=0 -race=false -l"
done
export CASEHOOK_RACE_FLAGS="$flags" # for the programs that e2e builds, so that they are not compiled anew
IFS='
'

# One command vets, compiles and tests, so that all is compiled once. The compiler collects garbage from 1 GiB on,
# which saves a fifth of its time (-toolexec), and the tests half as often as usual (GOGC). The go command knows nothing
# of the programs that e2e builds, so results are not cached (-count=1). Four packages at a time (-p), since their
# tests often wait. What is watched for races waits a second before it ends (atexit_sleep_ms), which finds nothing here
# and adds up: the tests start some hundred programs.
echo 'vetting and testing; the first compile takes a few minutes and prints nothing'
GOGC=200 GORACE=atexit_sleep_ms=0 go test -race -vet=all -count=1 -p 4 -timeout 45m '-toolexec=env GOGC=off GOMEMLIMIT=1GiB' $flags ./...
