//go:build unix

package e2e_test

import (
	"fmt"

	"github.com/rogpeppe/go-internal/testscript"
)

// forgetStorm forgets what the storm was told so far: a backup that is restored may lack it.
func forgetStorm(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts).storm
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acknowledged = map[string]int{}
}

// restored waits until all messages of the commits have arrived that the server has after a backup was restored, and
// checks them. Messages of commits that were lost may have arrived, too; no id has two meanings.
func restored(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "restored NAME")
	r, s := of(ts).receivers[args[0]], of(ts).storm
	want := committed(ts)
	for id, version := range s.acknowledged {
		if want[id] < version {
			ts.Fatalf("case %s is at version %d, and %d was confirmed", id, want[id], version)
		}
	}
	if len(want) == 0 {
		ts.Fatalf("no case is there: this proves nothing")
	}
	await(ts, nil, func() (string, bool) {
		err := arrivedOf(firsts(r.all()), want)
		return fmt.Sprint(err), err == nil
	})
	all := r.all()
	meaning := map[string]string{}
	for _, a := range all {
		if a.verified != nil {
			ts.Fatalf("%s of %s: %v", a.trigger, a.subject, a.verified)
		}
		is := fmt.Sprint(a.trigger, a.subject, a.sequence, a.body)
		if was, ok := meaning[a.id]; ok && was != is {
			ts.Fatalf("%s was %s, and is %s", a.id, was, is)
		}
		meaning[a.id] = is
	}
	lost := len(meaning)
	for _, version := range want {
		lost -= version + 1
	}
	ts.Logf("%d cases, %d messages; %d of commits that the backup lacks; %d came again",
		len(want), len(meaning), lost, len(all)-len(meaning))
}

// arrivedOf returns an error unless the messages of all commits have arrived, those of each case in their order.
func arrivedOf(first []arrival, want map[string]int) error {
	received := map[string][]string{}
	for _, a := range first {
		received[a.subject] = append(received[a.subject], fmt.Sprintf("%s %d", a.trigger, a.sequence))
	}
	for id, version := range want {
		expect := []string{"case_created 1", "case_state_changed 1"}
		for v := 2; v <= version; v++ {
			expect = append(expect, fmt.Sprintf("case_changed %d", v))
		}
		got := received["case/"+id]
		if len(got) < len(expect) || fmt.Sprint(got[:len(expect)]) != fmt.Sprint(expect) {
			return fmt.Errorf("of case %s came %v, want %v", id, got, expect)
		}
	}
	return nil
}
