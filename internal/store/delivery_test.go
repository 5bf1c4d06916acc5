package store

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestALongListIsWrittenInPortions(t *testing.T) {
	for name, c := range map[string]struct {
		texts []string
		want  []int // rows in each portion
	}{
		"none":                     {nil, nil},
		"short":                    {[]string{"a", "", "b"}, []int{3}},
		"cut when it has enough":   {[]string{"aaa", "b", "c", "ddd", "e"}, []int{2, 2, 1}},
		"one that is long already": {[]string{"aaaaaaaaa", "b"}, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var rows [][]any
			for i, text := range c.texts {
				rows = append(rows, []any{i, text})
			}
			var got []int
			next := 0
			for _, portion := range portions(rows, 4) {
				got = append(got, len(portion))
				for _, row := range portion {
					if row[0] != next {
						t.Errorf("row %v comes where %d should", row[0], next)
					}
					next++
				}
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
