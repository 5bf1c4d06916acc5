package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/casehook/casehook/internal/spelling"
)

// Searches and comparisons of names use keys (package spelling). Rows that are older than keys get theirs here, in
// portions, which may be interrupted and repeated, also by several nodes at once. Cases get their words from the keys.

// The bounds of a portion, and of the portions that are folded before the database is open.
const (
	foldRows  = 500
	foldBytes = 4 << 20 // of text
	foldFirst = 20      // portions
)

// foldedTable is a table whose rows hold texts to fold.
type foldedTable struct {
	unfolded, fold *statement
	form           func(text string) string
}

var (
	foldables = []foldedTable{
		{
			define(`select tenant, id, revision, search, search_private, search_restricted from cases
				where folding < ` + caseFolding + ` order by id limit $1`),
			define(`update cases set folding = ` + caseFolding + `,
				search = r.first, search_private = r.second, search_restricted = r.third
				from rows($1: owner bigint, item bigint, seen bigint, first text, second text, third text) as r
				where tenant = r.owner and id = r.item and folding < ` + caseFolding + ` and revision = r.seen
				returning id`),
			func(text string) string { return wordText(spelling.Key(text)) },
		},
		{
			define(`select tenant, id, version, search, '', '' from contacts where folding = 0 order by id limit $1`),
			define(`update contacts set folding = 1, search = r.first
				from rows($1: owner bigint, item bigint, seen bigint, first text, second text, third text) as r
				where tenant = r.owner and id = r.item and folding = 0 and version = r.seen returning id`),
			spelling.Key,
		},
	}
	namesUnfolded = define(`select id, name from endpoints where name <> '' and name_key = '' order by created_at, id`)
	nameFold      = define(`update endpoints set name_key = $3 where id = $1 and name = $2 and name_key = ''`)
)

// FoldTexts folds texts that are searched and that an older version saved unfolded. Until it returns, a search may
// miss some of them.
func (s *Store) FoldTexts(ctx context.Context) error {
	for _, table := range foldables {
		for more := true; more; {
			var err error
			if more, err = s.foldPortion(ctx, table); err != nil {
				return err
			}
		}
	}
	for more := true; more; {
		var err error
		if more, err = s.foldAround(ctx); err != nil {
			return err
		}
	}
	return nil
}

// foldFirstTexts folds the first portions, so that in a small database searches are complete as soon as it is open.
func (s *Store) foldFirstTexts(ctx context.Context) error {
	for _, table := range foldables {
		for range foldFirst {
			if more, err := s.foldPortion(ctx, table); err != nil || !more {
				if err != nil {
					return err
				}
				break
			}
		}
	}
	for range foldFirst {
		if more, err := s.foldAround(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}

// foldPortion folds some rows, and reports whether there may be more.
func (s *Store) foldPortion(ctx context.Context, table foldedTable) (more bool, err error) {
	rows, err := s.q.query(ctx, table.unfolded, foldRows)
	if err != nil {
		return false, err
	}
	folded, err := foldedRows(rows, table.form)
	if err != nil || len(folded) == 0 {
		return false, err
	}
	list, err := encodeRows(folded)
	if err != nil {
		return false, err
	}
	if s.Nodes() { // without a transaction, whose locks a stopped node would keep
		rows, err := s.engine.apart(ctx, table.fold, list)
		_, err = collect(rows, err, scanValue[int64])
		return true, err
	}
	return true, s.Update(ctx, func(tx *Tx) error {
		_, err := tx.q.exec(ctx, table.fold, list)
		return err
	})
}

// foldedRows reads up to a portion of rows, and folds their texts.
func foldedRows(rows *sql.Rows, form func(string) string) (folded [][]any, err error) {
	defer func() { err = errors.Join(err, translate(rows.Err()), rows.Close()) }()
	for size := 0; size < foldBytes && rows.Next(); {
		var owner, item, seen int64
		var texts [3]string
		if err := rows.Scan(&owner, &item, &seen, &texts[0], &texts[1], &texts[2]); err != nil {
			return nil, translate(err)
		}
		row := []any{owner, item, seen}
		for _, text := range texts {
			row = append(row, form(text))
			size += len(text)
		}
		folded = append(folded, row)
	}
	return folded, nil
}

// foldNames saves the keys of the names of endpoints. Where several have the same key, it belongs to the oldest; all
// of them keep their names.
func (s *Store) foldNames(ctx context.Context) error {
	type named struct{ id, name string }
	rows, err := s.q.query(ctx, namesUnfolded)
	all, err := collect(rows, err, func(rows *sql.Rows) (n named, err error) {
		return n, rows.Scan(&n.id, &n.name)
	})
	for _, n := range all {
		key := spelling.Key(n.name)
		if key == "" {
			continue // it shows nothing
		}
		err = s.nameKey(ctx, n.id, n.name, key)
		if isDuplicate(err) {
			err = s.nameKey(ctx, n.id, n.name, key+"\n"+n.id)
		}
		if err != nil {
			return err
		}
	}
	return err
}

func (s *Store) nameKey(ctx context.Context, id, name, key string) error {
	return s.Update(ctx, func(tx *Tx) error {
		_, err := tx.q.exec(ctx, nameFold, id, name, key)
		return err
	})
}
