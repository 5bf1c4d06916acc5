package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// strictQuerier is a querier that accepts only text that both engines can store. PostgreSQL can't store U+0000, so
// neither engine accepts it.
type strictQuerier struct{ querier }

func (s strictQuerier) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	if err := checkText(args); err != nil {
		return 0, err
	}
	return s.querier.exec(ctx, st, args...)
}

func (s strictQuerier) query(ctx context.Context, st *statement, args ...any) (*sql.Rows, error) {
	if err := checkText(args); err != nil {
		return nil, err
	}
	return s.querier.query(ctx, st, args...)
}

func (s strictQuerier) record(e event.Entry) { record(s.querier, e) }

func checkText(args []any) error {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (!utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0) {
			return fault.New(fault.Invalid, "store.text_invalid",
				"A text in the request holds the character U+0000 or is not UTF-8. Nothing was saved; correct the "+
					"text and send it again.")
		}
	}
	return nil
}

// encodeRows encodes rows as a parameter of rows(...). It replaces characters that a text column can't hold, so that
// one bad row does not make the statement fail for all.
func encodeRows(rows [][]any) (string, error) {
	mend(rows)
	if rows == nil {
		rows = [][]any{}
	}
	list, err := json.Marshal(rows)
	return string(list), err
}

// mend replaces characters that a text column can't hold.
func mend(rows [][]any) {
	for _, row := range rows {
		for i, v := range row {
			if text, ok := v.(string); ok && checkText(row[i:i+1]) != nil {
				row[i] = strings.ReplaceAll(string([]rune(text)), "\x00", "\uFFFD") // one for each invalid byte
			}
		}
	}
}
