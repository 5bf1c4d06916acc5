package client

import (
	"context"
	"iter"
	"net/url"
)

// Each returns the items of a list, page by page. It ends at the first error.
func Each[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := with(query, "limit", "100")
		for {
			var page struct {
				Items []T     `json:"items"`
				Next  *string `json:"next"`
			}
			if err := c.Get(ctx, path+"?"+query.Encode(), &page); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == nil {
				return
			}
			query.Set("cursor", *page.Next)
		}
	}
}

// AnyLimit returns a query without a limit, for lists whose page length the server decides.
func AnyLimit() url.Values { return url.Values{"limit": nil} }

// with returns a copy of a query with a default for one parameter.
func with(query url.Values, name, value string) url.Values {
	all := url.Values{name: {value}}
	for name, values := range query {
		all[name] = values
	}
	return all
}
