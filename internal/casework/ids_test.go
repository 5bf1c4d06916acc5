package casework_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
)

// counted returns a case type whose ids are sequential.
func counted(key, ask string) string {
	return strings.Replace(loan(key, ask), `"name": "Loan",`, `"name": "Loan", "ids": "sequential",`, 1)
}

// create creates a case, and returns its id, or 0 if it is refused.
func create(t testing.TB, s *services, p access.Principal, in casework.Submission) int64 {
	v, err := s.submissions.Submit(t.Context(), p, in, authz.Once{})
	if err != nil && fault.As(err).Kind != fault.Unprocessable {
		t.Errorf("%+v: %v", in, err)
	}
	return v.ID
}

func TestIDsOfAllSequentialTypesAreOneLineOfATenant(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		other := w.tenant("other")
		for _, p := range []access.Principal{w.p, other} {
			w.put(p, counted("loan", `"retries": []`))
			w.put(p, counted("claim", ""))
			w.put(p, loan("random", ""))
		}
		made := func(p access.Principal, key string) int64 {
			return create(t, &w.services, p,
				casework.Submission{Type: key, Transition: "open", Data: object(`{"client":"Ann"}`)})
		}
		for i, want := range []int64{1, 2, 3, 4} {
			if got := made(w.p, []string{"loan", "claim"}[i%2]); got != want {
				t.Errorf("the case %d has the id %d", want, got)
			}
			if got := made(w.p, "random"); got < 1e15 || !id.ValidCase(got) {
				t.Errorf("a random id is %d", got)
			}
		}
		if got := made(other, "loan"); got != 1 {
			t.Errorf("the other tenant's first case has the id %d", got)
		}
		if got, err := w.cases.Case(t.Context(), other, 1); err != nil || got.Tenant != other.Tenant {
			t.Errorf("the other tenant's case 1: %+v, %v", got, err)
		}
		_, err := w.cases.Case(t.Context(), other, 2)
		wantFault(t, err, fault.NotFound, "case.not_found")
	})
}

func TestACallbackIsShownTheNumberThatTheCaseGets(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, counted("loan", `"retries": []`))
		w.callbacks.on("loan", respond(200, `{"errors":["no"]}`), respond(200, ``))
		in := casework.Submission{Type: "loan", Transition: "open_asked", Data: object(`{"client":"Ann"}`)}
		create(t, &w.services, w.p, in) // uses up 1
		in.Data = object(`{"amount":"much"}`)
		create(t, &w.services, w.p, in) // is invalid, and uses up none
		in.Data = object(`{"client":"Bo"}`)
		asked := once(access.CreateCase, "a", "b")
		v, err := w.submissions.Submit(t.Context(), w.p, in, asked)
		if err != nil || v.ID != 2 {
			t.Fatalf("the case has the id %d, %v", v.ID, err)
		}
		_, err = w.submissions.Submit(t.Context(), w.p, in, asked)
		if again := replayed(t, err); !bytes.Contains(again.Body, []byte(`"ID":2,`)) {
			t.Errorf("the retry was answered %s", again.Body)
		}
		if v := w.open("loan"); v.ID != 3 {
			t.Errorf("the next case has the id %d", v.ID)
		}
		for i, body := range w.callbacks.at("loan").bodies {
			if want := fmt.Sprintf(`"id":"%d"`, i+1); !strings.Contains(body, want) {
				t.Errorf("question %d lacks %s: %s", i, want, body)
			}
		}
		if entry := w.history(2)[0]; entry.Subject != "case/2" ||
			entry.Snapshot.Case.URL != "https://casehook.example/cases/2" {
			t.Errorf("stored as %s at %s", entry.Subject, entry.Snapshot.Case.URL)
		}
	})
}

func TestACaseKeepsItsIDWhateverItsTypeSaysLater(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	w.put(w.p, counted("claim", ""))
	before := w.open("loan")
	w.put(w.p, counted("loan", ""))
	if v := w.load(before.ID); v.ID != before.ID {
		t.Errorf("the case has the id %d", v.ID)
	}
	first := w.open("loan")
	w.put(w.p, loan("loan", ""))
	if after := w.open("loan"); first.ID != 1 || after.ID < 1e15 {
		t.Errorf("counted %d, then random %d", first.ID, after.ID)
	}
	for _, c := range []casework.View{before, first} {
		v, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: c.ID, Type: "claim"}, authz.Once{})
		if err != nil || v.ID != c.ID || v.Type != "claim" {
			t.Errorf("switched: %d, %s, %v", v.ID, v.Type, err)
		}
	}
}

