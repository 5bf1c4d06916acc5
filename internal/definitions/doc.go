// Package definitions finds case types as they are stored: a version by its tenant, key and number, parsed once and
// kept while it is used.
package definitions
