package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/casehook/casehook/internal/client"
)

// listing is what a command that lists things of a server needs to know.
type listing struct {
	JSON bool `name:"json" help:"Print one JSON object a line, with all that is known."`
	remote
}

// printList prints what a path of the API lists: a table with the given columns, of
// which cells returns one row each, or JSON.
func printList[T any](ctx context.Context, s stdio, l listing, path, columns string, cells func(T) []any) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, columns)
	for raw, err := range client.Each[json.RawMessage](ctx, l.client(), path, client.AnyLimit()) {
		if err != nil {
			return err
		}
		if l.JSON {
			fmt.Fprintf(s.out, "%s\n", raw)
			continue
		}
		var item T
		if err := json.Unmarshal(raw, &item); err != nil {
			return err
		}
		row := cells(item)
		fmt.Fprintf(w, strings.TrimSuffix(strings.Repeat("%v\t", len(row)), "\t")+"\n", row...)
	}
	if l.JSON {
		return nil
	}
	return w.Flush()
}
