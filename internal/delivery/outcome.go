package delivery

import (
	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/store"
)

// outcome is the end of an attempt, with its record and the details for the log.
type outcome struct {
	machine.Outcome
	cause   string        // why there was no answer, in full; for the operator alone
	address string        // the dialled address; for the operator alone
	attempt store.Attempt // as it is recorded
}

// parkedRows converts the rows of parked lanes to the form in which they are stored.
func parkedRows(all []machine.ParkedMessage) []store.ParkedMessage {
	return convert(all, func(p machine.ParkedMessage) store.ParkedMessage { return store.ParkedMessage(p) })
}

// deadRows converts dead messages to the form in which they are stored.
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

// repairedRows converts completed repair requests to the form in which they are stored.
func repairedRows(all []machine.RepairRequest) []store.RepairRequest {
	return convert(all, func(w machine.RepairRequest) store.RepairRequest {
		return store.RepairRequest{Message: w.Message, Drop: w.Drop}
	})
}

// healthRows converts changes of an endpoint's health to the form in which they are stored.
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
