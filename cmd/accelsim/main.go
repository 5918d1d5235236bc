// Accelsim simulates an accelerator that trains spiking neural networks with
// temporally-truncated local backpropagation through time (Guo et al. 2023).
//
//	accelsim run --net alexnet --k 10 --n 1
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/dataset"
	"github.com/accelsim-dev/accelsim/internal/interrupt"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/internal/spelling"
)

func main() {
	ctx := interrupt.Watch(context.Background(), output.Discard)
	status := execute(ctx, os.Args[1:])
	if status == exitNobodyReads {
		_, _ = os.Stdout.WriteString("\n") // ends the program by SIGPIPE, unless whoever started it ignores that
		status = exitFailed
	}
	os.Exit(status)
}

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1   // the run found a mismatch, or failed
	exitBadInput    = 2   // the command line or an input file is wrong
	exitNobodyReads = 141 // the reader of standard output has left: main ends by SIGPIPE, which shells call 141
)

// usageError is an error of the command line or of an input file.
type usageError struct{ error }

// Unwrap returns the error itself.
func (e usageError) Unwrap() error { return e.error }

// usage marks an error as the user's to mend: exit status 2.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// execute runs the command line and returns the exit status.
func execute(ctx context.Context, args []string) int {
	stdout := output.NewStream(os.Stdout)
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	err := root.ExecuteContext(ctx)
	failed := complain(err, stdout)
	switch {
	case errors.As(err, new(usageError)), errors.As(err, new(*dataset.SampleError)):
		return exitBadInput
	case failed:
		return exitFailed
	case stdout.Left():
		return exitNobodyReads
	}
	return exitDone
}

// complain prints what went wrong, a line each, and tells whether anything did. A
// reader that has left is no mistake.
func complain(err error, stdout *output.Stream) (failed bool) {
	all := failures{err}
	if several := failures(nil); errors.As(err, &several) {
		all = several
	}
	if lost := stdout.Err(); lost != nil {
		all = slices.DeleteFunc(all, func(err error) bool { return errors.Is(err, lost) })
		if !stdout.Left() {
			all = append(all, lost)
		}
	}
	for _, err := range all {
		if err != nil {
			say("%v", err)
			failed = true
		}
	}
	return failed
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "accelsim",
		Short: "Simulate an accelerator that trains spiking neural networks",
		Long: "accelsim simulates, cycle by cycle and word by word, an accelerator that trains spiking neural\n" +
			"networks with temporally-truncated local backpropagation through time (Guo et al. 2023).\n\n" +
			"Start with:  accelsim run --net alexnet --k 10 --n 1",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(
		newRunCommand(),
		newCompareCommand(),
		newScheduleCommand(),
		newListCommand(),
		newSweepCommand(),
		newVersionCommand(),
		newFiguresCommand(),
		newImportCommand(), newExportCommand(),
		newVerifyCommand(),
		newTrainCommand(),
		newDRAMCommand(),
		newHDLCommand(),
		newSchemaCommand(),
	)
	for _, c := range root.Commands() {
		acceptIdleFlags(c)
	}
	root.PersistentPreRunE = func(c *cobra.Command, args []string) error {
		if err := checkFlags(c); err != nil {
			return err
		}
		return checkOutputs(c, args)
	}
	completeFlags(root)
	root.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range c.Commands() {
			names = append(names, sub.Name())
		}
		return usage(fmt.Errorf("no command %q%s; there are %s", args[0], spelling.Suggest(args[0], names), strings.Join(names, ", ")))
	}
	root.SetFlagErrorFunc(explainFlag)
	return root
}

// noArgs refuses positional arguments.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no argument %q; everything is a flag, see accelsim %s --help", c.Name(), args[0], c.Name()))
	}
	return nil
}
