// Package parallel runs what one unit does beside itself: a bug in it fails that
// unit, as one in the unit's own goroutine does, and nothing of it is left running.
package parallel

import (
	"fmt"
	"iter"
	"runtime/debug"
)

// Panic is a panic that happened in a goroutine, with that one's stack.
type Panic struct {
	Value any
	Stack []byte
}

// Error is for a process that ends of it.
func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Go runs f in a goroutine. wait returns what f returned, once it has; if f
// panicked, wait panics with a *Panic. It must be called exactly once.
func Go(f func() error) (wait func() error) {
	type end struct {
		err   error
		panic *Panic
	}
	ended := make(chan end, 1)
	go func() {
		defer func() {
			switch p := recover().(type) {
			case nil:
			case *Panic:
				ended <- end{panic: p}
			default:
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

// Ahead yields what seq yields. While one value is worked on the next is made, and
// no more than that one. seq has ended when Ahead returns; if it panicked, so does
// Ahead. seq calls keep of each value, and drop is called when nobody needs the
// value any more; nil does nothing.
func Ahead[T any](seq iter.Seq2[T, error], keep, drop func(T)) iter.Seq2[T, error] {
	type item struct {
		value T
		err   error
	}
	if keep == nil {
		keep = func(T) {}
	}
	if drop == nil {
		drop = func(T) {}
	}
	return func(yield func(T, error) bool) {
		next, enough := make(chan item), make(chan struct{})
		wait := Go(func() error {
			defer close(next)
			for v, err := range seq {
				keep(v)
				select {
				case next <- item{v, err}:
				case <-enough:
					drop(v)
					return nil
				}
			}
			return nil
		})
		defer wait() // it returns nil
		defer close(enough)
		for it := range next {
			more := yield(it.value, it.err)
			drop(it.value)
			if !more {
				return
			}
		}
	}
}
