package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sweep"
)

// sweepProgress says how far a sweep has come: on a terminal in one line that
// changes, in a log file with a line now and then.
type sweepProgress struct {
	mutex    sync.Mutex // of what is printed: a signal comes at any time
	out      io.Writer
	terminal bool
	total    int
	done     int
	not      int // of them without a result
	begun    time.Time
	shown    time.Time
	every    time.Duration
}

// How often progress is shown.
const (
	onTerminal = 200 * time.Millisecond
	inLog      = 10 * time.Second
)

func newSweepProgress(out *os.File, total int) *sweepProgress {
	now := time.Now()
	p := &sweepProgress{out: out, total: total, begun: now, shown: now, every: inLog}
	if p.terminal = isTerminal(out); p.terminal {
		p.every = onTerminal
	}
	return p
}

// finished counts a point.
func (p *sweepProgress) finished(s sweep.Status) {
	p.done++
	if s != sweep.OK {
		p.not++
	}
	if now := time.Now(); now.Sub(p.shown) >= p.every && p.done < p.total {
		p.shown = now
		p.print(now)
	}
}

// say prints a line of its own.
func (p *sweepProgress) say(text string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	fmt.Fprintf(p.out, "accelsim: %s\n", text)
}

func (p *sweepProgress) print(now time.Time) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	elapsed := now.Sub(p.begun)
	left := time.Duration(float64(elapsed) / float64(p.done) * float64(p.total-p.done))
	before, after := "", "\n"
	if p.terminal {
		before, after = "\r\x1b[K", ""
	}
	fmt.Fprintf(p.out, "%saccelsim: %s%s", before, p.line(elapsed, fmt.Sprintf("%s left", left.Round(time.Second))), after)
}

func (p *sweepProgress) line(elapsed time.Duration, end string) string {
	without := ""
	if p.not > 0 {
		without = fmt.Sprintf(", %s without a result", report.Integer(p.not))
	}
	return fmt.Sprintf("%s of %s points%s, %.1f a second, %s",
		report.Integer(p.done), report.Integer(p.total), without, float64(p.done)/max(elapsed.Seconds(), 1e-3), end)
}

// end removes the line and says how long it took.
func (p *sweepProgress) end() {
	elapsed := time.Since(p.begun)
	p.say(p.line(elapsed, "took "+elapsed.Round(10*time.Millisecond).String()))
}
