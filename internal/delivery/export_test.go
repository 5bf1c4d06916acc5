package delivery

// Signal calls a function each time that the engine has claimed leases, a request has ended, or outcomes are durable.
// Set it before the engine runs.
func (e *Engine) Signal(f func()) { *e.signals = signals{leased: f, sent: f, settled: f} }
