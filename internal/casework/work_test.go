package casework_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// doubling has a field whose validation takes twice as long with each level.
const doubling = `{"key": "deep", "states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s"}], "fields": {"type": "object",
	"properties": {"f": {"$ref": "#/$defs/node"}},
	"$defs": {"node": {"allOf": [{"properties": {"c": {"$ref": "#/$defs/node"}}}, {"properties": {"c": {"$ref": "#/$defs/node"}}}]}}}}`

// leaving is the context of a client that leaves after so many calls of Err.
type leaving struct {
	context.Context
	after, looks atomic.Int64
}

func (l *leaving) Err() error {
	if l.looks.Add(1) > l.after.Load() {
		return context.Canceled
	}
	return l.Context.Err()
}

func TestDataThatCostsTooMuchIsRefusedWhereItDoes(t *testing.T) {
	w := start(t)
	w.put(w.p, doubling)
	in := casework.Submission{
		Type: "deep", Data: object(`{"f": ` + strings.Repeat(`{"c":`, 60) + `{}` + strings.Repeat(`}`, 60) + `}`),
	}
	_, err := w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
	refusal := fault.As(err)
	if !errors.Is(err, fault.Unprocessable) || refusal.Code != "case.data_invalid" || len(refusal.Fields) != 1 ||
		!strings.HasPrefix(refusal.Fields[0].Path, "/data/f/c") ||
		!strings.Contains(refusal.Fields[0].Message, "costs too much to check") {
		t.Errorf("%v", err)
	}
	ctx := &leaving{Context: t.Context()}
	ctx.after.Store(200)
	_, err = w.submissions.Submit(ctx, w.p, in, authz.Once{})
	if !errors.Is(err, context.Canceled) || ctx.looks.Load() > 210 {
		t.Errorf("%v after %d looks: the work went on when the client had left", err, ctx.looks.Load())
	}
}
