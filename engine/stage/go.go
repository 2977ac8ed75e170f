package stage

import "runtime/debug"

// Panic is a panic that happened in a goroutine, with that one's stack.
type Panic struct {
	Value any
	Stack []byte
}

// Go runs f in a goroutine. wait returns what f returned, once it has; if f
// panicked, wait panics with a *Panic, so that a bug in what a unit does beside
// itself fails that unit as any other does. wait must be called exactly once.
func Go(f func() error) (wait func() error) {
	type end struct {
		err   error
		panic *Panic
	}
	ended := make(chan end, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				ended <- end{panic: &Panic{Value: p, Stack: debug.Stack()}}
			}
		}()
		ended <- end{err: f()}
	}()
	return func() error {
		e := <-ended
		if e.panic != nil {
			panic(e.panic)
		}
		return e.err
	}
}
