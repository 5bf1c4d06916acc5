package quickcase

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// The sizes of a page of what a search found.
const (
	usualPage   = 25
	largestPage = 100
	mostOrders  = 5
)

// found is the answer to a search.
type found struct {
	Total   total       `json:"total"`
	Page    page        `json:"page"`
	Results []shownCase `json:"results"`
}

type total struct {
	Count    int64 `json:"count"`
	Pages    int64 `json:"pages"`
	Complete bool  `json:"complete"` // false: there are more
}

type page struct {
	Index int `json:"index"` // from 1
	Size  int `json:"size"`
}

// search finds cases of a type.
func (h handler) search(ctx context.Context, x *rest.Exchange) (any, error) {
	body, err := h.readObject(x)
	if err != nil {
		return nil, err
	}
	var at page
	result, err := h.services.Cases.Search(ctx, x.Principal, x.Request.PathValue("type"),
		func(t *casetype.Type) (s casework.Search, err error) {
			q := &query{typ: t, shows: func(field string) bool { return t.Shows(field, x.Principal.Sight()) }}
			at = q.page(body["page"])
			s.Skip, s.Size = (at.Index-1)*at.Size, at.Size
			match := q.read(body["query"])
			q.sort(&s, body["sort"])
			s.Filter.State, s.Filter.Where = q.state, q.indexed
			if match != nil && !q.listed() {
				s.Matches = match
			}
			if len(q.wrong) > 0 {
				return s, fault.In("quickcase.search_invalid",
					"The search can't be carried out: see fields.", q.wrong...)
			}
			return s, nil
		})
	if err != nil {
		return nil, err
	}
	answer := found{
		Total:   total{result.Count, (result.Count + int64(at.Size) - 1) / int64(at.Size), result.Complete},
		Page:    at,
		Results: []shownCase{},
	}
	for _, v := range result.Cases {
		answer.Results = append(answer.Results, caseOf(v))
	}
	return answer, nil
}

// listed reports whether a list alone has all conditions of a query: it has none, or the state alone.
func (q *query) listed() bool {
	return q.criteria == 0 || q.criteria == 1 && q.state != ""
}

// page reads the page that is asked for.
func (q *query) page(written any) page {
	at := page{1, usualPage}
	in, isObject := written.(map[string]any)
	if written != nil && !isObject {
		q.refuse("/page", "is not an object")
	}
	read := func(name string, most int, into *int) {
		if in[name] == nil {
			return
		}
		number, _ := in[name].(json.Number)
		n, err := strconv.Atoi(string(number))
		if err != nil || n < 1 {
			q.refuse("/page/"+name, "is not a whole number from 1")
			return
		}
		*into = min(n, most)
	}
	read("index", 1_000_000, &at.Index)
	read("size", largestPage, &at.Size)
	return at
}

// sort reads the order. A single time of which lists have an index needs no look at the cases.
func (q *query) sort(s *casework.Search, written any) {
	list, isList := written.([]any)
	if written != nil && !isList || len(list) > mostOrders {
		q.refuse("/sort", "is not a list of up to "+strconv.Itoa(mostOrders)+" fields")
		return
	}
	for i, item := range list {
		in, _ := item.(map[string]any)
		at := "/sort/" + strconv.Itoa(i)
		name, isText := in["field"].(string)
		if !isText {
			q.refuse(at+"/field", "is missing")
			continue
		}
		direction, _ := in["direction"].(string)
		descending := strings.EqualFold(direction, "desc")
		if in["direction"] != nil && !descending && !strings.EqualFold(direction, "asc") {
			q.refuse(at+"/direction", "is neither asc nor desc")
		}
		read := q.field(name, at+"/field")
		key := func(v casework.View) string { return sortable(read(v)) }
		s.Orders = append(s.Orders, casework.SearchOrder{Key: key, Descending: descending})
		if sort := sortOf(name); sort != "" && len(list) == 1 {
			s.Orders = nil
			if s.Filter.Sort = store.CaseSort(sort); descending {
				s.Filter.Sort = store.CaseSort("-" + sort)
			}
		}
	}
}

// sortOf returns the order of lists by a field; empty: there is none.
func sortOf(name string) string {
	for _, m := range metadata {
		for _, other := range m.names {
			if other == name {
				return m.sort
			}
		}
	}
	return ""
}
