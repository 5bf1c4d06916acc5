//go:build race

package e2e_test

// raceEnabled reports whether these tests run with the race detector.
const raceEnabled = true
