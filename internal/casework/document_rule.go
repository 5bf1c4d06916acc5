package casework

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// maxSettled bounds the documents that one step of a change puts into a case.
const maxSettled = 500

// documentID matches the ids of documents.
var documentID = regexp.MustCompile(`^fdoc_[0-9a-f]{32}$`)

func isDocumentID(text string) bool { return documentID.MatchString(text) }

// FieldDocumentID returns the id in the URL of a document; empty: it is not one of ours.
func FieldDocumentID(url string) string {
	if id := url[strings.LastIndexByte(url, '/')+1:]; isDocumentID(id) {
		return id
	}
	return ""
}

// documentRule decides which documents a change may put into a case: those that are kept here and that its submitter
// may use, and those that the case type allows elsewhere.
type documentRule struct {
	base  func() (string, error) // what the URLs of our own begin with
	find  func(id string) (cases.FieldDocument, error)
	reads func(cases.FieldDocument) (bool, error) // the submitter may read it
	used  func(id string) (cases int, err error)  // how many cases have named it

	named   map[string]bool // by id: those of our own that the change may name
	offered []string        // of others, which callbacks put in
}

// settle checks the documents that a step of the change puts into the case, and fills in what is missing of our own.
// Before is the data until this step, and seen are the data that its author saw: what these name already is no news.
// A callback may put in any document that no case names.
func (pl *plan) settle(before map[string]any, byCallback bool, seen ...map[string]any) ([]fault.Field, error) {
	if pl.documents == nil || !pl.typ.HasDocuments() {
		return nil, nil
	}
	changed := maps.Clone(pl.after.Data)
	maps.DeleteFunc(changed, func(name string, value any) bool { return casetype.Equal(before[name], value) })
	s := settlement{plan: pl, rule: pl.documents, known: map[[2]string]bool{}, byCallback: byCallback}
	for i, data := range seen {
		t := pl.typ
		if i == len(seen)-1 { // the stored data
			t = pl.old()
		}
		t.EachDocument(pl.work, data, "", func(_ string, d map[string]any) { s.known[urlsOf(d)] = true })
	}
	settled := pl.typ.EditDocuments(pl.work, changed, "/data", s.document)
	if s.err != nil || !s.filled {
		return s.wrong, s.err
	}
	pl.after.Data = maps.Clone(pl.after.Data)
	maps.Copy(pl.after.Data, settled)
	return s.wrong, nil
}

// urlsOf returns what identifies a document: its URL and that of its contents.
func urlsOf(document map[string]any) [2]string {
	url, _ := document[casetype.DocumentURL].(string)
	binary, _ := document[casetype.DocumentBinaryURL].(string)
	return [2]string{url, binary}
}

// settlement is one step of a change whose documents are settled.
type settlement struct {
	plan       *plan
	rule       *documentRule
	known      map[[2]string]bool
	byCallback bool
	base       string
	count      int
	filled     bool
	wrong      []fault.Field
	err        error
}

func (s *settlement) refuse(path, message string) {
	s.wrong = append(s.wrong, fault.Field{Path: path, Message: message})
}

// document settles one document.
func (s *settlement) document(path string, d map[string]any) (map[string]any, bool) {
	urls := urlsOf(d)
	if s.err != nil || urls == [2]string{} || s.known[urls] {
		return d, false
	}
	if s.count++; s.count > maxSettled {
		if s.count == maxSettled+1 {
			s.refuse(path, fmt.Sprintf("is one document more than the %d that may be put in at once", maxSettled))
		}
		return d, false
	}
	if s.base == "" {
		if s.base, s.err = s.rule.base(); s.err != nil {
			return d, false
		}
	}
	id, ours := strings.CutPrefix(urls[0], s.base)
	if !ours {
		s.elsewhere(path, urls)
		return d, false
	}
	found, usable, err := s.ours(id)
	switch {
	case err != nil:
		s.err = err
	case !usable:
		s.refuse(path+"/"+casetype.DocumentURL,
			"names no document that you may use: upload the file, and send the URL of the answer")
	case urls[1] != "" && urls[1] != urls[0]+binaryPath:
		s.refuse(path+"/"+casetype.DocumentBinaryURL, "is not that of the document: leave it out")
	default:
		s.rule.named[id] = true
		return s.fill(d, urls, found.Filename)
	}
	return d, false
}

// elsewhere checks a document that is not kept here.
func (s *settlement) elsewhere(path string, urls [2]string) {
	for i, member := range []string{casetype.DocumentURL, casetype.DocumentBinaryURL} {
		if urls[i] != "" && !s.plan.typ.AllowsDocument(urls[i]) {
			s.refuse(path+"/"+member, "is neither that of a document here nor begins with one of the case type's "+
				"document_urls")
		}
	}
}

// ours finds a document of our own, and reports whether the change may name it.
func (s *settlement) ours(id string) (d cases.FieldDocument, usable bool, err error) {
	if !isDocumentID(id) {
		return d, false, nil
	}
	d, err = s.rule.find(id)
	if errors.Is(err, fault.NotFound) || err == nil && d.Blob == "" {
		return d, false, nil
	}
	if err != nil || s.rule.named[id] {
		return d, err == nil, err
	}
	if usable, err = s.rule.reads(d); err != nil {
		return d, false, err
	}
	if !usable && s.byCallback && !d.UnnamedSince.IsZero() {
		usable = true
		s.rule.offered = append(s.rule.offered, id)
	}
	if count, err := s.rule.used(id); err != nil || count >= store.MostDocumentCases {
		return d, false, err
	}
	return d, usable, nil
}

// fill adds what is missing of a document.
func (s *settlement) fill(d map[string]any, urls [2]string, name string) (map[string]any, bool) {
	filled := maps.Clone(d)
	if urls[1] == "" {
		filled[casetype.DocumentBinaryURL] = urls[0] + binaryPath
	}
	if given := d[casetype.DocumentFilename]; given == nil || given == "" {
		filled[casetype.DocumentFilename] = name
	}
	if casetype.Equal(d, filled) {
		return d, false
	}
	s.filled = true
	return filled, true
}

// documentIDs lists the documents of our own that the change puts into a case with these data.
func (pl *plan) documentIDs(data map[string]any) []string {
	if pl.documents == nil || len(pl.documents.named) == 0 {
		return nil
	}
	there := map[string]bool{}
	pl.typ.EachDocument(nil, data, "", func(_ string, d map[string]any) {
		if id := FieldDocumentID(urlsOf(d)[0]); pl.documents.named[id] {
			there[id] = true
		}
	})
	return slices.Sorted(maps.Keys(there))
}

// namesDocument reports whether data name a document of our own.
func namesDocument(t *casetype.Type, data map[string]any, id string) (named bool) {
	t.EachDocument(nil, data, "", func(_ string, d map[string]any) {
		named = named || strings.HasSuffix(urlsOf(d)[0], "/"+id)
	})
	return named
}
