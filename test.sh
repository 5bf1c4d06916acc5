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

echo 'formatting'
unformatted=$(gofmt -l $(go list -f '{{.Dir}}' ./...))
[ -z "$unformatted" ] || { echo "not formatted: run gofmt -w on"; echo "$unformatted"; exit 1; }

echo 'vetting; the first compile takes a few minutes and prints nothing'
go vet ./...

# The inside of SQLite, which is C put into Go, is not watched for races: it has
# none of ours, and watching it takes most of the time.
race() {
	go test -race -timeout 15m -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false "$@"
}

echo 'testing'
race $(go list ./... | grep -v /e2e)
race -count=1 ./e2e # runs a binary that it builds: what Go remembers of it says nothing
