package delivery

import (
	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/store"
)

// outcome is the end of an attempt, with what is recorded and logged of it.
type outcome struct {
	machine.Outcome
	cause   string        // for the operator alone: all that is known of why there was no answer
	address string        // that was dialled, for the operator alone
	attempt store.Attempt // as it is recorded
}

// parkedRows converts the rows of parked lanes to how they are saved.
func parkedRows(all []machine.ParkedMessage) []store.ParkedMessage {
	return convert(all, func(p machine.ParkedMessage) store.ParkedMessage { return store.ParkedMessage(p) })
}

// deadRows converts messages that were given up to how they are saved.
func deadRows(all []machine.DeadMessage) []store.DeadMessage {
	return convert(all, func(d machine.DeadMessage) store.DeadMessage {
		row := store.DeadMessage{
			Place:   store.Place{Seq: d.Seq, Part: d.Part, Message: d.Message},
			Subject: d.Subject,
			Trigger: d.Trigger,
			At:      d.At,
			Reason:  d.Reason,
		}
		if d.Dropped {
			row.State = store.Dropped
		}
		return row
	})
}

// repairedRows converts the requests that were carried out to their stored form.
func repairedRows(all []machine.RepairRequest) []store.RepairRequest {
	return convert(all, func(w machine.RepairRequest) store.RepairRequest {
		return store.RepairRequest{Message: w.Message, Drop: w.Drop}
	})
}

// healthRows converts changes of an endpoint's health to how they are saved.
func healthRows(all []machine.HealthChange) []store.HealthChange {
	return convert(all, func(c machine.HealthChange) store.HealthChange { return store.HealthChange(c) })
}

func convert[From, To any](all []From, one func(From) To) []To {
	if len(all) == 0 {
		return nil
	}
	converted := make([]To, len(all))
	for i, from := range all {
		converted[i] = one(from)
	}
	return converted
}
