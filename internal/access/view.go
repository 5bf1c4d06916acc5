package access

import "time"

// View is a filter of a page of the console that somebody has saved.
type View struct {
	ID        string
	Owner     Owner
	Name      string
	Page      string // the path of the page: "/cases"
	Query     string // of the page's address: "state=draft&type=kyc"
	Shared    bool   // everybody in the tenant sees it
	CreatedAt time.Time
}
