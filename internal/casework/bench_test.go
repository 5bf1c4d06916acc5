package casework_test

import (
	"testing"

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
