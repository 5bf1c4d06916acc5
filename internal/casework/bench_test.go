package casework_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/testworld"
)

// BenchmarkSubmit has a program create cases, and edit one each, with 32 requests under way.
func BenchmarkSubmit(b *testing.B) {
	for engine, url := range map[string]func(testing.TB) string{
		"sqlite":   func(testing.TB) string { return "" },
		"postgres": func(t testing.TB) string { return storetest.Postgres(t, testworld.Key) },
	} {
		for _, what := range []string{"create", "edit"} {
			b.Run(engine+"/"+what, func(b *testing.B) {
				w := startAt(b, url(b))
				w.put(w.p, loan("kyc", ""))
				made, err := w.tokens.CreateToken(b.Context(), w.p, people.TokenRequest{Name: "program"}, authz.Once{})
				if err != nil {
					b.Fatal(err)
				}
				create := casework.Submission{
					Type: "kyc", Transition: "open",
					Data: object(`{"client":"Ann","amount":10,"email":"ann@example.com"}`),
				}
				submit := func(in casework.Submission) casework.View {
					p, err := w.tokens.Authenticate(b.Context(), made.Bearer, "192.0.2.7")
					if err != nil {
						b.Fatal(err)
					}
					v, err := w.submissions.Submit(b.Context(), p, in, authz.Once{})
					if err != nil {
						b.Fatal(err)
					}
					return v
				}
				b.ReportAllocs()
				b.SetParallelism(16)
				b.RunParallel(func(pb *testing.PB) {
					in := create
					if what == "edit" {
						in = casework.Submission{CaseID: submit(create).ID, Edit: true}
					}
					for n := 0; pb.Next(); n++ {
						if what == "edit" {
							in.Data = map[string]any{"tags": []any{[]string{"even", "odd"}[n%2]}}
						}
						submit(in)
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
			})
		}
	}
}

// sized is a definition of so many fields and transitions. Each transition sets some of the fields, and every third
// asks a callback.
func sized(key string, fields, transitions int) string {
	properties, states, all, names := map[string]any{}, []any{}, []any{}, []string{}
	for i := range fields {
		names = append(names, fmt.Sprintf("Field-%d", i))
		properties[names[i]] = map[string]any{"type": "string", "maxLength": 200, "title": "A field for people"}
	}
	for i := range 30 {
		states = append(states, map[string]any{"key": fmt.Sprintf("State%d", i)})
	}
	for i := range transitions {
		tr := map[string]any{
			"key": fmt.Sprintf("event%d", i), "to": fmt.Sprintf("State%d", i%30),
			"fields": names[:min(len(names), 10+i%100)],
		}
		if i > 0 {
			tr["from"] = []string{fmt.Sprintf("State%d", (i+29)%30)}
		}
		if i%3 == 1 {
			tr["about_to_submit"] = map[string]any{"url": "https://callbacks.example.com/ask"}
		}
		all = append(all, tr)
	}
	source, err := json.Marshal(map[string]any{
		"key": key, "states": states, "transitions": all,
		"fields": map[string]any{"type": "object", "properties": properties},
	})
	if err != nil {
		panic(err) // there are only maps
	}
	return string(source)
}

// BenchmarkPutLargeType puts versions of a type with 2,000 fields and 600 transitions.
func BenchmarkPutLargeType(b *testing.B) {
	w := startAt(b, "")
	source := sized("large", 2000, 600)
	for n := 0; b.Loop(); n++ {
		version := strings.Replace(source, "A field for people", fmt.Sprint("A field ", n), 1)
		if _, err := w.types.PutCaseType(b.Context(), w.p, "large", "", []byte(version)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(source)), "bytes")
}

// BenchmarkSubmitToALargeType reports how much longer a submission to a large type takes than the same one to a small.
func BenchmarkSubmitToALargeType(b *testing.B) {
	w := startAt(b, "")
	w.put(w.p, sized("small", 10, 3))
	w.put(w.p, sized("large", 2000, 600))
	submit := func(key string) time.Duration {
		begun := time.Now()
		in := casework.Submission{Type: key, Transition: "event0", Data: object(`{"Field-1":"a","Field-7":"b"}`)}
		if _, err := w.submissions.Submit(b.Context(), w.p, in, authz.Once{}); err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
	submit("small") // the first loads the type
	submit("large")
	took := map[string]time.Duration{}
	for b.Loop() {
		for _, key := range []string{"small", "large"} {
			took[key] += submit(key)
		}
	}
	b.ReportMetric(float64(took["large"])/float64(took["small"]), "large/small")
}
