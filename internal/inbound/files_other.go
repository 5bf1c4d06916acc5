//go:build !unix

package inbound

func descriptors() int { return 2 * defaultConnections }

func outOfFiles(error) bool { return false }
