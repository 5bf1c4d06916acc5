package wire

import "github.com/casehook/casehook/internal/event"

// Samples returns a made-up entry for each fact of a trigger.
func Samples(trigger string) (all []*event.Entry) {
	for _, t := range registry.triggers[trigger].rules {
		all = append(all, t.sample())
	}
	return all
}
