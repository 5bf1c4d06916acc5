package backup

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func values() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return bytes.Clone(append([]byte{}, b...)) }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
	)
}

func TestRowsAreDecodedAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(values(), 1, 10), 1, 20).Draw(t, "rows")
		var chunk []byte
		for _, row := range rows {
			var err error
			if chunk, err = appendRow(chunk, row); err != nil {
				t.Fatal(err)
			}
		}
		var decoded [][]any
		for row, err := range decodeRows(chunk) {
			if err != nil {
				t.Fatal(err)
			}
			decoded = append(decoded, row)
		}
		if diff := cmp.Diff(rows, decoded); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzDecodeRows(f *testing.F) {
	chunk, err := appendRow(nil, []any{nil, int64(-5), "text", []byte{1}, true, false})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(chunk)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 127, 1})
	f.Fuzz(func(t *testing.T, chunk []byte) {
		var again []byte
		for row, err := range decodeRows(chunk) {
			if err != nil {
				return
			}
			if again, err = appendRow(again, row); err != nil {
				t.Fatal(err)
			}
		}
	})
}
