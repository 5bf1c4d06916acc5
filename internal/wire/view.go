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
	Optional  bool // it has the messages of optional formats; they follow the others, whose places are the same without
}

// Views bounds the index of a view.
const Views = 16

// Index returns a number of the view's own, from 0 to below Views.
func (v View) Index() int {
	i := v.Clearance.Level()
	if v.Thin {
		i += Views / 4
	}
	if v.Optional {
		i += Views / 2
	}
	return i
}

// ViewsUpTo lists the views of a clearance and of those below it, with all messages.
func ViewsUpTo(clearance casetype.Classification) (views []View) {
	for _, c := range casetype.Classifications() {
		if clearance.Sees(c) {
			views = append(views, View{Clearance: c, Optional: true}, View{Clearance: c, Thin: true, Optional: true})
		}
	}
	return views
}

// Messages is the function Messages for this view.
func (v View) Messages(e *event.Entry, version string) []Message {
	all := derive(e, version, v.Clearance, v.Optional)
	if v.Thin {
		for i := range all {
			all[i].thin()
		}
	}
	return all
}
