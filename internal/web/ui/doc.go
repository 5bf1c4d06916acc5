// Package ui is the kernel of the console: it serves pages, and has the parts that all pages are made of. It knows
// none of the pages.
//
// A page is a [Handler], registered with [Site.Page] under the operation of the API that does the same; that
// operation decides who may see the page. A handler returns a [View] or an error, and the site renders either inside
// the frame. Pages are rendered by the server and work without scripts. Scripts add keys, live updates and drafts.
//
// Styles, scripts, fonts and icons are embedded, and served below [Assets].
package ui

//go:generate go tool templ generate -path ..
