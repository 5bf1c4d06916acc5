package server

import "testing"

func TestAnOriginIsASchemeAndAHost(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://app.example.com": "https://app.example.com", "HTTPS://App.Example.com:443/": "https://app.example.com",
		"http://127.0.0.1:3000": "http://127.0.0.1:3000",
		"https://*.example.com": "", "*": "", "null": "", "app.example.com": "", "https://app.example.com/path": "",
		"https://app.example.com?x": "", "https://u:p@app.example.com": "", "ftp://app.example.com": "", "": "",
	} {
		got, problem := corsOrigin(raw)
		if got != want || (problem == "") != (want != "") {
			t.Errorf("%q is the origin %q (%s), want %q", raw, got, problem, want)
		}
		if _, err := corsOrigins([]string{raw}); (err == nil) != (want != "") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}
