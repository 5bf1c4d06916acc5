package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// review is the story of a KYC review: a callback refuses or changes some of the changes, and the
// receiver gets those that were saved.
func (s *stage) review(ctx context.Context) error {
	s.out.chapter("A bank reviews a client (examples/kyc.yaml)")
	s.id, s.version = 0, 0
	if _, err := s.run(ctx, step{
		title: "A review is opened for Acme Corp",
		call: call{Method: http.MethodPost,
			Path: "/v1/case-types/kyc/cases", Body: map[string]any{"data": map[string]any{
				"client_name": "Acme Corp", "email": "office@acme.example", "country": "CH",
				"source_of_funds": "business", "expected_turnover": 2_500_000_00,
			}}},
		status: http.StatusCreated, state: "draft", triggers: []string{"case_created", "case_state_changed"},
	}); err != nil {
		return err
	}
	if err := s.play(ctx, s.argued()); err != nil {
		return err
	}
	s.inbox.refuseNext(1)
	if err := s.play(ctx, s.attached()); err != nil {
		return err
	}
	if err := s.document(ctx); err != nil {
		return err
	}
	if err := s.play(ctx, []step{{
		title:  "The account is opened",
		call:   s.submit("finish", nil),
		status: http.StatusOK, state: "closed", asks: "/kyc/finish",
		triggers: []string{"case_state_changed", "case_finished"},
	}}); err != nil {
		return err
	}
	return s.history(ctx)
}

// argued returns the steps in which a callback objects or adds data.
func (s *stage) argued() []step {
	return []step{{
		title: "An edit: the callback computes the risk",
		call: call{
			Method: http.MethodPatch, Path: s.path(""),
			Body: map[string]any{"data": map[string]any{"nationalities": []string{"CH"}}},
		},
		status: http.StatusOK, asks: "/kyc/edit", triggers: []string{"case_changed"},
		shows: func(a answer) string {
			data := a.caseResult().Data
			return fmt.Sprintf("%s, with the callback's additions: risk_score %v, risk_level %v", showCase(a),
				data["risk_score"], data["risk_level"])
		},
	}, {
		title:  "Submitted with a country that is not served: the callback refuses with errors",
		call:   s.submit("submit", map[string]any{"data": map[string]any{"country": "KP"}}),
		status: http.StatusUnprocessableEntity, asks: "/kyc/submit", shows: showProblem,
	}, {
		title:  "Submitted as it was: the callback warns",
		call:   s.submit("submit", nil),
		status: http.StatusUnprocessableEntity, asks: "/kyc/submit", shows: showProblem,
	}, {
		title:  "Submitted again, ignoring the warning",
		call:   s.submit("submit", map[string]any{"ignore_warning": true}),
		status: http.StatusOK, state: "in_review", asks: "/kyc/submit", triggers: []string{"case_state_changed"},
	}, {
		title:  "Approved, but the risk is medium: the callback diverts the case to compliance",
		call:   s.submit("approve", nil),
		status: http.StatusOK, state: "escalated", asks: "/kyc/approve", triggers: []string{"case_state_changed"},
	}}
}

// attached returns the steps that add things other than data to the case. In the first, the receiver refuses the
// first try.
func (s *stage) attached() []step {
	return []step{{
		title: "A comment; the receiver is away for a moment, and gets the message again",
		call: call{
			Method: http.MethodPost, Path: s.path("/comments"),
			Body: map[string]any{"text": "The register was checked; all is well."},
		},
		status: http.StatusCreated, triggers: []string{"case_comment"}, shows: showComment,
	}, {
		title: "A proof is uploaded",
		call: call{Method: http.MethodPost, Path: s.path("/proofs?key=company_register&filename=register.txt"),
			Body: []byte("Acme Corp, CHE-123.456.789\n"), ContentType: "text/plain"},
		status: http.StatusCreated, triggers: []string{"case_proofs_updated"}, shows: showFile,
	}, {
		title:  "Compliance approves",
		call:   s.submit("approve", map[string]any{"data": map[string]any{"decision_reason": "The owners are known."}}),
		status: http.StatusOK, state: "approved", asks: "/kyc/approve",
		triggers: []string{"case_changed", "case_state_changed", "case_approved"},
	}}
}

