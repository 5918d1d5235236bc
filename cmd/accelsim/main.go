// Accelsim simulates an accelerator that trains spiking neural networks with
// temporally-truncated local backpropagation through time (Guo et al. 2023).
//
//	accelsim run --net alexnet --k 10 --n 1
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"accelsim/internal/spelling"
)

func main() { os.Exit(execute(os.Args[1:])) }

// Exit statuses.
const (
	exitDone     = 0
	exitFailed   = 1 // the run found a mismatch, or failed
	exitBadInput = 2 // the command line or an input file is wrong
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
func execute(args []string) int {
	root := newRootCommand()
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(os.Stderr, "accelsim: %s\n", strings.Join(strings.Fields(err.Error()), " "))
	if errors.As(err, new(usageError)) {
		return exitBadInput
	}
	return exitFailed
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
		newImportCommand(),
		newVerifyCommand(),
		newTrainCommand(),
		newDRAMCommand(),
		newHDLCommand(),
	)
	for _, c := range root.Commands() {
		acceptIdleFlags(c)
	}
	root.PersistentPreRunE = checkIdleFlags
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
