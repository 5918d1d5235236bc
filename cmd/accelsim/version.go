package main

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim"
	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
)

// versionReport is `accelsim version --format json`.
type versionReport struct {
	Schema   string `json:"schema"`
	Revision string `json:"revision"` // commit, with +dirty if files had been changed
	Identity string `json:"identity"` // of the sources, compiler and instruction set: what sweeps go by
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print which program this is",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			v := versionReport{
				"accelsim.version/1", accelsim.Revision(), accelsim.Identity(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
			}
			asJSON, err := choice("format", format, "table", "json")
			if err != nil {
				return err
			}
			if asJSON {
				return report.WriteJSON(c.OutOrStdout(), v)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "accelsim %s, identity %s, %s %s\n", v.Revision, v.Identity, v.Go, v.Platform)
			return err
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table or json")
	return c
}

// completeFlags teaches the shells' completion (accelsim completion bash) the
// values of flags, in all commands that have them.
func completeFlags(root *cobra.Command) {
	values := map[string][]string{
		"net":         network.Nets(),
		"dataset":     network.Datasets(),
		"hw":          hardware.Names(),
		"device":      dram.Names(),
		"classifier":  {network.Trainable, network.Random},
		"timing":      {"on", "off"},
		"traffic":     {"all", "equations"},
		"dram-engine": {"stream", "reference"},
		"format":      {"table", "json", "csv"},
		"emit":        {emitSlurm, emitKubernetes},
	}
	files := []string{"net", "hw"} // or a file
	for _, c := range root.Commands() {
		completeFlags(c)
		for name, accepted := range values {
			if c.Flags().Lookup(name) == nil {
				continue
			}
			directive := cobra.ShellCompDirectiveNoFileComp
			if slices.Contains(files, name) {
				directive = cobra.ShellCompDirectiveDefault
			}
			// It fails only for a flag that does not exist or is registered twice.
			_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(accepted, directive))
		}
	}
}
