//go:build !linux

package pgtest

// folder returns the folder for the data of clusters: that of temporary files.
func folder() string { return "" }
