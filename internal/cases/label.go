package cases

import "time"

// Label is a tenant's label for cases. Cases refer to it by its slug, which never changes.
type Label struct {
	Slug      string
	Name      string
	Color     string // may be empty
	CreatedAt time.Time
}
