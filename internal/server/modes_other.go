//go:build !unix || aix || solaris

package server

import "io/fs"

// restrict does nothing here: the folder's settings determine who can read its files.
func restrict() {}

func checkModes(string) error { return nil }

func openToOthers(fs.FileInfo) bool { return false }
