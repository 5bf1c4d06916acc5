package machine

// window holds the entries above a cursor's position that have owed messages.
type window struct {
	entries []*windowEntry // in order
	most    int            // entries
	readTo  int64          // the journal has been read up to here
}

// windowEntry is an entry with owed messages.
type windowEntry struct {
	seq  int64
	open int        // messages neither settled nor left to a parked lane
	sent []*Message // messages that were sent at least once
}

// position returns the low-watermark: everything at or below it is settled or parked.
func (w *window) position() int64 {
	for len(w.entries) > 0 && w.entries[0].open == 0 {
		w.entries[0] = nil
		w.entries = w.entries[1:]
	}
	if len(w.entries) > 0 {
		return w.entries[0].seq - 1
	}
	return w.readTo
}

func (w *window) full() bool {
	w.position()
	return len(w.entries) >= w.most
}

// add moves the window past an entry, and keeps the entry if it has owed messages.
func (w *window) add(e *windowEntry) {
	w.readTo = e.seq
	if e.open > 0 {
		w.entries = append(w.entries, e)
	}
}
