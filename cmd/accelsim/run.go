package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/tiling"
)

func newRunCommand() *cobra.Command {
	var task taskFlags
	var on machineFlags
	var results outputFlags
	var show showFlags
	var given tensorFlags
	var arithmetic datapathFlags
	c := &cobra.Command{
		Use:   "run --net NET [--k K] [--n N]",
		Short: "Simulate one training iteration and compare it with the equations and with BPTT",
		Example: "  accelsim run --net alexnet --k 10 --n 1\n" +
			"  accelsim run --net lenet1 --k 1 --n 2 --classifier random --format json\n" +
			"  accelsim run --net my-network.yaml --batch 64 --timing off",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := results.check(); err != nil {
				return err
			}
			workload, k, n, err := task.open(c)
			if err != nil {
				return err
			}
			m, err := on.open()
			if err != nil {
				return err
			}
			input, err := given.open(workload, n, m)
			if err != nil {
				return err
			}
			datapath, err := arithmetic.open(workload, k, input)
			if err != nil {
				return err
			}
			trace, err := show.trace(m.untimed, results.out)
			if err != nil {
				return err
			}
			requests, err := show.requests.sink(m.untimed)
			if err != nil {
				return err
			}
			warnOfIdleFlags(c)
			progress := newProgress(os.Stderr, "simulating")
			defer progress.finish()
			e, err := design.Evaluate(design.Point{
				Workload: workload, Hardware: m.hardware, K: k, N: n, Traffic: m.traffic, Residency: m.residency,
				Options:  sim.Options{Untimed: m.untimed, Order: m.order, Engine: m.engine, Energy: m.energy, Trace: trace, Requests: requests, Tensors: input, Datapath: datapath, Observe: given.observe()},
				Help:     true,
				Progress: progress.step,
			})
			if misfit(err) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			progress.finish()
			for _, warning := range e.Warnings {
				say("warning: %s", warning)
			}
			table := func(w io.Writer) error { return report.WriteRun(w, e, show.byLayer) }
			result := report.NewRun(e)
			result.Attribute(e)
			result.RecordSeed(seedOf(c))
			more := []output.File{show.page(result, trace)}
			var accuracy *accuracyReport
			var failed error
			if datapath != nil {
				if accuracy, failed = compareFloat32(workload, m.hardware, k, n, input, m, datapath, e.Run); failed == nil {
					more = append(more, accuracy.file())
				}
			}
			files := append([]written{show.written(result, trace), show.requests.written(m.hardware.DRAM)}, given.written(e.Run)...)
			failed = join(results.print(c.OutOrStdout(), result, table, more, files...), failed)
			if accuracy != nil {
				to := io.Writer(os.Stderr) // stdout has one object, or one table of CSV
				if results.format == "table" {
					to = c.OutOrStdout()
				}
				accuracy.write(to)
			}
			return join(failed, checked(e))
		},
	}
	task.register(c)
	on.register(c)
	results.register(c, pageFile, accuracyFile)
	show.register(c)
	given.register(c)
	arithmetic.register(c)
	return c
}

// misfit tells whether an error says that a workload and a machine do not fit
// each other: the user's to mend.
func misfit(err error) bool {
	return errors.As(err, new(*design.TooLarge)) || errors.As(err, new(*tiling.TooSmall)) || errors.As(err, new(*sim.StepTooLong)) || errors.As(err, new(*design.TooManySteps)) ||
		errors.Is(err, sim.ErrOneGroup) || errors.Is(err, sim.ErrAcross) || errors.Is(err, sim.ErrPrecision)
}

// tensorFlags make a run functional: real values go through the machine.
type tensorFlags struct {
	in, weights, out, spikes string

	record *sim.SpikeRecord
}

func (f *tensorFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.in, "tensors", "", "NPZ file with inputs, labels and weights: simulate their values, too; without labels forward only")
	weightsFlag(c, &f.weights)
	fileFlag(c, &f.out, "dump", "NPZ file to write losses, gradients, final weights and potentials to (with --tensors)")
	fileFlag(c, &f.spikes, "dump-spikes", "NPZ file to write the spikes of every neuron at every step to (with --tensors)")
}

// weightsFlag registers the flag of a file with weights alone.
func weightsFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "weights", "", "NPZ file with the weights, where that of --tensors has none, as import writes them")
}

// open reads the tensors and checks them against the workload; nil without any.
func (f *tensorFlags) open(w *network.Workload, n int, m machine) (*tensors.Input, error) {
	if f.in == "" {
		for _, idle := range []struct{ flag, value string }{{"dump", f.out}, {"dump-spikes", f.spikes}, {"weights", f.weights}} {
			if idle.value != "" {
				return nil, usage(fmt.Errorf("--%s needs --tensors: without inputs no values are computed", idle.flag))
			}
		}
		return nil, nil
	}
	if m.traffic == schedule.Equations {
		return nil, usage(errors.New("--tensors needs --traffic all: spikes and inputs must move, too"))
	}
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return nil, usage(err)
	}
	in, err := openTensors(w, blocks, f.in, f.weights)
	if err != nil {
		return nil, err
	}
	if f.spikes != "" {
		if f.record, err = sim.NewSpikeRecord(w, blocks); err != nil {
			return nil, usage(fmt.Errorf("--dump-spikes: %w", err))
		}
	}
	return in, nil
}

// openTensors reads the tensors of an iteration, the weights from a file of their own
// if that is named. Without labels the workload learns nothing.
func openTensors(w *network.Workload, blocks []network.Block, tensorsFile, weights string) (*tensors.Input, error) {
	files := []string{tensorsFile}
	if weights != "" {
		files = append(files, weights)
	}
	in, err := tensors.ReadInputs(w, blocks, files...)
	if err != nil {
		return nil, usage(err)
	}
	if in.Y != nil {
		return in, nil
	}
	for i := range w.Net.Layers {
		if w.Net.Layers[i].BatchNorm {
			return nil, usage(fmt.Errorf("%s has no labels y, so the network would run forward only; layer %d has batch norm, which the machine computes of a batch, as for training: give y, or put the norm into the weights", tensorsFile, i+1))
		}
	}
	w.Training.Rule = network.Rule{Inference: true}
	say("%s has no labels y: all steps run forward, none backward", tensorsFile)
	return in, nil
}

// observe is what sees neurons fire; nil if nobody asks.
func (f *tensorFlags) observe() func(op.Observation) {
	if f.record == nil {
		return nil
	}
	return f.record.Observe
}

// written are the files of what the simulated machine computed.
func (f *tensorFlags) written(r *sim.Result) []written {
	files := []written{toFile("dump", f.out, r.Tensors.Write)}
	if f.record != nil {
		files = append(files, toFile("dump-spikes", f.spikes, f.record.Set().Write))
	}
	return files
}

// checked fails when a counter differs from its equation.
func checked(e *design.Evaluation) error {
	if e.Check.Pass {
		return nil
	}
	for _, row := range e.Check.Rows {
		if row.Decides && row.Difference != 0 {
			return fmt.Errorf("the cross-check failed: %s are %d, Eq. %s gives %d", row.Quantity, row.Simulated, row.Equation, row.Analytic)
		}
	}
	if len(e.Check.Late) > 0 {
		return fmt.Errorf("the cross-check failed: %s", e.Check.Late[0])
	}
	return errors.New("the cross-check failed")
}
