package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/hdl"
	"github.com/accelsim-dev/accelsim/internal/interrupt"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/report"
)

// hdlFlags are those of `accelsim hdl` alone.
type hdlFlags struct {
	hw, out, datapath, board, format string
	force, test, synth               bool
	vectors                          int
	seed                             uint64
}

func (f *hdlFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.hw, "hw", "paper", "built-in hardware ("+strings.Join(hardware.Names(), ", ")+") or hardware file")
	folderFlag(c, &f.out, "out", "folder to write to; it must be new or empty")
	flags.BoolVar(&f.force, "force", false, "write into a folder that is not empty")
	flags.StringVar(&f.datapath, "datapath", "q4.12", "fixed-point format qm.n for all words, or w=qm.n,u=..,e=..,g=.. (weights, potentials, errors, gradients)")
	flags.StringVar(&f.board, "board", "", "FPGA board to compare with (default that of --hw, else zcu102)")
	flags.IntVar(&f.vectors, "vectors", 10000, "random vectors for each unit's testbench")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the vectors")
	flags.BoolVar(&f.test, "test", false, "run the testbenches in iverilog and verilator")
	flags.BoolVar(&f.synth, "synth", false, "have yosys synthesise the array (minutes for more than a few PEs)")
	flags.StringVar(&f.format, "format", "table", "table or json")
}

// check refuses flags that make no sense.
func (f *hdlFlags) check() error {
	if _, err := choice("format", f.format, "table", "json"); err != nil {
		return err
	}
	if f.out == "" {
		return usage(errors.New("--out is missing; name the folder to write to"))
	}
	if err := hdl.CheckFolder(f.out, f.force); err != nil {
		return usage(err)
	}
	if f.vectors < 1 || f.vectors > 1_000_000 {
		return usage(fmt.Errorf("--vectors %d; write 1 to 1000000", f.vectors))
	}
	var needed []string
	if f.test {
		needed = append(needed, string(hdl.Icarus), string(hdl.Verilator))
	}
	if f.synth {
		needed = append(needed, "yosys")
	}
	for _, name := range needed {
		if err := hdl.FindTool(name); err != nil {
			return usage(err)
		}
	}
	return nil
}

func newHDLCommand() *cobra.Command {
	var task taskFlags
	var f hdlFlags
	c := &cobra.Command{
		Use:   "hdl --net NET [--k K] [--n N] --out DIR",
		Short: "Write Verilog: parameter headers, RTL and self-checking testbenches",
		Example: "  accelsim hdl --net alexnet --k 10 --n 1 --out build/alexnet\n" +
			"  accelsim hdl --net my-block.yaml --hw my-fpga.yaml --datapath w=q2.14,u=q4.12,e=q4.12,g=q6.10 --out build/block --test\n" +
			"  accelsim hdl --net lenet1 --k 4 --n 2 --board pynq-z2 --out build/lenet1 --force",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			workload, k, n, err := task.open(c)
			if err != nil {
				return err
			}
			hw, err := hardware.Open(f.hw)
			if err != nil {
				return usage(err)
			}
			formats, err := fixed.ParseFormats(f.datapath)
			if err != nil {
				return usage(fmt.Errorf("--datapath: %w", err))
			}
			if f.board == "" {
				f.board = hdl.BoardFor(hw.Name)
			}
			board, err := hdl.LookupBoard(f.board)
			if err != nil {
				return usage(fmt.Errorf("--board: %w", err))
			}
			d, err := hdl.New(hdl.Options{
				Workload: workload, Hardware: hw, K: k, N: n, Formats: formats, Vectors: f.vectors, Seed: f.seed,
				Version: accelsim.Revision() + ", sources " + accelsim.Identity(),
				Command: regenerate(&task, &f, k, n),
			})
			if err != nil {
				return usage(err)
			}
			warnOfIdleFlags(c)
			if err := d.Write(f.out, f.force); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			ctx, stop := interrupt.Context(c.Context()) // the tools end, and their files go
			defer stop()
			r := newHDLReport(d, board, f.out)
			r.Seed = f.seed
			var nothingMoves error
			if f.test {
				nothingMoves = r.Activity.check()
			}
			if nothingMoves == nil {
				if err := r.runTools(ctx, d, board, &f); err != nil {
					return err
				}
			}
			write := r.write
			if f.format == "json" {
				write = func(w io.Writer) error { return report.WriteJSON(w, r) }
			}
			return errors.Join(write(c.OutOrStdout()), nothingMoves)
		},
	}
	task.register(c)
	f.register(c)
	return c
}

