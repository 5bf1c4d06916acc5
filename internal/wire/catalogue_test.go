package wire_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/wire"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

func TestEveryTriggerHasASample(t *testing.T) {
	for _, trigger := range wire.Triggers() {
		e := wire.Sample(trigger.Name)
		found := false
		for _, m := range wire.Messages(e, "1.0.0", casetype.Public) {
			found = found || m.Trigger == trigger.Name && m.Err == nil && !m.Hidden && len(m.Body) > 0
		}
		if !found {
			t.Errorf("the sample of %s has no such message", trigger.Name)
		}
		if diff := cmp.Diff(e, wire.Sample(trigger.Name)); diff != "" {
			t.Errorf("the sample of %s is not always the same: %s", trigger.Name, diff)
		}
		if c := e.Snapshot.Case; c != nil && !id.ValidCase(c.ID) {
			t.Errorf("the sample of %s has a case with the id %d, which none can have", trigger.Name, c.ID)
		}
	}
	if wire.Sample("case_exploded") != nil || wire.Schema("case_exploded") != nil ||
		wire.Examples("case_exploded", "1.0.0") != nil {
		t.Error("an unknown trigger has a sample or a schema")
	}
}

func TestExamplesAreAsTheSchemaSays(t *testing.T) {
	for _, trigger := range wire.Triggers() {
		examples := wire.Examples(trigger.Name, "1.0.0")
		if len(examples) == 0 {
			t.Errorf("%s has no example", trigger.Name)
		}
		for _, m := range examples {
			if err := wiretest.ValidBody(trigger.Name, m.Body); m.Err != nil || err != nil {
				t.Errorf("%s: %v, %v\n%s", trigger.Name, m.Err, err, m.Body)
			}
		}
	}
}

// The schemas have to accept the bodies of the vectors.
func TestVectorsAreAsTheSchemaSays(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	held := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, ok := bytes.Cut(raw, []byte("\n\n"))
		if !ok { // an AboutToSubmit question, which is no trigger's
			continue
		}
		held++
		if err := wiretest.ValidBody(wire.TriggerOf(body), body); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if held < 35 {
		t.Errorf("%d vectors were checked by schemas", held)
	}
}

func TestEveryHeaderIsDescribed(t *testing.T) {
	for _, trigger := range wire.Triggers() {
		docs := map[string]wire.HeaderDoc{}
		for _, doc := range wire.Headers(trigger.Name, "1.0.0", "1.0.0") {
			if docs[doc.Name].Name != "" || doc.Description == "" || doc.Example == "" {
				t.Errorf("%s: the header %s lacks a description or an example", trigger.Name, doc.Name)
			}
			docs[doc.Name] = doc
		}
		for _, h := range wire.Examples(trigger.Name, "1.0.0")[0].Header {
			if docs[h.Name].Name == "" {
				t.Errorf("%s: the header %s is not described", trigger.Name, h.Name)
			}
		}
	}
}

// An unknown trigger has only the headers of all requests.
func TestAnUnknownTriggerHasTheCommonHeaders(t *testing.T) {
	names := map[string]bool{}
	for _, doc := range wire.Headers("case_exploded", "1.0.0", "1.0.0") {
		names[doc.Name] = true
	}
	if !names["webhook-id"] || !names["User-Agent"] || names["X-atfinity-event"] || names["Event-Name"] {
		t.Errorf("its headers are %v", names)
	}
}

// The times and colours of samples agree with their states: no time is before the creation, or after the sample.
func TestSamplesAreConsistent(t *testing.T) {
	for _, trigger := range wire.Names() {
		for _, e := range wire.Samples(trigger) {
			if p := e.Snapshot.Endpoint; p != nil && !p.Since.Before(e.At) {
				t.Errorf("%s: the endpoint has been failing since %s, at %s", trigger, p.Since, e.At)
			}
			c := e.Snapshot.Case
			if c == nil {
				continue
			}
			begun := e.Facts[0].Name == event.CaseCreated.Name
			if c.CreatedAt.Before(e.At) == begun || c.CreatedAt.After(c.OpenedAt) || c.OpenedAt.After(e.At) {
				t.Errorf("%s: created %s, opened %s, at %s", trigger, c.CreatedAt, c.OpenedAt, e.At)
			}
			if c.Final == c.ClosedAt.IsZero() || (c.State == "in_review") == c.Final {
				t.Errorf("%s: in the state %s it is final: %v, closed at %s", trigger, c.State, c.Final, c.ClosedAt)
			}
		}
	}
}

// Messages of any entry are as documented.
func TestAllBodiesAreAsTheSchemaSays(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "x", "Smith & Söhne"})
	when := rapid.SampledFrom([]time.Time{{}, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)})
	triggers := wire.Triggers()
	rapid.Check(t, func(t *rapid.T) {
		e := wire.Sample(rapid.SampledFrom(triggers).Draw(t, "trigger").Name)
		if rapid.Bool().Draw(t, "a program") {
			e.Actor = event.Actor{
				Source: rapid.SampledFrom([]event.Source{event.API, event.System}).Draw(t, "source"), Name: "crm",
			}
		}
		if c := e.Snapshot.Case; c != nil {
			c.Name, c.Color, c.ProcessKey, c.Reference = text.Draw(t, "name"), text.Draw(t, "color"), text.Draw(t,
				"process"), text.Draw(t, "reference")
			c.OutcomeInstance, c.StatusChangedBy = rapid.Int64Range(0, 2).Draw(t, "outcome"),
				rapid.Int64Range(0, 2).Draw(t, "by")
			c.Labels = rapid.SliceOf(text).Draw(t, "labels")
			c.AssignedAt, c.LastActivityBy = when.Draw(t, "assigned"), rapid.Int64Range(0, 2).Draw(t, "active")
			c.Final, c.ClosedAt = rapid.Bool().Draw(t, "final"), when.Draw(t, "closed")
			c.Data = []byte(rapid.SampledFrom([]string{`{}`, `{"a":null,"b":[1],"c":{"d":1.5}}`}).Draw(t, "data"))
			c.Assignee = rapid.SampledFrom([]*event.Person{nil, {UserID: 3, Name: "Bo"}}).Draw(t, "assignee")
		}
		if c := e.Snapshot.Contact; c != nil {
			c.IsBusiness, c.BusinessName, c.FirstName = rapid.Bool().Draw(t, "business"), text.Draw(t, "business name"),
				text.Draw(t, "first name")
			c.Email, c.Preferred, c.CountryCode = text.Draw(t, "email"), text.Draw(t, "method"), text.Draw(t, "country")
		}
		for _, m := range wire.Messages(e, "1.0.0", casetype.Public) {
			if err := wiretest.ValidBody(m.Trigger, m.Body); m.Err != nil || err != nil {
				t.Fatalf("%s: %v, %v\n%s", m.Trigger, m.Err, err, m.Body)
			}
		}
	})
}
