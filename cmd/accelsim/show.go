package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"accelsim/dram"
	"accelsim/report"
	"accelsim/sim"
	"accelsim/units"
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
	at units.Picoseconds
	dram.Stream
}

// requestLimit is how many requests a trace holds by default: as many as
// docs/validation.md compares simulators with.
const requestLimit = 1_000_000

// sink returns what records the requests, nil unless they are asked for.
func (t *requestTrace) sink(untimed bool) (func(units.Picoseconds, dram.Stream), error) {
	switch {
	case t.file == "":
		return nil, nil
	case untimed:
		return nil, usage(errors.New("--dram-trace shows when requests are made; it needs --timing on"))
	case t.limit < 1:
		return nil, usage(fmt.Errorf("--dram-trace-requests %d; write 1 or more", t.limit))
	}
	t.left = t.limit
	return func(at units.Picoseconds, s dram.Stream) {
		if t.cut = t.cut || s.Bursts > t.left; t.left == 0 {
			return
		}
		s.Bursts = min(s.Bursts, t.left)
		t.left -= s.Bursts
		t.streams = append(t.streams, issued{at, s})
	}, nil
}

// write writes the requests in DRAMsim3's format.
func (t *requestTrace) write(d dram.Device) error {
	if t.file == "" {
		return nil
	}
	err := writeFile(t.file, func(w io.Writer) error {
		buffered := bufio.NewWriter(w)
		for _, s := range t.streams {
			at := units.Cycles(units.CeilDiv(s.at, d.Clock))
			if _, err := dram.WriteTrace(buffered, d, at, []dram.Stream{s.Stream}, s.Bursts); err != nil {
				return err
			}
		}
		return buffered.Flush()
	})
	if err == nil && t.cut {
		fmt.Fprintf(os.Stderr, "accelsim: %s has the first %d requests; --dram-trace-requests takes more\n", t.file, t.limit)
	}
	return err
}

// Steps that a trace holds by default, and that report.html draws at most.
const (
	perfettoSteps = 4000
	timelineSteps = 2000
)

func (f *showFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.byLayer, "by-layer", false, "show every layer, classifier and phase, and every class of tensors")
	c.Flags().StringVar(&f.perfetto, "perfetto", "", "file to write a trace to, for ui.perfetto.dev")
	c.Flags().StringVar(&f.requests.file, "dram-trace", "", "file to write the run's first DRAM requests to, in DRAMsim3's trace format")
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
		if info, err := os.Stat(filepath.Dir(f.perfetto)); err != nil {
			return nil, usage(fmt.Errorf("--perfetto: %w; name a file in a folder that exists", err))
		} else if !info.IsDir() {
			return nil, usage(fmt.Errorf("--perfetto: %s is not a folder", filepath.Dir(f.perfetto)))
		}
	}
	if out != "" {
		limit = max(limit, timelineSteps)
	}
	return &sim.Trace{Limit: limit}, nil
}

// write writes report.html and the trace.
func (f *showFlags) write(out string, r *report.Run, t *sim.Trace) error {
	if out != "" {
		page := func(w io.Writer) error { return report.WriteHTML(w, r, t) }
		if err := writeFile(filepath.Join(out, "report.html"), page); err != nil {
			return err
		}
	}
	if f.perfetto == "" {
		return nil
	}
	t = t.First(f.perfettoSteps)
	if err := writeFile(f.perfetto, func(w io.Writer) error { return report.WritePerfetto(w, r, t) }); err != nil {
		return err
	}
	if t.Cut() {
		fmt.Fprintf(os.Stderr, "accelsim: %s has the first %d of %d steps; --perfetto-steps takes more\n", f.perfetto, t.Limit, t.Total)
	}
	return nil
}
