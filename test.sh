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

# Watched for races are our packages and the standard library. The modules that we
# use, and the library's loops over single characters, have none of ours, and
# watching them takes most of the time. The tests are vetted and compiled by the
# same command, so that everything is compiled once; once more without -race for
# the binary that e2e builds.
race() {
	go test -race -vet=all -timeout 15m \
		-gcflags=all=-race=false -gcflags=std= -gcflags=github.com/casehook/casehook/...= \
		-gcflags=unicode=-race=false -gcflags=unicode/utf8=-race=false -gcflags=compress/flate=-race=false "$@"
}

echo 'vetting and testing; the first compile takes a few minutes and prints nothing'
race $(go list ./... | grep -v /e2e)
race -count=1 ./e2e # runs a binary that it builds: what Go remembers of it says nothing
