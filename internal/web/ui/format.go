package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/casehook/casehook/internal/fault"
)

// Initials returns up to two letters that stand for a name.
func Initials(name string) string {
	var all []rune
	for _, word := range strings.Fields(name) {
		first := []rune(word)[0]
		if unicode.IsLetter(first) || unicode.IsDigit(first) {
			all = append(all, unicode.ToUpper(first))
		}
	}
	switch {
	case len(all) == 0:
		return "?"
	case len(all) > 2:
		all = []rune{all[0], all[len(all)-1]}
	}
	return string(all)
}

var colors = []string{"gray", "blue", "green", "orange", "red", "teal"}

// Color returns a colour that the styles have; gray for any other.
func Color(name string) string {
	if slices.Contains(colors, name) {
		return name
	}
	return "gray"
}

// Took formats how long something took.
func Took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "< 1 ms"
	case d < 10*time.Second && d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Second:
		return Span(d)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// Span formats a span of time by its two largest units.
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return Count(int(d.Hours())/24, "day")
}

// Since formats how long ago a time was.
func Since(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	case d < 100*24*time.Hour:
		return fmt.Sprintf("%d d", int(d.Hours())/24)
	}
	return at.UTC().Format("Jan 2006")
}

// Count formats a number of things: "1 case", "2 cases".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Number(n) + " " + thing + "s"
}

// Number formats a number with its thousands apart.
func Number(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Bytes formats a size.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// Fault is a fault in a form.
type Fault struct {
	Field   string // the id of its element; empty: none
	Title   string // of the field
	Message string
}

// FaultsOf returns the faults that an error lists, and the error itself if it is none of the user's making.
// Title names the field of a path.
func FaultsOf(err error, title func(path string) (id, name string)) ([]Fault, error) {
	e := fault.As(err)
	switch e.Kind {
	case fault.Internal, fault.Unauthenticated, fault.Unavailable:
		return nil, err
	}
	var all []Fault
	for _, f := range e.Fields {
		id, name := title(f.Path)
		all = append(all, Fault{id, name, sentence(f.Message)})
	}
	if len(all) == 0 {
		all = append(all, Fault{Message: e.Detail})
	}
	return all, nil
}

// sentence makes a message, which is the rest of a sentence, one by itself.
func sentence(message string) string {
	if message == "" || strings.HasSuffix(message, ".") {
		return message
	}
	return message + "."
}

// Chip is a filter that is set.
type Chip struct {
	Name, Value string
	Without     string // the address without it
}

// Without returns an address without some of its parameters, and without its place in a list.
func Without(path string, query url.Values, names ...string) string {
	rest := url.Values{}
	for name, values := range query {
		if name != "cursor" && !slices.Contains(names, name) {
			rest[name] = values
		}
	}
	return address(path, rest)
}

// With returns an address with a parameter set, and without its place in a list.
func With(path string, query url.Values, name, value string) string {
	more := url.Values{}
	for n, values := range query {
		if n != "cursor" {
			more[n] = values
		}
	}
	more.Set(name, value)
	return address(path, more)
}

func address(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func noticeRole(tone string) string {
	if tone == "bad" {
		return "alert"
	}
	return "status"
}

func failureTitle(status int) string {
	switch status {
	case http.StatusForbidden:
		return "You may not see this page"
	case http.StatusNotFound, http.StatusGone:
		return "There is nothing here"
	case http.StatusConflict:
		return "Somebody else was faster"
	case http.StatusTooManyRequests:
		return "Too many requests"
	}
	if status >= http.StatusInternalServerError {
		return "This did not work"
	}
	return "This can't be done"
}

// Colors returns the colours that the styles have.
func Colors() []string { return slices.Clone(colors) }
