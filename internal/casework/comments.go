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
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Comments has the use cases of comments. It is safe for concurrent use.
type Comments struct {
	store *store.Store
	guard *authz.Guard
	now   func() time.Time
	core  *core
}

// AddComment adds a comment of 1 to 20,000 characters to a case.
func (s *Comments) AddComment(
	ctx context.Context, p access.Principal, caseID int64, text string, once authz.Once,
) (cases.Comment, error) {
	if err := s.guard.PermitCase(ctx, p, access.AddComment, caseID); err != nil {
		return cases.Comment{}, err
	}
	if message := commentProblem(text); message != "" {
		return cases.Comment{}, fault.In("comment.invalid", "The comment was not saved: see fields.",
			fault.Field{Path: "/text", Message: message})
	}
	comment := cases.Comment{ID: id.New("cmt"), CaseID: caseID, Text: text, By: p.Actor, At: s.now()}
	err := s.guard.Once(ctx, p, once, func() error {
		m := authz.NewMandate(p, access.AddComment)
		return s.guard.Update(ctx, m, func(tx *store.Tx) error {
			err := s.core.touch(ctx, tx, m, caseID, func(cases.Case) (event.Fact, error) {
				return event.CaseCommented.New(event.Comment{ID: comment.ID}), tx.AddComment(ctx, p.Tenant, comment)
			})
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, comment)
		})
	})
	if err != nil {
		return cases.Comment{}, err
	}
	return comment, nil
}

// Comments lists a case's comments after one of them, oldest first.
func (s *Comments) Comments(
	ctx context.Context, p access.Principal, caseID int64, after string, limit int,
) (none store.Page[cases.Comment], err error) {
	if err := s.guard.PermitCase(ctx, p, access.ListComments, caseID); err != nil {
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
