package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A search by relevance scores the newest matches by the words that the reader may see. The engines' own ranks weigh a
// word by how often it is in all cases, and so would tell of those that the reader may not see.
const (
	mostRanked = 1000 // matches
	rankedText = 4096 // characters of each of a case's texts; words behind them do not count
)

// byRelevance is the order of a search with the best match first, and the newest of those that are as good.
const byRelevance CaseSort = "relevance"

// rank is the place of a case in a search by relevance.
type rank struct {
	score     int64
	listPlace       // of the case
	until     int64 // the matches were created before this time, so that all pages rank the same ones
}

// before reports whether the case of r comes before that of o.
func (r rank) before(o rank) bool {
	return r.score > o.score || r.score == o.score && o.listPlace.before(r.listPlace)
}

// String returns what a position keeps of the rank besides the place.
func (r rank) String() string { return fmt.Sprintf("%d/%d", r.score, r.until) }

// rank returns the rank of the last case of the page before.
func (p Position) rank() (r rank, err error) {
	r.listPlace = listPlace{at: micros(p.CreatedAt), id: p.ID}
	if _, err = fmt.Sscanf(p.Value, "%d/%d", &r.score, &r.until); err != nil {
		err = otherList()
	}
	return r, err
}

// casesByRelevance lists the cases that a search finds. The filter's text is the engine's query of the phrases.
func (r reader) casesByRelevance(ctx context.Context, tenant int64, f CaseFilter,
	all []phrase) (p CasePage, err error) {
	var after rank
	if f.After != (Position{}) {
		if after, err = f.After.rank(); err != nil {
			return p, err
		}
		if until := time.UnixMicro(after.until); f.Created.Until.IsZero() || until.Before(f.Created.Until) {
			f.Created.Until = until
		}
	}
	page := f.Limit
	f.Sort, f.After, f.Limit = "", Position{}, mostRanked-1 // a list reads one more
	values, err := f.values(tenant)
	if err != nil {
		return p, err
	}
	shape := f.shape(r.dialect)
	ranks, err := r.ranks(ctx, shape, values, all)
	if err != nil {
		return p, err
	}
	if after != (rank{}) {
		ranks = slices.DeleteFunc(ranks, func(one rank) bool { return !after.before(one) })
	}
	rows := make([][]any, 0, page+1)
	for i, one := range ranks[:min(len(ranks), page+1)] {
		rows = append(rows, []any{i, one.id, one.String()})
	}
	if values["ranked"], err = encodeRows(rows); err != nil {
		return p, err
	}
	q := shape.query(shape.rankedPage())
	found, err := r.q.query(ctx, q.statement, q.args(values)...)
	p.Page, err = collectPage(found, err, page, scanSortedRow())
	return p, err
}

// ranks returns the places of the newest matches, the best first.
func (r reader) ranks(ctx context.Context, s caseShape, values map[string]any, all []phrase) ([]rank, error) {
	q := s.query(s.ranked())
	rows, err := r.q.query(ctx, q.statement, q.args(values)...)
	var until int64
	ranks, err := collect(rows, err, func(rows *sql.Rows) (found rank, err error) {
		var own, around string
		err = rows.Scan(&found.id, &found.at, &own, &around)
		found.score = relevance(all, own, around)
		until = max(until, found.at+1)
		return found, err
	})
	for i := range ranks {
		ranks[i].until = until
	}
	slices.SortFunc(ranks, func(a, b rank) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.at, a.at), cmp.Compare(b.id, a.id))
	})
	return ranks, err
}

// ranked returns the statement that reads the words of the newest matches, as far as the reader may see them.
func (s caseShape) ranked() string {
	seen := func(table string) string {
		return fmt.Sprintf(`substr(%[1]s.search, 1, %[2]d)
			|| case when :level >= 2 then ' | ' || substr(%[1]s.search_private, 1, %[2]d) else '' end
			|| case when :level >= 3 then ' | ' || substr(%[1]s.search_restricted, 1, %[2]d) else '' end`,
			table, rankedText)
	}
	index, others := s.along()
	return `select c.id, c.created_at, ` + seen("c") + `, coalesce((select ` + seen("a") + `
			from case_texts a where a.tenant = c.tenant and a.case_id = c.id), '')
		from ` + strings.Join(index, and) + and + `case when ` + strings.Join(others, and) + ` then true end
		order by ` + s.order() + ` limit :limit`
}

// rankedPage returns the statement that reads cases that have been ranked, in that order.
func (s caseShape) rankedPage() string {
	_, others := s.along()
	return listing{
		columns: sortedColumns.of("c"), names: sortedColumns.names(), size: lengths("data", "contacts"),
		from: `rows(:ranked: place bigint, id bigint, value text) as f cross join cases c
			where c.tenant = :tenant and c.id = f.id` + and + strings.Join(others, and),
		order: `place`, limit: `:limit`,
	}.text(s.dialect, PageBytes)
}

// relevance scores a case by the words of its own, which begin with the reference and the name, and those around it.
// For each phrase, the best match counts, and then how many there are.
func relevance(all []phrase, own, around string) (score int64) {
	ownWords, aroundWords := strings.Fields(own), strings.Fields(around)
	for _, p := range all {
		best, times := int64(0), int64(0)
		for i := range ownWords {
			if fit := p.fit(ownWords[i:]); fit > 0 {
				best, times = max(best, fit+100+100/int64(1+i/4)), times+1 // the first words are the best
			}
		}
		for i := range aroundWords {
			if fit := p.fit(aroundWords[i:]); fit > 0 {
				best, times = max(best, fit), times+1
			}
		}
		score += best + 100*times/(times+2)
	}
	return score
}

// fit returns how well the phrase matches the beginning of words: 0 not at all, up to 100 with the beginning of a word,
// by how much of it, and 400 with whole words.
func (p phrase) fit(words []string) int64 {
	last := len(p.words) - 1
	if len(words) <= last || !slices.Equal(p.words[:last], words[:last]) {
		return 0
	}
	switch wanted, word := p.words[last], words[last]; {
	case word == wanted:
		return 400
	case p.open && strings.HasPrefix(word, wanted):
		return int64(1 + 99*len(wanted)/len(word))
	}
	return 0
}
