package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// A real receiver gets a message for each contact that is created, once, as published.
// A message that it refuses at first delays no other contact, and is sent again.
func TestAReceiverGetsNewContacts(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func() (string, string){
		"sqlite": func() (string, string) {
			return "sqlite", storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey)
		},
		"postgres": func() (string, string) { return "pgx", storetest.Postgres(t, databaseKey) },
	} {
		t.Run(name, func(t *testing.T) {
			driver, dsn := dsn()
			w := startOn(t, driver, dsn)
			heard := make(chan string, 100)
			receiver := httptest.NewServer(wiretest.Handler(t,
				http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					attempt := r.Header.Get("webhook-attempt")
					if strings.Contains(string(body), `"Ada"`) && attempt == "1" {
						rw.WriteHeader(http.StatusConflict)
					}
					heard <- fmt.Sprintf("%s %s %s %s %s", r.Header.Get("Event-Name"), r.Header.Get("webhook-subject"),
						r.Header.Get("webhook-sequence"), attempt, body)
				})))
			t.Cleanup(receiver.Close)
			out := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			t.Cleanup(out.Close)
			engine := delivery.New(w.store, out, delivery.Config{Node: "one", Version: "1.2.3",
				Poll: 20 * time.Millisecond, Jitter: func() float64 { return 0.5 }, Log: w.logger()})
			ctx, stop := context.WithCancel(t.Context())
			stopped := make(chan error, 1)
			go func() { stopped <- engine.Run(ctx) }()
			t.Cleanup(func() { stop(); <-stopped })

			w.post("/v1/endpoints", `{"url": "`+receiver.URL+
				`", "triggers": ["contact.created"], "policy": {"retries": ["1s"]}}`).is(201, "")
			ada := w.post("/v1/contacts", `{"first_name": "Ada", "last_name": "Lovelace", "country_code": "GB"}`).
				is(201, "")
			// a message is as of its version
			w.do("PATCH", ada.header.Get("Location"), `{"first_name": "Augusta"}`).is(200, "")
			bob := w.post("/v1/contacts", `{"is_business": true, "business_name": "Bob & Sons"}`).is(201, "")
			messages := map[string]int{}
			for range 3 {
				messages[<-heard]++
			}
			want := func(g answer, attempt string, of contactBody) string {
				body := fmt.Sprintf(contactCreated, g.text("id"), of.isBusiness, of.business, of.first,
					of.last, of.country,
					threeDigits(t, g.text("created_at")))
				return fmt.Sprintf("contact.created contact/%s 1 %s %s", g.text("id"), attempt, body)
			}
			person := contactBody{first: `"Ada"`, last: `"Lovelace"`, business: "null", country: `"GB"`}
			business := contactBody{
				first: "null", last: "null", business: `"Bob & Sons"`, country: "null", isBusiness: true,
			}
			for _, message := range []string{
				want(ada, "1", person), want(ada, "2", person), want(bob, "1", business),
			} {
				if messages[message] != 1 {
					t.Errorf("received %d times: %s\nof %v", messages[message], message, messages)
				}
			}
		})
	}
}

// contactBody has the members, in JSON, in which the bodies of contacts differ.
type contactBody struct {
	first, last, business, country string
	isBusiness                     bool
}

// contactCreated is the body of contact.created, without its spaces and line breaks.
var contactCreated = regexp.MustCompile(`\n\s*`).ReplaceAllString(`{"contact":{
	"id":%s,
	"is_business":%t,
	"business_name":%s,
	"title":null,
	"first_name":%s,
	"middle_name":null,
	"last_name":%s,
	"email":null,
	"mobile_phone":null,
	"home_phone":null,
	"work_phone":null,
	"preferred_contact_method":null,
	"address_line1":null,
	"address_line2":null,
	"address_line3":null,
	"city":null,
	"state":null,
	"postcode":null,
	"country_code":%s,
	"created_at":%q},
"event_name":"contact.created",
"source":"api",
"performed_by":{"name":"admin"}}`, "")

// threeDigits is a time of an answer as bodies of webhooks have it.
func threeDigits(t *testing.T, text string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	must(t, err)
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}