// regenerate returns the command that makes the same files.
func regenerate(task *taskFlags, f *hdlFlags, k, n int) string {
	list := []string{"accelsim hdl --net", task.net, "--k", fmt.Sprint(k), "--n", fmt.Sprint(n), "--hw", f.hw, "--datapath", f.datapath}
	for _, v := range []struct {
		flag, value string
		given       bool
	}{
		{"--dataset", task.dataset, task.dataset != ""},
		{"--batch", fmt.Sprint(task.batch), task.batch != 0},
		{"--timesteps", fmt.Sprint(task.timesteps), task.timesteps != 0},
		{"--classifier", task.classifier, task.classifier != ""},
		{"--vectors", fmt.Sprint(f.vectors), true},
		{"--seed", fmt.Sprint(f.seed), true},
	} {
		if v.given {
			list = append(list, v.flag, v.value)
		}
	}
	return strings.Join(append(list, "--out DIR"), " ")
}

// hdlReport is what `accelsim hdl --format json` prints.
type hdlReport struct {
	Schema   string `json:"schema"`
	Out      string `json:"out"`
	Seed     uint64 `json:"seed"`
	Files    int    `json:"files"`
	Datapath string `json:"datapath"`
	Block    string `json:"block"`
	// Emitted is what the RTL is, and all that fits is said of; the workload's
	// training also takes Missing, for which there are no units.
	Emitted  string         `json:"emitted"`
	Missing  []string       `json:"missing_units,omitempty"`
	Cycles   int64          `json:"block_cycles,omitempty"`
	Map      int64          `json:"address_map_bytes"`
	DRAM     int64          `json:"dram_bytes"`
	Tests    []string       `json:"tests,omitempty"`
	Activity *blockActivity `json:"block_test,omitempty"`
	// Accuracy is the block's tensors against float32, after its testbench's intervals.
	Accuracy  []fixed.Accuracy `json:"accuracy,omitempty"`
	Resources hdlResources     `json:"resources"`
}

// blockActivity is what happens in the test of the block: where no weight moves,
// it shows nothing of the backward pass.
type blockActivity struct {
	Intervals int `json:"intervals"`
	Spikes    int `json:"spikes"`
	Weights   int `json:"weights"`
	Moved     int `json:"weights_moved"`
}

// check says that a test would pass whatever the backward pass did.
func (a *blockActivity) check() error {
	if a == nil || a.Moved > 0 {
		return nil
	}
	return fmt.Errorf("the block's test shows nothing of learning: none of its %d weights moves in %d intervals with %d spikes; give --datapath more fraction bits for w, or the workload a larger learning rate",
		a.Weights, a.Intervals, a.Spikes)
}

type hdlResources struct {
	Board    string         `json:"board"`
	Device   string         `json:"device"`
	Source   string         `json:"source"`
	Has      hdl.Resources  `json:"has"`
	Estimate hdl.Resources  `json:"estimate"`
	Yosys    *hdl.Resources `json:"yosys,omitempty"`
	// Of is what is estimated: all that Fits speaks of.
	Of    string   `json:"of"`
	Fits  bool     `json:"fits"`
	Lacks []string `json:"lacks,omitempty"`
}

func newHDLReport(d *hdl.Design, b hdl.Board, out string) *hdlReport {
	r := &hdlReport{
		Schema: hdl.Schema, Out: out, Files: len(d.Files()), Datapath: d.Formats.String(),
		Map: int64(d.MapEnd()), DRAM: int64(d.Hardware.DRAM.Capacity()),
		Resources: hdlResources{Board: b.Name, Device: b.Device, Source: b.Source, Has: b.Resources, Estimate: d.Estimate(b), Of: hdl.Estimated},
	}
	r.Emitted, r.Missing = d.Emitted(), d.Missing()
	r.Block = "controller and array (accelsim_block)"
	if d.Block == nil {
		r.Block = fmt.Sprintf("array only: the controller executes one small local block of fully connected layers, and of this workload %v", d.NoBlock)
	} else {
		r.Cycles, r.Accuracy = int64(d.Block.Cycles), d.Block.Accuracy
		r.Activity = &blockActivity{d.Block.Intervals, d.Block.Fired, d.Block.Trained(), d.Block.Moved}
	}
	r.Resources.Lacks = r.Resources.Estimate.Fits(b)
	r.Resources.Fits = len(r.Resources.Lacks) == 0
	return r
}

