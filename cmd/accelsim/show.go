package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// showFlags say what of a run to show beyond its tables.
type showFlags struct {
	byLayer       bool
	perfetto      string
	perfettoSteps int64
	requests      requestTrace
}

// requestTrace is the first requests of a run, for other DRAM simulators.
type requestTrace struct {
	file    string
	limit   int64
	left    int64
	cut     bool
	streams []issued
}

// issued is a stream and when the DMA gave it to the DRAM.
type issued struct {
	at units.Time
	dram.Stream
}

// requestLimit is how many requests a trace holds by default: as many as
// docs/validation.md compares simulators with.
const requestLimit = 1_000_000

// sink returns what records the requests, nil unless they are asked for.
func (t *requestTrace) sink(untimed bool) (func(units.Time, dram.Stream), error) {
	switch {
	case t.file == "":
		return nil, nil
	case untimed:
		return nil, usage(errors.New("--dram-trace shows when requests are made; it needs --timing on"))
	case t.limit < 1:
		return nil, usage(fmt.Errorf("--dram-trace-requests %d; write 1 or more", t.limit))
	}
	t.left = t.limit
	return func(at units.Time, s dram.Stream) {
		if t.cut = t.cut || s.Bursts > t.left; t.left == 0 {
			return
		}
		s.Bursts = min(s.Bursts, t.left)
		t.left -= s.Bursts
		t.streams = append(t.streams, issued{at, s})
	}, nil
}

// written is the file of the requests, in DRAMsim3's format.
func (t *requestTrace) written(d dram.Device) written {
	return toFile("dram-trace", t.file, func(w io.Writer) error {
		for _, s := range t.streams {
			at, fits := units.Clocks(s.at, d.Clock).One()
			if !fits {
				return fmt.Errorf("a request after %s: a trace's clocks have 64 bits", report.Seconds(units.Seconds(s.at)))
			}
			if _, err := dram.WriteTrace(w, d, at, []dram.Stream{s.Stream}, s.Bursts); err != nil {
				return err
			}
		}
		if t.cut {
			say("%s has the first %d requests; --dram-trace-requests takes more", t.file, t.limit)
		}
		return nil
	})
}

// Steps that a trace holds by default, and that report.html draws at most.
const (
	perfettoSteps = 4000
	timelineSteps = 2000
)

func (f *showFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.byLayer, "by-layer", false, "show every layer, classifier and phase, and every class of tensors")
	fileFlag(c, &f.perfetto, "perfetto", "file to write a trace to, for ui.perfetto.dev")
	fileFlag(c, &f.requests.file, "dram-trace", "file to write the run's first DRAM requests to, in DRAMsim3's trace format")
	c.Flags().Int64Var(&f.requests.limit, "dram-trace-requests", requestLimit, "requests in that trace, from the first")
	c.Flags().Int64Var(&f.perfettoSteps, "perfetto-steps", perfettoSteps, "steps of the schedule in that trace, from the first")
}

// trace returns the trace that the run has to fill, if any.
func (f *showFlags) trace(untimed bool, out string) (*sim.Trace, error) {
	switch {
	case f.perfetto != "" && untimed:
		return nil, usage(errors.New("--perfetto shows when things happen; it needs --timing on"))
	case f.perfettoSteps < 1:
		return nil, usage(fmt.Errorf("--perfetto-steps %d; write 1 or more", f.perfettoSteps))
	case untimed || (f.perfetto == "" && out == ""):
		return nil, nil
	}
	limit := int64(0)
	if f.perfetto != "" {
		limit = f.perfettoSteps
	}
	if out != "" {
		limit = max(limit, timelineSteps)
	}
	return &sim.Trace{Limit: limit}, nil
}

// pageFile is the page in a folder of results.
const pageFile = "report.html"

// page is report.html.
func (f *showFlags) page(r *report.Run, t *sim.Trace) output.File {
	return output.File{Name: pageFile, Write: func(w io.Writer) error { return report.WriteHTML(w, r, t) }}
}

// written is the file of the trace.
func (f *showFlags) written(r *report.Run, t *sim.Trace) written {
	return toFile("perfetto", f.perfetto, func(w io.Writer) error {
		t := t.First(f.perfettoSteps)
		if t.Cut() {
			say("%s has the first %d of %d steps; --perfetto-steps takes more", f.perfetto, t.Limit, t.Total)
		}
		return report.WritePerfetto(w, r, t)
	})
}