// While two nodes create and refuse cases at once, all ids differ, and none is larger than the number of drawn ids plus
// the reserves of two nodes.
func TestSequentialIDsAreDenseAndUniqueUnderConcurrencyAndOnTwoNodes(t *testing.T) {
	engines := map[string]func(t *testing.T) *world{
		"sqlite":   func(t *testing.T) *world { return startAt(t, "") },
		"postgres": func(t *testing.T) *world { return startAt(t, pgtest.URL(t)) },
	}
	for name, begin := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			nodes := []*services{&w.services}
			reserve := 0
			if name == "postgres" {
				nodes, reserve = append(nodes, w.secondNode()), 2*64
			}
			w.callbacks.on("loan", respond(200, `{"errors":["no"]}`))
			tenants := 0
			rapid.Check(t, func(r *rapid.T) {
				tenants++
				p := w.tenant(fmt.Sprint("t", tenants))
				w.put(p, counted("loan", `"retries": []`))
				w.put(p, counted("claim", ""))
				steps := rapid.SliceOfN(rapid.SampledFrom([]string{"loan open", "claim open", "loan open_asked"}), 1,
					20).Draw(r, "steps")
				ids := createAtOnce(t, nodes, p, steps)
				if largest := int(slices.Max(append(ids, 0))); largest > len(steps)+reserve {
					r.Errorf("the largest id of %d is %d", len(steps), largest)
				}
				if len(nodes) == 1 && len(ids) == len(steps) && slices.Max(ids) != int64(len(ids)) {
					r.Errorf("there are gaps in %v", ids)
				}
				slices.Sort(ids)
				if distinct := slices.Compact(slices.Clone(ids)); len(distinct) != len(ids) ||
					len(ids) > 0 && ids[0] < 1 {
					r.Errorf("the ids are %v", ids)
				}
			})
		})
	}
}

// createAtOnce carries out all steps at once, and returns the ids of the created cases.
func createAtOnce(t *testing.T, nodes []*services, p access.Principal, steps []string) []int64 {
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids := map[int]int64{}
	for i, step := range steps {
		key, transition, _ := strings.Cut(step, " ")
		wg.Go(func() {
			n := create(t, nodes[i%len(nodes)], p, casework.Submission{Type: key, Transition: transition})
			mu.Lock()
			defer mu.Unlock()
			if ids[i] = n; n == 0 {
				delete(ids, i)
			}
		})
	}
	wg.Wait()
	return slices.Collect(maps.Values(ids))
}

// secondNode opens another store on the world's PostgreSQL database.
func (w *world) secondNode() *services {
	w.t.Helper()
	st, err := store.Open(w.t.Context(), store.Options{URL: w.url, Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { st.Close() })
	return w.nodeOn(st)
}

func TestContactsOfATenantMayBeCounted(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, operator, other := t.Context(), people.Operator("::1"), w.tenant("other")
		set := func(how casetype.IDs) error {
			_, err := w.tenants.ChangeTenant(ctx, operator, "first", people.TenantChange{ContactIDs: &how})
			return err
		}
		if c := w.contact(w.p, adaLovelace); c.ID < 1e15 {
			t.Errorf("the first contact has the id %d", c.ID)
		}
		if err := set(casetype.SequentialIDs); err != nil {
			t.Fatal(err)
		}
		wantFields(t, wantFault(t, set("serial"), fault.Unprocessable, "tenant.invalid"), "/contact_ids")
		_, err := w.contacts.CreateContact(ctx, w.p, event.ContactDetails{}, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "contact.invalid")
		for want := int64(1); want <= 3; want++ {
			if c := w.contact(w.p, adaLovelace); c.ID != want {
				t.Errorf("the contact %d has the id %d", want, c.ID)
			}
		}
		if entry := w.contactEntries(w.p, 2)[0]; entry.Subject != "contact/2" || entry.Snapshot.Contact.ID != 2 {
			t.Errorf("stored as %s, %+v", entry.Subject, entry.Snapshot.Contact)
		}
		if c := w.contact(other, adaLovelace); c.ID < 1e15 {
			t.Errorf("the other tenant's contact has the id %d", c.ID)
		}
		_, err = w.contacts.Contact(ctx, other, 1)
		wantFault(t, err, fault.NotFound, "contact.not_found")
		if err := set(casetype.RandomIDs); err != nil {
			t.Fatal(err)
		}
		if c := w.contact(w.p, adaLovelace); c.ID < 1e15 {
			t.Errorf("the contact has the id %d again", c.ID)
		}
	})
}
