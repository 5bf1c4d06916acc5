package cases

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// InCases is embedded in the parameters of operations that select cases.
type InCases struct {
	Type     string   `query:"type" maxLength:"100" doc:"Only those of the case type with this key." example:"kyc"`
	State    string   `query:"state" maxLength:"100" doc:"Only those in the state with this key." example:"in_review"`
	Text     string   `query:"q" maxLength:"200" doc:"Only those with these words in their reference, name, data or comments, or in the names of their files and contacts, each by its beginning; between quotation marks, as a phrase." example:"acme"`
	Label    string   `query:"label" maxLength:"100" doc:"Only those with the label with this slug." example:"fast_track"`
	Assignee string   `query:"assignee" number:"id,none" maxLength:"20" pattern:"^(none|[1-9][0-9]{0,17})$" doc:"Only those that are assigned to the user with this id; none: assigned to nobody." example:"7"`
	Where    []string `query:"where,explode" maxItems:"10" doc:"Only those that meet these conditions on fields that the type's newest definition marks indexed: true, all of them: data.FIELD, one of =, >=, >, <= and <, and a value. It needs type." example:"[\"data.amount>=100\"]"`

	CreatedAfter       time.Time `query:"created_after" doc:"Only those that were created at this time or later." example:"2026-01-31T08:00:00.000Z"`
	CreatedBefore      time.Time `query:"created_before" doc:"Only those that were created before this time." example:"2026-02-01T00:00:00.000Z"`
	ModifiedAfter      time.Time `query:"modified_after" doc:"Only those whose content last changed at this time or later." example:"2026-01-31T08:00:00.000Z"`
	ModifiedBefore     time.Time `query:"modified_before" doc:"Only those whose content last changed before this time." example:"2026-02-01T00:00:00.000Z"`
	ClosedAfter        time.Time `query:"closed_after" doc:"Only those that were closed at this time or later." example:"2026-01-31T08:00:00.000Z"`
	ClosedBefore       time.Time `query:"closed_before" doc:"Only those that were closed before this time." example:"2026-02-01T00:00:00.000Z"`
	LastActivityAfter  time.Time `query:"last_activity_after" doc:"Only those whose last activity, comments included, was at this time or later." example:"2026-01-31T08:00:00.000Z"`
	LastActivityBefore time.Time `query:"last_activity_before" doc:"Only those whose last activity, comments included, was before this time." example:"2026-02-01T00:00:00.000Z"`
}

func (in InCases) filter() (store.CaseFilter, error) {
	where, err := conditions(in.Where)
	if err != nil {
		return store.CaseFilter{}, err
	}
	f := store.CaseFilter{Type: in.Type, State: in.State, Text: in.Text, Label: in.Label, Where: where}
	if in.Assignee == "none" {
		f.Assignee = store.Unassigned
	} else if in.Assignee != "" {
		f.Assignee, _ = strconv.ParseInt(in.Assignee, 10, 64) // its pattern lets numbers pass alone
	}
	f.Created = store.Period{From: in.CreatedAfter, Until: in.CreatedBefore}
	f.Modified = store.Period{From: in.ModifiedAfter, Until: in.ModifiedBefore}
	f.Closed = store.Period{From: in.ClosedAfter, Until: in.ClosedBefore}
	f.LastActivity = store.Period{From: in.LastActivityAfter, Until: in.LastActivityBefore}
	return f, checkPeriods(map[string]store.Period{
		"created": f.Created, "modified": f.Modified, "closed": f.Closed, "last_activity": f.LastActivity,
	})
}

// condition matches a condition on a field.
var condition = regexp.MustCompile(`^data\.([\w&()-]{1,70})(=|>=?|<=?)((?s:.{0,1000}))$`)

// conditions reads conditions on fields.
func conditions(written []string) (all []casetype.Condition, err error) {
	for _, one := range written {
		m := condition.FindStringSubmatch(one)
		if m == nil {
			return nil, &fault.Error{
				Kind: fault.Invalid, Code: "request.invalid", Detail: "A condition can't be read: see fields.",
				Fields: []fault.Field{{Path: "query.where", Message: "is not a condition such as data.amount>=100"}},
			}
		}
		all = append(all, casetype.Condition{Field: m[1], Operator: m[2], Value: m[3]})
	}
	return all, nil
}

