package event

import "encoding/json"

// As returns the entry as a reader who sees the given classifications ("" is PUBLIC) sees it, and whether they see
// it at all. Classifications are those of the time of the entry: a later definition does not change the past. As
// never changes the entry, and returns the entry itself if nothing in it is hidden.
func (e *Entry) As(sees func(class string) bool) (*Entry, bool) {
	shown, visible := e.Snapshot.As(sees)
	if !visible {
		return nil, false
	}
	hidden := shown.Case != e.Snapshot.Case || !e.Callback.seen(sees)
	for _, f := range e.Facts {
		hidden = hidden || !sees(f.Class)
	}
	if !hidden {
		return e, true
	}
	out := *e
	out.Snapshot, out.Facts, out.Callback = shown, nil, e.Callback.as(sees)
	for _, f := range e.Facts {
		if f, ok := f.As(sees); ok {
			out.Facts = append(out.Facts, f)
		}
	}
	return &out, true
}

// As returns the snapshot as a reader sees it, and whether they see it at all.
func (s Snapshot) As(sees func(class string) bool) (Snapshot, bool) {
	if s.Endpoint != nil && !sees(s.Endpoint.Class) {
		return Snapshot{}, false
	}
	if s.Case == nil {
		return s, true
	}
	if !sees(s.Case.Classification) {
		return Snapshot{}, false
	}
	s.Case = s.Case.as(sees)
	return s, true
}

// as returns the case without the hidden fields. The reference replaces a name that was made of some of
// them.
func (c *Case) as(sees func(class string) bool) *Case {
	hidden := false
	for _, class := range c.Classes {
		hidden = hidden || !sees(class)
	}
	if !hidden && sees(c.NameClass) {
		return c
	}
	out := *c
	if !sees(c.NameClass) {
		out.Name = c.Reference
	}
	out.Classes, out.NameClass = nil, ""
	if !hidden {
		return &out
	}
	var data map[string]json.RawMessage
	if json.Unmarshal(c.Data, &data) != nil {
		data = nil // fields of unreadable data can't be told apart
	}
	for field, class := range c.Classes {
		if !sees(class) {
			delete(data, field)
		}
	}
	if out.Data, _ = json.Marshal(data); data == nil { // raw messages always encode
		out.Data = json.RawMessage("{}")
	}
	return &out
}

// As returns the fact as a reader sees it, and whether they see it at all: all readers see a diff, without its
// hidden changes, and a list of documents has only those that are not hidden.
func (f Fact) As(sees func(class string) bool) (Fact, bool) {
	switch {
	case sees(f.Class):
		return f, true
	case CaseChanged.Is(f):
		return f.diffAs(sees)
	}
	for _, kind := range []Kind[Documents]{CaseDocumentsGenerated, CaseDocumentsDeleted} {
		if kind.Is(f) {
			all, err := kind.Decode(f)
			shown, visible := all.as(sees)
			return kind.New(shown), err == nil && visible
		}
	}
	return Fact{}, false
}

// diffAs returns a diff without the hidden changes.
func (f Fact) diffAs(sees func(class string) bool) (Fact, bool) {
	diff, err := CaseChanged.Decode(f)
	if err != nil {
		return Fact{}, false
	}
	shown := Changes{Changes: []Change{}}
	for _, c := range diff.Changes {
		if sees(c.Class) {
			shown.Changes = append(shown.Changes, c)
		}
	}
	return CaseChanged.New(shown), true
}

// as returns the record without the words of callbacks that were shown hidden fields, without the URLs that a hidden
// definition configured, and without callbacks whose condition reads hidden fields.
func (c *Callback) as(sees func(class string) bool) *Callback {
	if c.seen(sees) {
		return c
	}
	if !sees(c.WhenClass) {
		return c.Earlier.as(sees)
	}
	out := *c
	if !sees(c.Class) {
		out.Warnings, out.IgnoredKeys, out.Class = nil, nil, ""
	}
	if !sees(c.URLClass) {
		out.URL, out.URLClass = "", ""
	}
	out.Earlier = c.Earlier.as(sees)
	return &out
}

// seen reports whether all the words and URLs may be read.
func (c *Callback) seen(sees func(class string) bool) bool {
	return c == nil || sees(c.Class) && sees(c.URLClass) && sees(c.WhenClass) && c.Earlier.seen(sees)
}
