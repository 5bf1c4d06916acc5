package casework

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Comments has the use cases of comments. It is safe for concurrent use.
type Comments struct {
	store *store.Store
	guard *authz.Guard
	now   func() time.Time
	core  *core
}

// NewComment is a request to add a comment, of 1 to 20,000 characters.
type NewComment struct {
	CaseID        int64
	Text          string
	Due           string // a date, as 2026-03-14; empty: none
	IgnoreWarning bool   // the callback's warnings do not stop it
}

// AddComment adds a comment to a case.
func (s *Comments) AddComment(
	ctx context.Context, p access.Principal, in NewComment, once authz.Once,
) (cases.Comment, error) {
	p, err := s.guard.PermitCase(ctx, p, access.AddComment, in.CaseID)
	if err != nil {
		return cases.Comment{}, err
	}
	if wrong := commentProblems(in.Text, in.Due, ""); len(wrong) > 0 {
		return cases.Comment{}, fault.In("comment.invalid", "The comment was not saved: see fields.", wrong...)
	}
	comment := cases.Comment{
		ID: id.New("cmt"), CaseID: in.CaseID, Text: in.Text, Due: in.Due, By: p.Actor, At: s.now(),
	}
	err = s.guard.Once(ctx, p, once, func() error {
		asked, err := s.core.askAbout(ctx, p, operation{
			caseID: in.CaseID, callback: casetype.CommentCallback, ignoreWarning: in.IgnoreWarning,
			plan: func(cases.Case) (*wire.Operation, error) {
				return &wire.Operation{Kind: wire.AddsComment, Comment: in.Text, Due: in.Due}, nil
			},
		}, once)
		if err == nil {
			err = s.save(ctx, p, comment, asked, once)
		}
		if asked != nil {
			s.core.questioner.keepUnsaved(ctx, asked, err)
		}
		return err
	})
	if err != nil {
		return cases.Comment{}, err
	}
	return comment, nil
}

// save saves a comment. Asked is the plan by which callbacks were asked; nil: none were.
func (s *Comments) save(
	ctx context.Context, p access.Principal, comment cases.Comment, asked *plan, once authz.Once,
) error {
	m := authz.NewMandate(p, access.AddComment)
	m.Waited = asked != nil
	return s.guard.Update(ctx, m, func(tx *store.Tx) error {
		done, err := s.core.touched(ctx, tx, m, comment.CaseID, func(cases.Case) (event.Fact, error) {
			return event.CaseCommented.New(event.Comment{ID: comment.ID}), tx.AddComment(ctx, p.Tenant, comment)
		})
		if err == nil && asked != nil && asked.before.Revision != done.after.Revision {
			err = versionConflict()
		}
		if err == nil {
			err = s.core.recordAsked(ctx, tx, m, asked, done)
		}
		if err != nil {
			return err
		}
		return s.guard.Keep(ctx, tx, p, once, comment)
	})
}

// Comments lists a case's comments after one of them, oldest first.
func (s *Comments) Comments(
	ctx context.Context, p access.Principal, caseID int64, after string, limit int,
) (none store.Page[cases.Comment], err error) {
	p, err = s.guard.PermitCase(ctx, p, access.ListComments, caseID)
	if err != nil {
		return none, err
	}
	if err := input.CheckAfter(after); err != nil {
		return none, err
	}
	if _, _, err := s.core.find(ctx, s.store, p, caseID); err != nil {
		return none, err
	}
	return s.store.Comments(ctx, p.Tenant, caseID, after, input.Page(limit))
}

// commentProblems lists what is wrong with a comment at a path.
func commentProblems(text, due, at string) (wrong []fault.Field) {
	if message := commentProblem(text); message != "" {
		wrong = append(wrong, fault.Field{Path: at + "/text", Message: message})
	}
	if _, err := time.Parse(time.DateOnly, due); due != "" && err != nil {
		wrong = append(wrong, fault.Field{Path: at + "/due", Message: "is not a date such as 2026-03-14"})
	}
	return wrong
}

func commentProblem(text string) string {
	switch {
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.TrimSpace(text) == "":
		return "is empty"
	case utf8.RuneCountInString(text) > maxComment:
		return fmt.Sprintf("is longer than %d characters", maxComment)
	case strings.ContainsRune(text, 0):
		return "holds the character NUL"
	}
	return ""
}