// checkPeriods refuses periods that end before they begin.
func checkPeriods(all map[string]store.Period) error {
	for name, p := range all {
		if !p.From.IsZero() && !p.Until.IsZero() && p.Until.Before(p.From) {
			return &fault.Error{
				Kind: fault.Invalid, Code: "request.invalid", Detail: "No case can have such a time: see fields.",
				Fields: []fault.Field{{Path: "query." + name + "_before", Message: "is before " + name + "_after"}},
			}
		}
	}
	return nil
}

func (h caseHandler) listCases(ctx context.Context, in *struct {
	InCases
	Sort string `query:"sort" pattern:"^(relevance|-?(created|modified|closed|last_activity|data\\.[A-Za-z0-9_][A-Za-z0-9_&()-]{0,69}))$" default:"-created" doc:"The order, by the time of the creation (created), the last change of the content (modified), the closing (closed), or the last activity (last_activity), or by an indexed field (data.FIELD); with a minus, the newest or greatest first. A list sorted by closed has only closed cases, and one sorted by a field only the cases that have it; it needs type. A search (q) is sorted by created, -created or relevance, the best match first." example:"-modified"`
	rest.Paging
}) (*rest.PageAnswer[Case], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if f.Limit = in.Limit; in.Sort != "-created" {
		f.Sort = store.CaseSort(in.Sort)
	}
	if err := h.kernel.Open("cases", in.Cursor, &f.After); err != nil {
		return nil, err
	}
	found, err := h.service.Cases.Cases(ctx, rest.PrincipalOf(ctx), f)
	if err != nil {
		return nil, err
	}
	pager := rest.NewFalliblePager(h.kernel, "cases", showCase, func(v casework.View) store.Position {
		return v.Position
	})
	list := rest.Sequence[casework.View]{Items: found.All(ctx), More: found.More, End: casework.ErrPageEnds}
	if found.To != (store.Position{}) {
		return pager.PageUpTo(list, &found.To)
	}
	return pager.PageOfSequence(list)
}

// CaseFacets are counts of cases.
type CaseFacets struct {
	Cases    int64   `json:"cases" doc:"The number of cases." example:"1200"`
	Complete bool    `json:"complete" doc:"false: there are more cases than were looked at, so that each count means at least so many." example:"true"`
	Type     []Facet `json:"type" doc:"By case type."`
	State    []Facet `json:"state" doc:"By state. Types may have states with the same key."`
	Label    []Facet `json:"label" doc:"By label; a case with several is counted under each."`
	Assignee []Facet `json:"assignee" doc:"By user; none: those that are assigned to nobody. Each list has the 200 most frequent values."`
}

// Facet is a count of cases.
type Facet struct {
	Value string `json:"value" doc:"The value, as the filter of this name takes it." example:"in_review"`
	Cases int64  `json:"cases" doc:"The number of cases with it." example:"17"`
}

// mostFacets bounds the values of a facet.
const mostFacets = 200

type countedCases struct{ Body rest.Reply[CaseFacets] }

func (h caseHandler) countCases(ctx context.Context, in *InCases) (*countedCases, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	found, err := h.service.Cases.Facets(ctx, rest.PrincipalOf(ctx), f)
	if err != nil {
		return nil, err
	}
	if nobodys := found.Assignees["0"]; nobodys > 0 {
		delete(found.Assignees, "0")
		found.Assignees["none"] = nobodys
	}
	body, err := rest.NewReply(CaseFacets{
		Cases: found.Cases, Complete: found.Complete, Type: showFacets(found.Types), State: showFacets(found.States),
		Label: showFacets(found.Labels), Assignee: showFacets(found.Assignees),
	})
	return &countedCases{body}, err
}

// showFacets returns the counts, the greatest first.
func showFacets(counts map[string]int64) []Facet {
	all := make([]Facet, 0, len(counts))
	for value, n := range counts {
		all = append(all, Facet{value, n})
	}
	slices.SortFunc(all, func(a, b Facet) int {
		return cmp.Or(cmp.Compare(b.Cases, a.Cases), cmp.Compare(a.Value, b.Value))
	})
	return all[:min(len(all), mostFacets)]
}
