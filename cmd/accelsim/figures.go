package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/figures"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/units"
)

func newFiguresCommand() *cobra.Command {
	var out, hw, activity, energyFile, format string
	var only, accuracy, capacities []string
	c := &cobra.Command{
		Use:   "figures --out DIR",
		Short: "Redraw the paper's figures from simulations, and compare every number that it prints",
		Long: "figures simulates the grids of Guo et al. (2023) on an idealised machine (the traffic and operations of\n" +
			"Eqs. 11-17 and nothing else) and on a real one, and writes Figures 6, 7 and 9 to 15 as SVG, PNG and CSV to\n" +
			"--out, with an index. Without --only it prints the table of published numbers and writes it as\n" +
			"published.csv and published.md, too. Figures that the paper has not (traffic, time, energy, capacity, rules) say so; capacity and rules come\n" +
			"only with --only: they take minutes.\n\n" +
			"--accuracy names files for Figures 14 and 15: JSON results of accelsim train, or CSV with the columns dataset,k,n\n" +
			"and accuracy (percent or fractions, BPTT's among them) or loss (percent relative to BPTT, a number or bounds such as 0..1).\n" +
			"The default is what the paper's text prints.",
		Example: "  accelsim figures --out figures\n" +
			"  accelsim figures --out figures --only 9,10,energy --hw zcu102\n" +
			"  accelsim figures --out figures --accuracy measured.csv",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usage(errors.New("--out is missing; name a folder for the figures"))
			}
			if err := (&outputFlags{format: format}).check(); err != nil {
				return err
			}
			lab := &figures.Lab{Activity: activity}
			var err error
			if lab.Hardware, err = hardware.Open(hw); err != nil {
				return usage(err)
			}
			if activity != "" {
				if _, err := units.ParseDensity(activity); err != nil {
					return usage(fmt.Errorf("--activity: %w", err))
				}
			}
			if lab.Energy, err = openEnergyFor(lab.Hardware, energyFile); err != nil {
				return err
			}
			for _, text := range capacities {
				size, err := hardware.ParseCapacity(text)
				if err != nil {
					return usage(fmt.Errorf("--capacities: %w", err))
				}
				lab.Capacities = append(lab.Capacities, size)
			}
			slices.Sort(lab.Capacities)
			if lab.Hardware.Separate && slices.Contains(only, "capacity") {
				return usage(fmt.Errorf("--only capacity: %s has separate buffers; take hardware with one shared buffer", lab.Hardware.Name))
			}
			known := figures.PaperAccuracies()
			known.Name = "those that the paper's text prints"
			if len(accuracy) > 0 {
				if known, err = openAccuracies(accuracy); err != nil {
					return err
				}
			}
			album, err := figures.New(only, lab, known)
			if err != nil {
				return usage(fmt.Errorf("--only: %w", err))
			}
			album.Seed = seedOf(c)
			warnOfIdleFlags(c)
			progress := newProgress(os.Stderr, "simulating")
			defer progress.finish()
			lab.Progress = progress.step
			if err := album.Measure(); err != nil {
				if misfit(err) {
					return usage(err)
				}
				return err
			}
			progress.finish()
			files, err := album.Files()
			if err != nil {
				return err
			}
			set := make([]output.File, len(files))
			for i, f := range files {
				set[i] = output.Text(f.Name, f.Data)
			}
			return finish(func() error {
				if rows := album.Published(); rows != nil {
					return printPublished(c.OutOrStdout(), rows, format)
				}
				return nil
			}, written{"out", func() error {
				if err := output.WriteFolder(out, set); err != nil {
					return err
				}
				say("%d files in %s; begin with %s", len(files), out, filepath.Join(out, "index.md"))
				return nil
			}})
		},
	}
	flags := c.Flags()
	folderFlag(c, &out, "out", "folder to write figures and tables to")
	flags.StringSliceVar(&only, "only", nil, "only these figures, of "+strings.Join(figures.Names(), ", "))
	flags.StringSliceVar(&capacities, "capacities", nil, "layer buffers of the figure about capacity, such as 512KiB,8MiB (default 512KiB to 256MiB, doubling)")
	flags.StringSliceVar(&accuracy, "accuracy", nil, "CSV files with accuracies, or results of accelsim train, for Figures 14 and 15 (default what the paper's text prints)")
	flags.StringVar(&hw, "hw", "paper", "built-in hardware ("+strings.Join(hardware.Names(), ", ")+") or hardware file")
	flags.StringVar(&activity, "activity", "", "density of spikes, a number for all (default the networks' own, 0.1)")
	flags.StringVar(&energyFile, "energy", "", "file that replaces energies per operation and access (default the hardware's)")
	flags.StringVar(&format, "format", "table", "published numbers on stdout: table, json or csv")
	return c
}

func printPublished(w io.Writer, rows []figures.Row, format string) error {
	switch format {
	case "json":
		return report.WriteJSON(w, rows)
	case "csv":
		_, err := w.Write(figures.PublishedCSV(rows))
		return err
	}
	return figures.Table(rows).Write(w)
}

func openAccuracies(names []string) (*figures.Accuracies, error) {
	var files figures.AccuracyFiles
	for _, name := range names {
		text, err := input.Text(name)
		if err != nil {
			return nil, usage(fmt.Errorf("--accuracy: %w", err))
		}
		if err := files.Add(text, name); err != nil {
			return nil, usage(err)
		}
	}
	a, err := files.Accuracies()
	return a, usage(err)
}
