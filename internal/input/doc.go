// Package input checks what people and programs write, before anything is looked up by it: keys
// and ids, lines of text, and the bounds of pages. It is pure.
package input
