package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/importing/nir"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/network"
)

// nirFlags say what a file of the NIR project has not.
type nirFlags struct {
	out, encoding, reset string
	step                 float64
	timesteps            int
}

func newImportNIRCommand() *cobra.Command {
	var f nirFlags
	c := &cobra.Command{
		Use:   "nir FILE.nir --out DIR",
		Short: "Network of the NIR project (snnTorch, Norse, Sinabs, SpikingJelly, ..) to workload file and weights",
		Long: "Writes DIR/NAME.yaml and DIR/NAME.npz, the weights, of the file NAME.nir. Differential equations become steps by\n" +
			"forward Euler with --dt. Graphs in graphs are flattened, loops become recurrence over a step, edges that meet\n" +
			"become several inputs; what was taken to be meant is told on stderr and written as comments. A spike sets a\n" +
			"potential to v_reset (--reset file; to zero where the file has none), subtracts the threshold (subtract: what\n" +
			"simulators did before version 0.3 of the specification), or sets it to zero (zero). docs/import.md has all of it.",
		Example: "  accelsim import nir braille.nir --dt 1e-4 --steps 60 --reset subtract --out braille\n" +
			"  accelsim run --net braille/braille.yaml --k 10 --n 1",
		Args: oneFile("import nir FILE.nir"),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := f.options(c, args[0])
			if err != nil {
				return err
			}
			g, err := nir.Open(args[0])
			if err != nil {
				return usage(err)
			}
			imported, err := g.Import(o)
			if err != nil {
				return usage(fmt.Errorf("%s: %w", args[0], err))
			}
			for _, note := range imported.Notes {
				say("%s: %s", args[0], note)
			}
			return finish(func() error { return nil }, toFolder("out", f.out, []output.File{
				{Name: o.Name + ".npz", Write: imported.Weights.Write},
				{Name: o.Name + ".yaml", Write: func(w io.Writer) error { _, err := w.Write(imported.YAML); return err }},
			}))
		},
	}
	flags := c.Flags()
	folderFlag(c, &f.out, "out", "folder to write NAME.yaml and NAME.npz to")
	flags.Float64Var(&f.step, "dt", 0, "length of a step in seconds, the unit of time constants; needed if there are any, else 1")
	flags.IntVar(&f.timesteps, "steps", 10, "time steps T, which NIR has not")
	flags.StringVar(&f.reset, "reset", string(nir.FileReset), "what a spike does to a potential: v_reset as it stands (file), subtract or zero")
	flags.StringVar(&f.encoding, "encoding", string(network.Event), "event or direct input, which NIR has not")
	return c
}

// options checks the flags.
func (f *nirFlags) options(c *cobra.Command, path string) (o nir.Options, err error) {
	base := filepath.Base(path)
	o = nir.Options{
		Name: strings.TrimSuffix(base, filepath.Ext(base)), Step: f.step, Timesteps: f.timesteps,
		Encoding: network.Encoding(f.encoding), Reset: nir.Reset(f.reset),
	}
	switch {
	case f.out == "":
		return o, usage(errors.New("--out is missing; name the folder to write workload and weights to"))
	case c.Flags().Changed("dt") && !(f.step > 0 && f.step <= math.MaxFloat32):
		return o, usage(fmt.Errorf("--dt %v; write the length of a step in seconds, such as 1e-3", f.step))
	case f.timesteps < 1:
		return o, usage(fmt.Errorf("--steps %d; write 1 or more", f.timesteps))
	case !slices.Contains(nir.Resets(), o.Reset):
		return o, usage(fmt.Errorf("--reset %q; write file, subtract or zero", f.reset))
	case o.Encoding != network.Event && o.Encoding != network.Direct:
		return o, usage(fmt.Errorf("--encoding %q; write event or direct", f.encoding))
	}
	return o, nil
}
