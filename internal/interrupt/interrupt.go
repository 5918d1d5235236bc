// Package interrupt says what SIGINT, SIGTERM and SIGHUP do.
//
// A signal ends the program, after it has removed its temporary files. A command
// that has something to keep asks for a [Context]: the first signal cancels it,
// and the command keeps what is finished; the second ends the program at once.
package interrupt

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
)

// Signal is the cause of a context that a signal cancelled.
type Signal struct{ os.Signal }

// Error says which signal it was.
func (s Signal) Error() string { return fmt.Sprintf("interrupted (%v)", s.Signal) }

type watcherKey struct{}

// watcher waits for signals.
type watcher struct {
	mutex  sync.Mutex
	cancel context.CancelCauseFunc // of the command that wants to know; nil if none does
}

// Watch makes signals call clean and then end the program. Commands find the
// watch in the context.
func Watch(parent context.Context, clean func()) context.Context {
	w := &watcher{}
	arrived := make(chan os.Signal, 1)
	for _, s := range ending {
		if !signal.Ignored(s) { // nohup, and the background of a script
			signal.Notify(arrived, s)
		}
	}
	go func() {
		for s := range arrived {
			if cancel := w.take(); cancel != nil {
				cancel(Signal{s})
				continue
			}
			clean()
			die(s)
		}
	}()
	return context.WithValue(parent, watcherKey{}, w)
}

// take returns what a signal has to cancel, once.
func (w *watcher) take() context.CancelCauseFunc {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	cancel := w.cancel
	w.cancel = nil
	return cancel
}

// Context returns a context that the first signal cancels, with a [Signal] as its
// cause. After stop, signals end the program again.
func Context(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	w, watched := parent.Value(watcherKey{}).(*watcher)
	if watched {
		w.mutex.Lock()
		w.cancel = cancel
		w.mutex.Unlock()
	}
	return ctx, func() {
		if watched {
			w.take()
		}
		cancel(nil)
	}
}
