//go:build unix && !linux

package e2e_test

import "github.com/rogpeppe/go-internal/testscript"

func limitFiles(ts *testscript.TestScript, _ string, _ uint64) {
	ts.Fatalf("only Linux limits the files of a process that runs")
}
