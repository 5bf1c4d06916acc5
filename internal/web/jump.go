package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// jumper leads from an id, a reference or words to a page.
type jumper struct{ services api.Services }

// prefixes are the pages of ids, by what the ids begin with.
var prefixes = map[string]string{"ep_": "/endpoints/", "att_": "/messages/", "msg_": "/messages?message="}

func (j jumper) jump(ctx context.Context, r *ui.Request) (ui.View, error) {
	text := strings.TrimSpace(r.Query("q"))
	for prefix, path := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return ui.Redirect(path + url.QueryEscape(text)), nil
		}
	}
	if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 {
		if _, err := j.services.Casework.Cases.Case(ctx, r.Principal, id); err == nil {
			return ui.Redirect("/cases/" + text), nil
		}
	}
	to := ui.Redirect("/cases?q=" + url.QueryEscape(text))
	if text == "" {
		return ui.Redirect("/cases"), nil
	}
	found, err := j.services.Casework.Cases.Cases(ctx, r.Principal, store.CaseFilter{Text: quoted(text), Limit: 2})
	if err != nil {
		return to, nil // the list explains what is wrong with a search
	}
	var only int64
	n := 0
	for c, err := range found.All(ctx) {
		if err != nil {
			return to, nil
		}
		if only, n = c.ID, n+1; strings.EqualFold(c.Reference, text) {
			return ui.Redirect("/cases/" + strconv.FormatInt(c.ID, 10)), nil
		}
	}
	if n == 1 {
		return ui.Redirect("/cases/" + strconv.FormatInt(only, 10)), nil
	}
	return to, nil
}

// quoted makes a reference, which has hyphens, a phrase.
func quoted(text string) string {
	if strings.Contains(text, "-") && !strings.ContainsAny(text, ` "`) {
		return `"` + text + `"`
	}
	return text
}
