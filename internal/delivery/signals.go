package delivery

// signals are functions by which tests wait for steps of an engine without polling. They are called on goroutines of
// the engine, and must not block. Any of them may be nil.
type signals struct {
	leased  func() // leases were claimed, and the holders started or ended
	sent    func() // a request has ended
	settled func() // a batch of outcomes is durable
	stopped func() // a replay was cancelled, and begins no more requests
}

func signal(f func()) {
	if f != nil {
		f()
	}
}
