//go:build !race

package e2e_test

// watched reports whether these tests are watched for races.
const watched = false
