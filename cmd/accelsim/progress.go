package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows a counter of simulated steps once a run has taken two seconds:
// to somebody who watches, not in a file.
type progress struct {
	out   io.Writer
	what  string
	begun time.Time
	bar   *progressbar.ProgressBar
}

// patience is how long a command may be silent.
const patience = 2 * time.Second

func newProgress(out io.Writer, what string) *progress {
	return &progress{out: out, what: what, begun: time.Now()}
}

// step shows how far the run has come, in steps of the schedule.
func (p *progress) step(done, total int64) {
	if p.bar == nil {
		if time.Since(p.begun) < patience || !watched(p.out) {
			return
		}
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.out),
			progressbar.OptionSetDescription(p.what), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(done) // a terminal that cannot be written to is no reason to stop
}

// watched tells whether output goes to a terminal.
func watched(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return true
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// finish removes the bar.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
