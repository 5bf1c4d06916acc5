package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
)

// narrow puts a version of the bench's case type that only these roles may read.
func (b *bench) narrow(version int64, roles string) {
	b.Helper()
	b.update(func(tx *store.Tx) error {
		return tx.CreateCaseType(b.Context(), b.tenant, store.CaseType{
			Key: "t", Version: version, Definition: fmt.Appendf(nil, `{"access": {"read": %s}}`, roles),
			CreatedAt: time.Now(),
		})
	})
}

// owned adds an endpoint that belongs to a token of a role.
func (b *bench) owned(url string, role access.Role, p endpoint.Policy) endpoint.Endpoint {
	b.Helper()
	token := access.Token{
		ID:        id.New("tok"),
		Tenant:    b.tenant,
		Name:      "m",
		Hash:      []byte{1},
		Role:      role,
		Clearance: casetype.Restricted,
		CreatedAt: time.Now(),
	}
	e := b.listening(url, p)
	e.Owner = "token/" + token.ID
	b.update(func(tx *store.Tx) error {
		if err := tx.CreateToken(b.Context(), token); err != nil {
			return err
		}
		return tx.CreateEndpoint(b.Context(), e, id.New("cur"))
	})
	return e
}

// Whether an endpoint's owner may read a message is decided when it is sent. A waiting message that the owner may no
// longer read keeps its place and is not sent.
func TestAnEndpointGetsOnlyWhatItsOwnerMayRead(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		entered, leave := make(chan arrival), make(chan int)
		r := b.receiver(func(a arrival) int { entered <- a; return <-leave })
		all := b.receiver(ok)
		e := b.owned(r.url, access.Manager, endpoint.Policy{Concurrency: 2, Retries: every(time.Millisecond, 3)})
		b.owned(all.url, access.Admin, endpoint.Policy{})
		b.narrow(1, `["manager"]`)
		for c := int64(1); c <= 2; c++ {
			for version := int64(1); version <= 3; version++ {
				b.comment(c, version)
			}
		}
		<-entered
		<-entered
		b.narrow(2, `["caseworker"]`)
		leave <- 200
		leave <- 500 // the failed message is not tried again
		for range 6 {
			b.next(all)
		}
		b.served(e)
		if n := len(r.arrived); n != 2 {
			t.Errorf("%d requests, want the two that were under way", n)
		}
		b.narrow(3, `["manager"]`)
		b.comment(1, 4)
		if a := <-entered; a.version != 4 {
			t.Errorf("version %d is sent once the owner may read again", a.version)
		}
		leave <- 200
		b.served(e)
	})
}

// The removal of an owner, or a lower clearance, takes effect at once.
func TestAnEndpointHearsNoMoreThanItsOwnerSees(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var u access.User
		b.update(func(tx *store.Tx) (err error) {
			u, err = tx.CreateUser(b.Context(),
				access.User{
					Tenant: b.tenant, Email: "a@example.org", Name: "A", Role: access.Manager,
					Clearance: casetype.Restricted,
				})
			return err
		})
		change := func(do func(*access.User)) {
			do(&u)
			b.update(func(tx *store.Tx) (err error) { u, err = tx.UpdateUser(b.Context(), u); return err })
		}
		r := b.receiver(ok)
		e := b.listening(r.url, endpoint.Policy{})
		e.Owner = fmt.Sprintf("user/%d", u.ID)
		b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, id.New("cur")) })
		tell := func(caseID int64, class string) {
			b.update(func(tx *store.Tx) error {
				entry := b.commented(caseID, 1)
				entry.Snapshot.Case.Classification = class
				_, err := tx.Append(b.Context(), entry)
				return err
			})
		}
		tell(1, "RESTRICTED")
		b.next(r)
		change(func(u *access.User) { u.Clearance = casetype.Private })
		tell(2, "RESTRICTED")
		tell(3, "PRIVATE")
		if a := b.next(r); a.caseID != 3 {
			t.Errorf("case %d is sent, which is above the owner's clearance", a.caseID)
		}
		b.narrow(1, `["manager"]`)
		tell(4, "PRIVATE")
		b.next(r)
		change(func(u *access.User) { u.Disabled = true })
		tell(5, "PRIVATE")
		b.served(e)
		b.narrow(2, `null`)
		tell(6, "PRIVATE") // cases that anybody may read go on
		if a := b.next(r); a.caseID != 6 {
			t.Errorf("case %d is sent, although the owner is disabled", a.caseID)
		}
	})
}

// A commit of another node counts within a second. Without a notification only the clock ends what a node has cached.
func TestANodeFollowsRightsChangedByTheOther(t *testing.T) {
	one, two := twoNodes(t)
	owner := one.owned("http://192.0.2.1", access.Manager, endpoint.Policy{})
	reads := func() bool {
		reader, err := two.store.Reader(t.Context(), one.tenant, access.Owner(owner.Owner))
		if err != nil {
			t.Fatal(err)
		}
		entry := one.commented(1, 1)
		return reader.Reads(&entry)
	}
	if !reads() {
		t.Fatal("a case that anybody may read is not read")
	}
	one.narrow(1, `["viewer"]`)
	waits.Poll(t, "the other node knows", func() bool { return !reads() })
}
