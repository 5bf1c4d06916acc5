// Package testclient has the HTTP client of tests, and certificates. When an httptest.Server closes, it closes the idle
// connections of http.DefaultTransport: among them the one that a test beside it is about to send a request over.
package testclient

import "net/http"

// Transport is like http.DefaultTransport, and nothing else closes its connections.
var Transport = http.DefaultTransport.(*http.Transport).Clone()

// Client sends requests over Transport.
var Client = &http.Client{Transport: Transport}
