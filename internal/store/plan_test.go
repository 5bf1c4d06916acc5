package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestAttemptsAreFoundAlongIndexes checks that a search reads a bounded part of an index, without reading a whole table
// or sorting.
func TestAttemptsAreFoundAlongIndexes(t *testing.T) {
	stores := openBoth(t)
	args := []any{1, "x", 1000, 0, lookBatch, "", "", 0, 0, 0, "", "", "", 0, "[]", 0}
	for s, index := range map[*statement]string{
		attemptsByMessage: "attempts_by_message", attemptsBySubject: "attempts_by_subject",
		attemptsByEndpoint: "attempts_by_endpoint", attemptsByClass: "attempts_by_class",
		attemptsFailed: "attempts_failed", countsByMessage: "attempts_by_message",
		countsBySubject: "attempts_by_subject", countsByEndpoint: "attempts_by_endpoint",
		countsFailed: "attempts_failed",
	} {
		args := slices.Clone(args)
		if index == "attempts_failed" {
			args[1] = ""
		}
		if plan := sqlitePlan(t, stores["sqlite"], s, args); !strings.Contains(plan,
			"SEARCH attempts USING INDEX "+index+" (tenant=? AND ") || strings.Contains(plan, "SCAN attempts") {
			t.Errorf("sqlite, by %s:\n%s", index, plan)
		}
		if plan := postgresPlan(t, stores["postgres"], s, args); !strings.Contains(plan, index) ||
			strings.Contains(plan, "Seq Scan on attempts") {
			t.Errorf("postgres, by %s:\n%s", index, plan)
		}
	}
	told := []any{1, "x", "y"}
	for name, plan := range map[string]string{
		"sqlite": sqlitePlan(t, stores["sqlite"], messageSent, told), "postgres": postgresPlan(t, stores["postgres"], messageSent, told),
	} {
		if !strings.Contains(plan, "attempts_by_message") {
			t.Errorf("%s, what was told:\n%s", name, plan)
		}
	}
	args[1] = ""
	if plan := sqlitePlan(t, stores["sqlite"], attemptsByID, args); !strings.Contains(plan,
		"SEARCH attempts USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)") || strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("sqlite:\n%s", plan)
	}
	if plan := postgresPlan(t, stores["postgres"], attemptsByID,
		args); !strings.Contains(plan, "using attempts_pkey") || strings.Contains(plan, "Seq Scan on attempts") {
		t.Errorf("postgres:\n%s", plan)
	}
}

// TestQuestionsAreFoundAlongIndexes checks the same of questions.
func TestQuestionsAreFoundAlongIndexes(t *testing.T) {
	stores := openBoth(t)
	for index, c := range map[string]struct {
		statement *statement
		caseID    int
		sqlite    string
	}{
		"questions_by_case": {questionsByCase, 1, "USING INDEX questions_by_case (tenant=? AND case_id=? AND "},
		"questions_pkey":    {questionsByID, 0, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
	} {
		args := []any{1, c.caseID, 1000, 0, lookBatch, "", "", "", "", 0, 0, "", "", ""}
		if plan := sqlitePlan(t, stores["sqlite"], c.statement, args); !strings.Contains(plan, c.sqlite) ||
			strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("sqlite, by %s:\n%s", index, plan)
		}
		if plan := postgresPlan(t, stores["postgres"], c.statement, args); !strings.Contains(plan, index) ||
			strings.Contains(plan, "Seq Scan on questions") {
			t.Errorf("postgres, by %s:\n%s", index, plan)
		}
	}
}

// TestAReplayOfNamedMessagesReadsTheirEntriesAlone checks that a batch costs no more than its messages.
func TestAReplayOfNamedMessagesReadsTheirEntriesAlone(t *testing.T) {
	stores := openBoth(t)
	args := []any{1, "rpl_1", 0, 128}
	for name, plan := range map[string]string{
		"sqlite": sqlitePlan(t, stores["sqlite"], replayEntries, args), "postgres": postgresPlan(t, stores["postgres"], replayEntries, args),
	} {
		if strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "Seq Scan") ||
			!strings.Contains(plan, "replay_messages") {
			t.Errorf("%s:\n%s", name, plan)
		}
	}
}

func sqlitePlan(t *testing.T, s *Store, of *statement, args []any) string {
	t.Helper()
	rows, err := sqliteDB(s).QueryContext(t.Context(), "explain query plan "+of.text[sqlite], args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, detail)
	}
	return plan.String()
}

// postgresPlan returns the plan for large tables, although these are empty.
func postgresPlan(t *testing.T, s *Store, of *statement, args []any) string {
	t.Helper()
	conn, err := postgresPool(s).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, off := range []string{"seqscan", "bitmapscan"} {
		if _, err := conn.Exec(t.Context(), "set enable_"+off+" = off"); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.Query(t.Context(), "explain "+of.text[postgres], args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func TestTheAuditIsFoundAlongIndexes(t *testing.T) {
	stores := openBoth(t)
	for index, s := range map[string]*statement{
		"audit_by_actor": auditByActor, "audit_by_action": auditByAction, "audit_by_subject": auditBySubject,
		"audit_by_time": auditFirstAt,
	} {
		args := []any{1, 1000, 50, 3, "x"}
		if s == auditFirstAt {
			args = args[:2]
		}
		for engine, plan := range map[string]string{
			"sqlite": sqlitePlan(t, stores["sqlite"], s, args), "postgres": postgresPlan(t, stores["postgres"], s, args),
		} {
			if !strings.Contains(plan, index) || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s, %s:\n%s", engine, index, plan)
			}
		}
	}
}
