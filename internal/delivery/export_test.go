package delivery

// OnStopped calls a function each time that a cancelled replay has ended. Set it before the engine runs.
func (e *Engine) OnStopped(f func()) { e.signals.stopped = f }
