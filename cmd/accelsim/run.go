package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"accelsim/design"
	"accelsim/report"
	"accelsim/sim"
)

func newRunCommand() *cobra.Command {
	var task taskFlags
	var on machineFlags
	var output outputFlags
	var show showFlags
	c := &cobra.Command{
		Use:   "run --net NET [--k K] [--n N]",
		Short: "Simulate one training iteration and compare it with the equations and with BPTT",
		Example: "  accelsim run --net alexnet --k 10 --n 1\n" +
			"  accelsim run --net lenet1 --k 1 --n 2 --classifier random --format json\n" +
			"  accelsim run --net my-network.yaml --batch 64 --timing off",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(); err != nil {
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
			trace, err := show.trace(m.untimed, output.out)
			if err != nil {
				return err
			}
			progress := newProgress(os.Stderr, "simulating")
			defer progress.finish()
			e, err := design.Evaluate(design.Point{
				Workload: workload, Hardware: m.hardware, K: k, N: n, Traffic: m.traffic,
				Options:  sim.Options{Untimed: m.untimed, Engine: m.engine, Energy: m.energy, Trace: trace},
				Help:     true,
				Progress: progress.step,
			})
			if errors.As(err, new(*design.TooLarge)) {
				return usage(err)
			}
			if err != nil {
				return err
			}
			progress.finish()
			for _, warning := range e.Warnings {
				fmt.Fprintf(os.Stderr, "accelsim: warning: %s\n", warning)
			}
			table := func(w io.Writer) error { return report.WriteRun(w, e, show.byLayer) }
			result := report.NewRun(e)
			result.Attribute(e)
			if err := output.print(c.OutOrStdout(), result, table); err != nil {
				return err
			}
			if err := show.write(output.out, result, trace); err != nil {
				return err
			}
			return checked(e)
		},
	}
	task.register(c)
	on.register(c)
	output.register(c)
	show.register(c)
	return c
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
	return errors.New("the cross-check failed")
}
