package people

import (
	"context"

	"github.com/casehook/casehook/internal/web/ui"
)

// Setting is what the server was started with, as far as administrators may know it.
type Setting struct {
	Name, Value string
	Flag        string // that sets it
}

// showSettings shows how the server is set up. It is changed by starting the server with other flags.
func (h handler) showSettings(context.Context, *ui.Request) (ui.View, error) {
	return ui.View{Title: "Settings", Section: "/settings", Body: settingsTemplate(h.settings)}, nil
}
