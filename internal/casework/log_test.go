package casework_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
)

func TestTheLogNamesTheFailedCallbackItsTransitionAndTheReason(t *testing.T) {
	var log bytes.Buffer
	w := start(t, func(c *settings) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	w.callbacks.on("failing", respond(500, ""), respond(500, ""))
	for key, c := range map[string]struct{ ask, want string }{
		"failing":  {`"url": "${CASEHOOK_VAR_CALLBACKS}/failing?key=secret"`, `url=${CASEHOOK_VAR_CALLBACKS}/failing `},
		"ignored":  {`"url": "http://127.0.0.1:1/ignored", "failure_policy": "ignore"`, "failure policy is ignore"},
		"nowhere":  {`"url": "http://127.0.0.1:1/nowhere"`, "connect: connection refused"},
		"variable": {`"url": "${CASEHOOK_VAR_NOWHERE}/x"`, "CASEHOOK_VAR_NOWHERE"},
	} {
		log.Reset()
		w.put(w.p,
			strings.ReplaceAll(loan(key, `"retries": [], `+c.ask), `"url": "${CASEHOOK_VAR_CALLBACKS}/`+key+`", `, ""))
		id := w.open(key).ID
		w.submissions.Submit(t.Context(), w.p,
			casework.Submission{CaseID: id, Transition: "submit", Data: object(`{"amount":20}`)}, authz.Once{})
		for _, part := range []string{
			"level=WARN", "case_type=" + key, "transition=submit", "tenant=", "cause=", "code=callback.failed", c.want,
		} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("%s: the log lacks %s: %s", key, part, log.String())
			}
		}
		if strings.Contains(log.String(), "secret") || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%s: %s", key, log.String())
		}
	}
}

func TestTheLogWarnsOfAnAnswerWhoseKeysAreIgnoredOrThatCannotBeUsed(t *testing.T) {
	var log bytes.Buffer
	w := start(t, func(c *settings) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for key, c := range map[string]struct {
		answer string
		want   []string
	}{
		"typo":    {`{"error":["private"],"fee":1}`, []string{`ignored_keys="[error fee]"`, `did_you_mean="[error -> errors]"`}},
		"refuses": {`{"errors":["private"],"more":1}`, []string{"ignored_keys=[more]"}},
		"invalid": {`{"data":{"private":"private","amount":"private"}}`, []string{"code=callback.data_invalid", "/data/amount"}},
		"state":   {`{"override_state":"private"}`, []string{"code=callback.state_unknown"}},
		"known":   {`{"errors":["private"]}`, nil},
	} {
		log.Reset()
		w.callbacks.on(key, respond(200, c.answer))
		w.put(w.p, loan(key, `"retries": []`))
		id := w.open(key).ID
		w.submissions.Submit(t.Context(), w.p,
			casework.Submission{CaseID: id, Transition: "submit", Data: object(`{"amount":20}`)}, authz.Once{})
		if lines := strings.Count(log.String(), "\n"); lines != min(1, len(c.want)) {
			t.Errorf("%s: %d lines: %s", key, lines, log.String())
		}
		for _, part := range c.want {
			if !strings.Contains(log.String(), part) || !strings.Contains(log.String(), "level=WARN") {
				t.Errorf("%s: the log lacks %s: %s", key, part, log.String())
			}
		}
		if strings.Contains(strings.ReplaceAll(log.String(), "/data/private", ""), "private") {
			t.Errorf("%s: the log has values: %s", key, log.String())
		}
	}
}
