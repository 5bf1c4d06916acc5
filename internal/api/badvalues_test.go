package api_test

import (
	"net/url"
	"strings"
)

// badValues are JSON values, each of them wrong at most places.
var badValues = []string{
	`null`, `true`, `0`, `-1`, `1.5`, `-0.0`, `1e400`, `-1e400`, `1e-400`, `99999999999999999999`, `9223372036854775808`, `1e308`,
	`""`, `" "`, `"x"`, `"\u0000"`, `"a\u0000b"`, `"\ud800"`, `"\udc00\ud800"`, "\"\xff\"", "\"\xc0\x80\"", `"\u202e"`, `"\ufeff"`, `"\uffff"`, `"a\nb"`, `"\u001b[31m"`, `"\u2028"`,
	`"é́́🏳️‍🌈"`, `"İıſK"`, `"../../etc/passwd"`, `"' or 1=1 --"`, `"%00%ff"`, `"${CASEHOOK_VAR_X}"`, `"{client} {{.}} {case.reference}"`, `"<script>alert(1)</script>"`,
	`"2026-02-30T00:00:00Z"`, `"0000-01-01T00:00:00Z"`, `"9999-12-31T23:59:60+14:00"`, `"-1"`, `"1e999"`, `"http://[::1"`, `"https://user@example.com/#x"`,
	`[]`, `[null]`, `[[]]`, `["x", "x"]`, `[1e400]`, `{}`, `{"": {}}`, `{"a": null}`, `{"a": 1, "a": 2}`, `{"\u0000": "\u0000"}`, `{"__proto__": null}`,
	`"` + strings.Repeat("a", 5000) + `"`, `"` + strings.Repeat("🏳", 10_000) + `"`, strings.Repeat("9", 5000), `0.` + strings.Repeat("1", 5000),
	`[` + strings.Repeat(`"x",`, 3000) + `"x"]`, `{` + strings.Repeat(`"x": `+`{`, 300) + strings.Repeat(`}`, 300) + `}`,
	strings.Repeat("[", 500) + strings.Repeat("]", 500), strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000),
}

// oddTexts are texts that are wrong at most places of a parameter or a header.
var oddTexts = []string{
	"", " ", "0", "-1", "1.5", "1e3", "0x10", "NaN", "true", "null", "99999999999999999999", "9223372036854775807", "١٢٣", "+1", "1 ", "[]", "{}",
	"\x00", "a\x00b", "\xff", "\xc0\x80", "\u202e", "\ufeff", "a\nb", "🏳️‍🌈", "%", "%00", "%zz", "..", "../..", "/", "\\", "*", "'", "\"", "\"r1\"", "W/\"r1\"", "\"r9223372036854775808\"",
	"' or 1=1 --", "bytes=-1", "bytes=0-0,1-1,2-2", "bytes=9-1", "application/json; charset=utf-16", "application/json;;;", "multipart/form-data", "multipart/form-data; boundary=", "text/html", "*/*;q=x",
	strings.Repeat("a", 300), strings.Repeat("🏳", 300), strings.Repeat("a", 9000), strings.Repeat("1", 400),
}

// escape writes a text as a segment of a path or a value of a query.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func unescape(path string) (string, bool) {
	s, err := url.PathUnescape(path)
	return s, err == nil
}

// withQuery sets a parameter of a path.
func withQuery(path, name, value string) string {
	path, query, _ := strings.Cut(path, "?")
	var all []string
	for _, parameter := range strings.Split(query, "&") {
		if parameter != "" && !strings.HasPrefix(parameter, name+"=") {
			all = append(all, parameter)
		}
	}
	return path + "?" + strings.Join(append(all, name+"="+escape(value)), "&")
}

// oddHeaders are for the headers that all requests have in common.
var oddHeaders = []string{"", "\x00", "\xff🏳", "*/*;q=x", "\"r1\"", "bytes=9-1,-1,x", "a b:99999999",
	strings.Repeat("a", 9000)}
