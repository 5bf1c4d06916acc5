package delivery

// OnStopped calls a function when a cancelled replay begins no more requests, or more than once. Set it before the engine
// runs.
func (e *Engine) OnStopped(f func()) { e.signals.stopped = f }