// document generates a document and downloads it.
func (s *stage) document(ctx context.Context) error {
	a, err := s.run(ctx, step{
		title:  "A document is generated",
		call:   call{Method: http.MethodPost, Path: s.path("/documents"), Body: map[string]any{"key": "summary"}},
		status: http.StatusCreated, triggers: []string{"case_documents_updated"}, shows: showFile,
	})
	if err != nil {
		return err
	}
	a, err = s.run(ctx, step{
		title:  "The document is downloaded",
		call:   call{Method: http.MethodGet, Path: a.file().ContentPath},
		status: http.StatusOK,
		shows:  func(a answer) string { return fmt.Sprintf("%.8s, %d bytes", a.Body, len(a.Body)) },
	})
	if err == nil && !bytes.HasPrefix(a.Body, []byte("%PDF-")) {
		err = errors.New("the document is no PDF")
	}
	return err
}

// history shows the history of the case, and the answers of the callbacks.
func (s *stage) history(ctx context.Context) error {
	var count int
	_, err := s.run(ctx, step{
		title:  "The history of the case",
		call:   call{Method: http.MethodGet, Path: s.path("/history")},
		status: http.StatusOK,
		shows: func(a answer) string {
			var text string
			text, count = showHistory(a)
			return text
		},
	})
	if err == nil && int64(count) != s.version {
		err = errors.New("the history does not have one entry for each version")
	}
	return err
}

// path returns a path below that of the case.
func (s *stage) path(of string) string { return fmt.Sprintf("/v1/cases/%d%s", s.id, of) }

// submit submits a transition of the case.
func (s *stage) submit(transition string, body map[string]any) call {
	c := call{Method: http.MethodPost, Path: s.path("/transitions/" + transition)}
	if body == nil {
		body = map[string]any{}
	}
	c.Body = body
	return c
}

func showCase(a answer) string {
	k := a.caseResult()
	return fmt.Sprintf("%s %q is %s, version %d", k.Reference, k.Name, k.State, k.Version)
}

func showProblem(a answer) string {
	k := a.caseResult()
	lines := []string{k.Code + ": nothing was saved or sent"}
	for _, e := range k.Errors {
		lines = append(lines, "error: "+e)
	}
	for _, w := range k.Warnings {
		lines = append(lines, "warning: "+w)
	}
	for _, f := range k.Fields {
		lines = append(lines, f.Path+" "+f.Message)
	}
	return strings.Join(lines, "\n")
}

func showComment(a answer) string {
	var c struct {
		Text string
		By   struct{ Name string }
	}
	if decode(a.Body, &c) != nil {
		return ""
	}
	return fmt.Sprintf("%s says: %s", c.By.Name, c.Text)
}

func showFile(a answer) string {
	f := a.file()
	return fmt.Sprintf("%s, %d bytes, sha256 %.12s…", f.Filename, f.Size, f.SHA256)
}

// file is a document or a proof.
type file struct {
	Filename    string `json:"filename"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
	ContentPath string `json:"content_path"`
}

func (a answer) file() (f file) {
	if decode(a.Body, &f) != nil {
		return file{}
	}
	return f
}

// showHistory returns a line for each entry, the oldest first, and the number of entries.
func showHistory(a answer) (string, int) {
	var page struct {
		Items []struct {
			Version  int64
			By       struct{ Name string }
			Facts    []struct{ Name string }
			Callback *struct {
				Status        int
				Warnings      []string
				OverrideState string `json:"override_state"`
				ReplacedData  bool   `json:"replaced_data"`
			}
		}
	}
	if decode(a.Body, &page) != nil {
		return "", 0
	}
	var lines []string
	for i := len(page.Items) - 1; i >= 0; i-- {
		item := page.Items[i]
		var facts []string
		for _, f := range item.Facts {
			facts = append(facts, f.Name)
		}
		line := fmt.Sprintf("v%d  by %s: %s", item.Version, item.By.Name, strings.Join(facts, ", "))
		if c := item.Callback; c != nil {
			line += "; the callback answered " + fmt.Sprint(c.Status)
			switch {
			case c.ReplacedData:
				line += " with data"
			case c.OverrideState != "":
				line += " with the state " + c.OverrideState
			case len(c.Warnings) > 0:
				line += " with warnings, ignored"
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), len(page.Items)
}
