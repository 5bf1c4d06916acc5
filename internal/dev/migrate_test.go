package dev

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/casehook/casehook/internal/client"
)

func TestAMigrationGoesOnUntilTheEndAndPrintsItsProgress(t *testing.T) {
	answers := []string{
		`{"to": 3, "moved": 1200, "misfits": [], "left": 100000, "next": "a"}`,
		`{"to": 3, "moved": 0, "misfits": [{"case_id": 7, "version": 1, "fields": [{"path": "/state", "message": "is gone"}]}], "left": 2, "next": "b"}`,
		`{"to": 3, "moved": 0, "misfits": [], "left": 0, "next": "c"}`,
		`{"to": 3, "moved": 2, "misfits": [], "left": 0, "next": null}`,
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.URL.Path+string(body))
		if len(answers) == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, answers[0])
		answers = answers[1:]
	}))
	defer server.Close()
	var out, progress bytes.Buffer
	m := Migration{Output: Output{Out: &out}, Progress: &progress, Type: "kyc", States: map[string]string{"a": "b"}}
	c := &client.Client{Server: server.URL, Token: "chk_x"}
	if fit, err := Migrate(t.Context(), c, m); err != nil || fit {
		t.Errorf("it fits: %t, %v", fit, err)
	}
	want := "1,200 of more than 101,200 moved\n1,200 of 1,203 moved, 1 doesn't fit\n" +
		"1,200 of more than 1,201 moved, 1 doesn't fit\n"
	if progress.String() != want {
		t.Errorf("the progress is %q", progress.String())
	}
	if out.String() != "case 7, of version 1:\n  /state is gone\nkyc, version 3: 1,202 of 1,203 moved, 1 "+
		"doesn't fit\n" {
		t.Errorf("it prints %q", out.String())
	}
	last := `/v1/case-types/kyc/migrate{"after":"c","dry_run":false,"states":{"a":"b"},"to":3}`
	if len(asked) != 4 || asked[3] != last {
		t.Errorf("it asks %q", asked)
	}
	if _, err := Migrate(t.Context(), c, m); err == nil {
		t.Error("a failed request ended the migration without an error")
	}
}
