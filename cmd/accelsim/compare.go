package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/report"
)

// comparePage is the page in a folder of results.
const comparePage = "compare.html"

func newCompareCommand() *cobra.Command {
	var results outputFlags
	c := &cobra.Command{
		Use:   "compare RESULT.json RESULT.json...",
		Short: "Lay results of run side by side, in percent of the first",
		Long: "compare lays results that accelsim run wrote (--out DIR, or --format json) side by side, in percent of the\n" +
			"first. A folder stands for the result.json in it. With --out DIR it also writes compare.html.",
		Example: "  accelsim run --net alexnet --k 10 --n 1 --out local\n" +
			"  accelsim run --net alexnet --k 100 --n 8 --out bptt\n" +
			"  accelsim compare bptt local --out both",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage(fmt.Errorf("compare takes two or more results, got %d; write accelsim run ... --out DIR and name DIR", len(args)))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := results.check(); err != nil {
				return err
			}
			comparison := report.Comparison{}
			for _, name := range args {
				r, err := readRun(name)
				if err != nil {
					return usage(err)
				}
				comparison.Add(name, r)
			}
			page := output.File{Name: comparePage, Write: comparison.WriteHTML}
			return results.print(c.OutOrStdout(), comparison.Data(), comparison.Write, []output.File{page})
		},
	}
	results.register(c, comparePage)
	return c
}

// readRun reads a result, or the one in a folder.
func readRun(name string) (*report.Run, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, "result.json")
	}
	if err := output.Incomplete(filepath.Dir(name)); err != nil {
		return nil, err
	}
	text, err := input.Text(name)
	if err != nil {
		return nil, err
	}
	r, err := report.ReadRun(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
