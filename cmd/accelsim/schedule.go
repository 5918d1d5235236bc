package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/schedule"
)

func newScheduleCommand() *cobra.Command {
	var task taskFlags
	var output outputFlags
	var listing report.Listing
	var traffic string
	var skipUnread bool
	c := &cobra.Command{
		Use:   "schedule --net NET [--k K] [--n N]",
		Short: "List Figure 8: what each step reads, computes and writes",
		Example: "  accelsim schedule --net lenet1 --k 4 --n 2\n" +
			"  accelsim schedule --net alexnet --k 10 --n 1 --block 2\n" +
			"  accelsim schedule --net lenet1 --k 1 --n 4 --all --format csv",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(); err != nil {
				return err
			}
			workload, k, n, err := task.open(c)
			if err != nil {
				return err
			}
			equations, err := choice("traffic", traffic, "all", "equations")
			if err != nil {
				return err
			}
			p, err := schedule.New(workload, k, n, schedule.Traffic(equations))
			if err != nil {
				return usage(err)
			}
			if p, err = p.With(schedule.Policy{SkipUnread: skipUnread}); err != nil {
				return usage(fmt.Errorf("--skip-unread: %w", err))
			}
			if listing.Interval < 1 || listing.Interval > p.Intervals() {
				return usage(fmt.Errorf("--interval %d; there are intervals 1 to %d", listing.Interval, p.Intervals()))
			}
			if listing.Block < 0 || listing.Block > len(p.Blocks) {
				return usage(fmt.Errorf("--block %d; there are local blocks 1 to %d, or 0 for all", listing.Block, len(p.Blocks)))
			}
			listing.Program, listing.Seed = p, seedOf(c)
			warnOfIdleFlags(c)
			table := func(w io.Writer) error { return listing.Write(w) }
			return output.print(c.OutOrStdout(), listing.Records(), table, nil)
		},
	}
	task.register(c)
	output.register(c)
	flags := c.Flags()
	flags.IntVar(&listing.Interval, "interval", 1, "the truncation interval to list")
	flags.IntVar(&listing.Block, "block", 0, "only this local block (default all)")
	flags.BoolVar(&listing.All, "all", false, "every time step, also those that only repeat the one before")
	flags.BoolVar(&skipUnread, "skip-unread", false, skipUnreadUsage)
	flags.StringVar(&traffic, "traffic", "all", "all, or equations for only what Eqs. 11-17 cover")
	return c
}
