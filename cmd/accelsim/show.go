package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"accelsim/report"
	"accelsim/sim"
)

// showFlags say what of a run to show beyond its tables.
type showFlags struct {
	byLayer       bool
	perfetto      string
	perfettoSteps int64
}

// Steps that a trace holds by default, and that report.html draws at most.
const (
	perfettoSteps = 4000
	timelineSteps = 2000
)

func (f *showFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.byLayer, "by-layer", false, "show every layer, classifier and phase, and every class of tensors")
	c.Flags().StringVar(&f.perfetto, "perfetto", "", "file to write a trace to, for ui.perfetto.dev")
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
