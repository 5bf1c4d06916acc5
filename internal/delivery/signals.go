package delivery

// signals let tests wait for what an engine does, instead of looking again and again.
// A signal that is nil costs a comparison. They are called on goroutines of the
// engine, and must not block.
type signals struct {
	leased  func() // leases were claimed, and the holders started or ended
	sent    func() // a request has ended
	settled func() // a batch of outcomes is durable
}

func signal(f func()) {
	if f != nil {
		f()
	}
}
