// Package input checks the input of people and programs before anything is looked up by it: keys and ids, lines of
// text, and the bounds of pages. It is pure.
package input
