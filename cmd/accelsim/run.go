package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/design"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/network"
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
				Options:  sim.Options{Untimed: m.untimed, Order: m.order, Engine: m.engine, Energy: m.energy, Trace: trace, Requests: requests, Tensors: input, Datapath: datapath},
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
			failed = join(results.print(c.OutOrStdout(), result, table, more,
				show.written(result, trace), show.requests.written(m.hardware.DRAM), given.written(e.Run)), failed)
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
	return errors.As(err, new(*design.TooLarge)) || errors.As(err, new(*tiling.TooSmall)) || errors.As(err, new(*sim.StepTooLong)) ||
		errors.Is(err, sim.ErrOneGroup) || errors.Is(err, sim.ErrAcross) || errors.Is(err, sim.ErrPrecision)
}

// tensorFlags make a run functional: real values go through the machine.
type tensorFlags struct{ in, out string }

func (f *tensorFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.in, "tensors", "", "NPZ file with inputs, labels and weights: simulate their values, too")
	fileFlag(c, &f.out, "dump", "NPZ file to write losses, gradients, final weights and potentials to (with --tensors)")
}

// open reads the tensors and checks them against the workload; nil without any.
func (f *tensorFlags) open(w *network.Workload, n int, m machine) (*tensors.Input, error) {
	if f.in == "" {
		if f.out != "" {
			return nil, usage(errors.New("--dump needs --tensors: without values there is nothing to dump"))
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
	input, err := tensors.ReadInput(f.in, w, blocks)
	return input, usage(err)
}

// written is the file of what the simulated machine computed.
func (f *tensorFlags) written(r *sim.Result) written {
	return toFile("dump", f.out, r.Tensors.Write)
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
