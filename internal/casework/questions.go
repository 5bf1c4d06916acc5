package casework

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Questions are the questions that callbacks were asked. It is safe for concurrent use.
type Questions struct {
	store *store.Store
	guard *authz.Guard
	core  *core
	cases *Cases
}

// maxQuestionURL is the length of the longest URL that questions are looked for by, in characters.
const maxQuestionURL = 2000

// maxQuestionRounds bounds how often a page is filled up if the caller sees few of the questions.
const maxQuestionRounds = 5

// Questions returns the questions that a filter selects and the caller may see, the newest first, and the Before of the
// next page; 0: there is none. A page may have fewer questions than its limit.
func (s *Questions) Questions(
	ctx context.Context, p access.Principal, f store.QuestionFilter,
) (shown []store.Question, next int64, err error) {
	if err := s.guard.Permit(ctx, p, access.ListQuestions); err != nil {
		return nil, 0, err
	}
	wellFormed := input.LineProblem(f.URL, maxQuestionURL) == ""
	for _, word := range []string{
		f.Type, strings.TrimPrefix(f.Transition, "@"), f.Verdict, f.Question, f.Page, f.Callback,
	} {
		wellFormed = wellFormed && input.Word(word)
	}
	sees, err := s.sight(ctx, p)
	if err != nil || !wellFormed {
		return nil, 0, err
	}
	if f.Case != 0 {
		if visible, err := sees.ofCase(ctx, f.Case); err != nil || !visible {
			return nil, 0, err
		}
	}
	limit := input.Page(f.Limit)
	for range maxQuestionRounds {
		f.Limit = limit - len(shown)
		found, more, err := s.store.FindQuestions(ctx, p.Tenant, f)
		if err != nil {
			return nil, 0, err
		}
		for _, q := range found {
			visible, err := sees.question(ctx, q)
			if err != nil {
				return nil, 0, err
			}
			if q = redactQuestion(p, q); visible && (f.URL == "" || q.URL != "") {
				shown = append(shown, q)
			}
		}
		if f.Before = more; more == 0 || len(shown) == limit || len(found) < f.Limit {
			break
		}
	}
	return shown, f.Before, nil
}

// Question returns a question as the caller may see it.
func (s *Questions) Question(ctx context.Context, p access.Principal, id int64) (store.Question, error) {
	if err := s.guard.Permit(ctx, p, access.GetQuestion); err != nil {
		return store.Question{}, err
	}
	q, err := s.store.Question(ctx, p.Tenant, id)
	if err != nil {
		return store.Question{}, err
	}
	sees, err := s.sight(ctx, p)
	if err != nil {
		return store.Question{}, err
	}
	visible, err := sees.question(ctx, q)
	if err == nil && !visible {
		err = fault.New(fault.NotFound, "question.not_found",
			"There is no question with this id, or it has been removed. GET /v1/questions lists those that are kept.")
	}
	if err != nil {
		return store.Question{}, err
	}
	return redactQuestion(p, q), nil
}

// questionSight decides which questions a caller sees.
type questionSight struct {
	service *Questions
	p       access.Principal
	reader  access.Reader
	known   map[int64]bool // the decisions about cases so far
}

func (s *Questions) sight(ctx context.Context, p access.Principal) (*questionSight, error) {
	reader, err := s.guard.Reader(ctx, p)
	return &questionSight{service: s, p: p, reader: reader, known: map[int64]bool{}}, err
}

// question reports whether the caller sees a question: the case as it was then, and as it is now.
func (v *questionSight) question(ctx context.Context, q store.Question) (bool, error) {
	if !v.p.Sight().Sees(q.CaseClass) || v.without(q.Type) || v.without(q.OtherType) {
		return false, nil
	}
	if q.Case != 0 {
		if visible, err := v.ofCase(ctx, q.Case); err != nil || !visible {
			return false, err
		}
	}
	return v.ofState(ctx, q)
}

// ofState reports whether the caller reads cases in the state that the question led to. Where the caller does not read
// all states of the type, a question that led to no version of the case is not shown: its state is not kept.
func (v *questionSight) ofState(ctx context.Context, q store.Question) (bool, error) {
	narrowed := v.reader.Types()
	if !slices.Contains(narrowed, q.Type) && !slices.Contains(narrowed, q.OtherType) {
		return true, nil
	}
	if q.Version == 0 {
		return false, nil
	}
	e, err := v.service.store.VersionEntry(ctx, v.p.Tenant, event.CaseSubject(q.Case), q.Version)
	if errors.Is(err, store.ErrVersionGone) {
		return false, nil
	}
	return err == nil && v.reader.Reads(e), err
}

func (v *questionSight) without(caseType string) bool {
	return slices.Contains(v.reader.Without, caseType)
}

// ofCase reports whether the caller sees a case, or saw its deletion.
func (v *questionSight) ofCase(ctx context.Context, id int64) (visible bool, err error) {
	if v.p.Sight().Sees(casetype.Restricted) && len(v.reader.Without) == 0 {
		return true, nil
	}
	visible, known := v.known[id]
	if known {
		return visible, nil
	}
	c, _, err := v.service.core.find(ctx, v.service.store, v.p, id)
	switch {
	case errors.Is(err, fault.NotFound):
		visible, err = v.service.cases.deleted(ctx, v.p, id)
	case err == nil:
		visible = v.reader.ReadsCase(c.Type, c.State)
	}
	if err == nil {
		v.known[id] = visible
	}
	return visible, err
}

// redactQuestion returns a question without the parts that the caller may not see: the URL by the definition that has
// it, the hash and the answer by what the callback was told, and each change by its field.
func redactQuestion(p access.Principal, q store.Question) store.Question {
	sees := p.Sight().SeesClass
	if !sees(q.URLClass) {
		q.URL = ""
	}
	if !p.Sight().Sees(q.Class) {
		q.BodySHA256, q.Answer, q.Changes.More = "", store.KeptAnswer{Withheld: true}, 0
	}
	q.Changes.Changes = slices.DeleteFunc(slices.Clone(q.Changes.Changes),
		func(c store.KeptChange) bool { return !sees(c.Class) })
	return q
}
