package wire

import (
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// View is the form in which a receiver gets messages. An entry's messages are encoded once for all receivers that
// have the same view.
type View struct {
	Clearance casetype.Classification
	Thin      bool // bodies hold only the members that identify the change
}

// Views bounds the index of a view.
const Views = 8

// Index returns a number of the view's own, from 0 to below Views.
func (v View) Index() int {
	if v.Thin {
		return Views/2 + v.Clearance.Level()
	}
	return v.Clearance.Level()
}

// ViewsUpTo lists the views of a clearance and of those below it.
func ViewsUpTo(clearance casetype.Classification) (views []View) {
	for _, c := range casetype.Classifications() {
		if clearance.Sees(c) {
			views = append(views, View{Clearance: c}, View{Clearance: c, Thin: true})
		}
	}
	return views
}

// Messages is the function Messages for this view.
func (v View) Messages(e *event.Entry, version string) []Message {
	all := Messages(e, version, v.Clearance)
	if v.Thin {
		for i := range all {
			all[i].thin()
		}
	}
	return all
}
