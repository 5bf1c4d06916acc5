package store

import (
	"fmt"
	"testing"
	"time"
)

// oldCase returns the row of a case from before the times of its status were kept.
func oldCase(id, assignee int64) string {
	return fmt.Sprintf(`insert into cases (id, tenant, type, type_version, reference, name, name_set, color, state, classification,
		data, version, revision, outcome_instance, created_at, modified_at, search, assignee, assignee_name, status_changed_by,
		last_activity_at)
		values (%d, 1, 'motor', 1, 'M-%[1]d', 'Ada', true, '', 'open', 'PUBLIC', '{}', 5, 6, 0, 100, 100, '', %d, 'Bo', 0, 100)`,
		id, assignee)
}

// oldEntry returns a row of the journal of tenant 1.
func oldEntry(id, at int64, actor, facts string) string {
	return fmt.Sprintf(`insert into journal (tenant, subject, version, at, actor, facts, snapshot, callback)
		values (1, 'case/%d', 1, %d, '%s', '%s', '{}', '')`, id, at, actor, facts)
}

func TestWhenACaseWasOpenedAndAssignedAndByWhomItWasLastChangedComesFromTheJournal(t *testing.T) {
	t.Parallel()
	const person, program = `{"source":"ui","name":"Bo","user_id":7}`, `{"source":"api","name":"crm"}`
	const says = `[{"name":"case.changed","data":{"x":"\\u0000 \"case.reopened\" \"case.assigned\""}}]`
	rows := []string{
		`insert into tenants (key, name, created_at) values ('acme', 'Acme', 1)`,
		oldCase(1, 7), oldCase(2, 0), oldCase(3, 7),
		oldEntry(1, 200, program, `[{"name":"case.assigned"}]`), oldEntry(1, 300, program, `[{"name":"case.reopened","data":{}}]`),
		oldEntry(1, 400, program, `[{"name":"case.closed"}]`),
		oldEntry(1, 500, program, `[{"name":"case.state_changed"},{"name":"case.reopened"}]`),
		oldEntry(1, 600, program, `[{"name":"case.unassigned"},{"name":"case.assigned"}]`), oldEntry(1, 700, person, says),
		oldEntry(2, 200, person, `[{"name":"case.assigned"}]`), oldEntry(2, 300, person, `[{"name":"case.unassigned"}]`),
		oldEntry(2, 400, program, `null`),
	}
	afterMigration(t, 17, rows, func(t *testing.T, s *Store, engine string) {
		for id, want := range map[int64]struct{ opened, assigned, by int64 }{
			1: {500, 600, 7}, // reopened twice, assigned twice, last changed by a person
			2: {100, 0, 0},   // unassigned again, and last changed by a program
			3: {100, 0, 0},   // its entries were removed
		} {
			c, err := s.Case(t.Context(), 1, id)
			assigned := int64(0)
			if !c.AssignedAt.IsZero() {
				assigned = c.AssignedAt.UnixMicro()
			}
			if err != nil || !c.OpenedAt.Equal(time.UnixMicro(want.opened)) || assigned != want.assigned ||
				c.LastActivity.By != want.by {
				t.Errorf("%s: case %d is %+v, %v", engine, id, c, err)
			}
		}
	})
}
