package dev

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
)

// Migration selects the running cases of a type to move to another version.
type Migration struct {
	Output
	Progress io.Writer // receives the progress after each request
	Type     string
	To       int64             // the version; 0: the newest
	States   map[string]string // new states for cases in states that the version lacks
	Finished bool              // cases in final states too
	DryRun   bool
	Limit    int // how many cases one request examines; 0: the server's default
}

// report is the result of one request.
type report struct {
	To       int64    `json:"to"`
	Moved    int64    `json:"moved"`
	Finished int64    `json:"finished"`
	Misfits  []misfit `json:"misfits"`
	Left     int64    `json:"left"`
	Next     *string  `json:"next"`
}

type misfit struct {
	CaseID  int64         `json:"case_id"`
	Version int64         `json:"version"`
	Fields  []fault.Field `json:"fields"`
}

// mostCounted bounds the cases that the server examines to count those that are left. If it counts none, there may
// still be some behind these.
const mostCounted = 100_000

// Migrate moves the cases of a type, one request after the other. It prints the cases that don't
// fit, and how many were moved, and reports whether all fit.
func Migrate(ctx context.Context, c *client.Client, m Migration) (fit bool, err error) {
	body := map[string]any{"dry_run": m.DryRun}
	if m.To != 0 {
		body["to"] = m.To
	}
	if m.Finished {
		body["finished"] = true
	}
	if len(m.States) > 0 {
		body["states"] = m.States
	}
	if m.Limit != 0 {
		body["limit"] = m.Limit
	}
	path := "/v1/case-types/" + url.PathEscape(m.Type) + "/migrate"
	var moved, misfits, finished int64
	for {
		var did report
		if err := c.Post(ctx, path, body, &did); err != nil {
			return false, m.stopped(err, moved)
		}
		moved, misfits, finished = moved+did.Moved, misfits+int64(len(did.Misfits)), finished+did.Finished
		if err := m.list(did.Misfits); err != nil {
			return false, err
		}
		count := m.count(moved, misfits, did)
		if did.Next == nil {
			if !m.JSON {
				m.line("%s, version %d: %s%s", m.Type, did.To, count, leftAlone(finished))
			}
			return misfits == 0, nil
		}
		fmt.Fprintln(m.Progress, count)
		body["to"], body["after"] = did.To, *did.Next // even if a newer version is put meanwhile
	}
}

// count returns the progress of a migration: "1,200 of 3,400 moved, 3 don't fit".
func (m Migration) count(moved, misfits int64, did report) string {
	total := thousands(moved + misfits + did.Left)
	if did.Left >= mostCounted || did.Left == 0 && did.Next != nil {
		total = "more than " + total
	}
	would := ""
	if m.DryRun {
		would = "would be "
	}
	count := fmt.Sprintf("%s of %s %smoved", thousands(moved), total, would)
	switch misfits {
	case 0:
		return count
	case 1:
		return count + ", 1 doesn't fit"
	}
	return fmt.Sprintf("%s, %s don't fit", count, thousands(misfits))
}

// leftAlone returns how many cases stay as they are since they are finished.
func leftAlone(finished int64) string {
	switch finished {
	case 0:
		return ""
	case 1:
		return "; 1 in a final state is left alone (--finished moves it too)"
	}
	return fmt.Sprintf("; %s in final states are left alone (--finished moves them too)", thousands(finished))
}

// list prints the cases that don't fit.
func (m Migration) list(misfits []misfit) error {
	for _, c := range misfits {
		if m.JSON {
			if err := m.object(c); err != nil {
				return err
			}
			continue
		}
		m.line("case %d, of version %d:", c.CaseID, c.Version)
		for _, f := range c.Fields {
			m.line("  %s", strings.TrimSpace(f.Path+" "+f.Message))
		}
	}
	return nil
}

// stopped adds the number of cases that were moved before to the error of a failed request.
func (m Migration) stopped(err error, moved int64) error {
	if moved == 0 || m.DryRun {
		return err
	}
	return fmt.Errorf("%w\n  %s cases were moved before that; repeat the command to move the others", err,
		thousands(moved))
}

// thousands formats a number for people: 3,400.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