// runTools runs testbenches and synthesis where they are asked for.
func (r *hdlReport) runTools(ctx context.Context, d *hdl.Design, b hdl.Board, f *hdlFlags) error {
	if f.test {
		for _, module := range d.Testbenches() {
			for _, s := range []hdl.Simulator{hdl.Icarus, hdl.Verilator} {
				out, err := s.Simulate(ctx, f.out, module)
				if err != nil {
					return err
				}
				for line := range strings.Lines(out) {
					if !strings.HasPrefix(line, "- ") {
						r.Tests = append(r.Tests, fmt.Sprintf("%s: %s", s, strings.TrimSpace(line)))
					}
				}
			}
		}
	}
	if !f.synth {
		return nil
	}
	found, err := d.SynthesizeArray(ctx, f.out, b)
	if err != nil {
		return err
	}
	found.BRAM = r.Resources.Estimate.BRAM // the array has none; the layer buffer is not part of the RTL
	r.Resources.Yosys, r.Resources.Lacks = &found, found.Fits(b)
	r.Resources.Fits = len(r.Resources.Lacks) == 0
	return nil
}

func (r *hdlReport) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "wrote       %d files to %s\n", r.Files, r.Out)
	fmt.Fprintf(&b, "datapath    %s\n", r.Datapath)
	fmt.Fprintf(&b, "RTL         %s\n", r.Block)
	if len(r.Missing) > 0 {
		fmt.Fprintf(&b, "missing     no units for what this workload takes: %s\n", strings.Join(r.Missing, ", "))
	}
	if r.Cycles > 0 {
		fmt.Fprintf(&b, "interval    %d clocks\n", r.Cycles)
	}
	fmt.Fprintf(&b, "addresses   %d bytes of the DRAM's %d\n", r.Map, r.DRAM)
	if a := r.Activity; a != nil {
		fmt.Fprintf(&b, "block test  %d of %d weights move in %d intervals, %d spikes\n", a.Moved, a.Weights, a.Intervals, a.Spikes)
	}
	for _, line := range r.Tests {
		fmt.Fprintf(&b, "test        %s\n", line)
	}
	if len(r.Accuracy) > 0 {
		fmt.Fprintf(&b, "\n%-24s %10s %10s %10s %8s %9s\n", "against float32", "largest", "worst", "rms", "worst %", "saturated")
	}
	for _, a := range r.Accuracy {
		fmt.Fprintf(&b, "%-24s %10.4g %10.2g %10.2g %8.3f %9d\n", a.Tensor, a.Largest, a.Worst, a.RMS, 100*a.Relative, a.Saturated)
	}
	s := r.Resources
	fmt.Fprintf(&b, "\n%-24s %10s %10s %8s %8s\n", "resources", "LUT", "FF", "DSP", "BRAM36")
	row := func(name string, v hdl.Resources) {
		fmt.Fprintf(&b, "%-24s %10d %10d %8d %8d\n", name, v.LUT, v.FF, v.DSP, v.BRAM)
	}
	row("estimate", s.Estimate)
	if s.Yosys != nil {
		row("yosys synth_xilinx", *s.Yosys)
	}
	row(s.Board+" ("+s.Device+")", s.Has)
	if s.Fits {
		fmt.Fprintf(&b, "%s fits on %s", s.Of, s.Board)
	} else {
		fmt.Fprintf(&b, "%s does not fit on %s: %s", s.Of, s.Board, strings.Join(s.Lacks, ", "))
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(&b, "; not in it: %s", strings.Join(r.Missing, ", "))
	}
	fmt.Fprintf(&b, "\n%s's figures: %s; the BRAM are those of the layer buffer\n", s.Board, s.Source)
	_, err := io.WriteString(w, b.String())
	return err
}
