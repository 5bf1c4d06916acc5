package hooks

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// The bounds of a search of contents. One that reaches them before its page is full says where to go on.
const (
	searchedAttempts = 1000
	searchedBytes    = 16 << 20 // of bodies and answers together
	searchBatch      = 100      // attempts whose entries are read at once
)

// searchContents returns the attempts that the caller sees and whose contents have a part. It searches the body and
// the answer as Attempt returns them to this caller, and nothing else, so that nobody can find out by searching what
// they are not shown.
func (s *Messages) searchContents(
	ctx context.Context, p access.Principal, q AttemptQuery,
) (page AttemptPage, err error) {
	search := contentSearch{
		service: s, p: p, wanted: strings.ToLower(q.Contains), endpoints: map[string]endpoint.Endpoint{},
	}
	limit := input.Page(q.Limit)
	for looked := 0; looked < searchedAttempts && search.bytes < searchedBytes; {
		q.Limit = searchBatch
		found, next, err := s.attempts(ctx, p, q.AttemptFilter)
		if err != nil {
			return page, err
		}
		contents, err := search.read(ctx, found)
		if err != nil {
			return page, err
		}
		for i, d := range contents {
			page.SearchedTo = d.At
			if !search.matches(d) {
				continue
			}
			page.Items = append(page.Items, d.Attempt)
			if len(page.Items) == limit {
				page.Next = after(found, i, next)
				return page, nil
			}
		}
		page.Next = after(found, len(contents)-1, next)
		q.Before = page.Next
		looked += len(contents)
		if page.Next == 0 || len(found) < searchBatch { // the search by the other filters has reached its bounds
			break
		}
	}
	return page, nil
}

// after returns the Before of the attempts behind found[last], where those behind all of them are before next.
func after(found []store.Attempt, last int, next int64) int64 {
	if last < len(found)-1 {
		return found[last].ID
	}
	return next
}

// contentSearch searches the contents of attempts for a part.
type contentSearch struct {
	service   *Messages
	p         access.Principal
	wanted    string // in lower case
	endpoints map[string]endpoint.Endpoint
	bytes     int // of the contents that were searched
}

// read derives the bodies of attempts that the caller sees: of all, or of the first ones where their entries are large.
func (c *contentSearch) read(ctx context.Context, found []store.Attempt) ([]AttemptDetail, error) {
	found, entries, err := c.entries(ctx, found)
	if err != nil {
		return nil, err
	}
	made := viewedMessages{}
	all := make([]AttemptDetail, len(found))
	for i, a := range found {
		e, known := c.endpoints[a.Endpoint]
		if !known {
			if e, err = c.service.attempted(ctx, c.p, a.Endpoint); err != nil {
				return nil, err
			}
			c.endpoints[a.Endpoint] = e
		}
		all[i].Attempt, all[i].Endpoint, all[i].Entry = a, e, entries[a.Seq]
		all[i].derive(made)
		all[i].sentOnly(c.p)
	}
	return all, nil
}

// entries reads the entries of attempts by their positions. It returns the attempts whose entries it has read.
func (c *contentSearch) entries(
	ctx context.Context, found []store.Attempt,
) ([]store.Attempt, map[int64]*event.Entry, error) {
	var places []int64
	for _, a := range found {
		places = append(places, a.Seq)
	}
	read, err := c.service.store.EntriesAt(ctx, c.p.Tenant, places)
	if err != nil {
		return nil, nil, err
	}
	if read.More {
		unread := slices.IndexFunc(found, func(a store.Attempt) bool { return a.Seq < read.Last() })
		if unread == 0 {
			return c.entries(ctx, found[:1])
		}
		found = found[:unread]
	}
	at := map[int64]*event.Entry{}
	for _, e := range read.Entries {
		at[e.Seq] = e
		c.bytes += e.Size()
	}
	return found, at, nil
}

// matches reports whether the body that was sent, or the answer, has the wanted part.
func (c *contentSearch) matches(d AttemptDetail) bool {
	c.bytes += len(d.Body) + len(d.Response)
	if c.has(string(d.Body)) {
		return true
	}
	var answer struct {
		Error   string            `json:"error"`
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	json.Unmarshal([]byte(d.Response), &answer) // we wrote it; in an unknown form nothing is found
	if c.has(answer.Body) || c.has(answer.Error) {
		return true
	}
	for name, value := range answer.Headers {
		if c.has(name + ": " + value) {
			return true
		}
	}
	return false
}

// has reports whether a text has the wanted part, as it is or with the escapes of JSON replaced.
func (c *contentSearch) has(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, c.wanted) ||
		strings.IndexByte(text, '\\') >= 0 && strings.Contains(strings.ToLower(unescaped(text)), c.wanted)
}

// unescaped returns a text with the escapes of JSON replaced by their characters.
func unescaped(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, `\`)
		b.WriteString(before)
		if !found || rest == "" {
			return b.String()
		}
		var r rune
		if r, text = escape(rest); r == 0 {
			b.WriteByte('\\')
			continue
		}
		b.WriteRune(r)
	}
}

// escape returns the character of an escape without its backslash, and the text behind it; 0: it is none.
func escape(text string) (r rune, rest string) {
	const names, characters = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if at := strings.IndexByte(names, text[0]); at >= 0 {
		return rune(characters[at]), text[1:]
	}
	r, rest = unit(text)
	if !utf16.IsSurrogate(r) {
		return r, rest
	}
	if second, behind := unit(strings.TrimPrefix(rest, `\`)); utf16.DecodeRune(r, second) != utf8.RuneError {
		return utf16.DecodeRune(r, second), behind
	}
	return utf8.RuneError, rest
}

// unit reads the four digits of an escape such as u00e9; 0: it is none.
func unit(text string) (r rune, rest string) {
	const length = 5
	if len(text) < length || text[0] != 'u' {
		return 0, text
	}
	n, err := strconv.ParseUint(text[1:length], 16, 16)
	if err != nil {
		return 0, text
	}
	return rune(n), text[length:]
}
