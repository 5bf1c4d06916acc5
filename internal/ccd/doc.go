// Package ccd makes case types of definitions of CCD and QuickCase, which are sheets of rows. Everything that a case
// type can't say is told once, with a count and the first place. It is pure.
package ccd
