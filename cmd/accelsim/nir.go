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
	"github.com/accelsim-dev/accelsim/tensors"
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
	case c.Flags().Changed("dt") && !isStep(f.step):
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

func newExportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "export nir --net NET --weights FILE.npz --out FILE.nir",
		Short: "Write a network and its weights in what other tools read",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(fmt.Errorf("export does not know %q; write accelsim export nir", args[0]))
			}
			return c.Help()
		},
	}
	c.AddCommand(newExportNIRCommand())
	return c
}

func newExportNIRCommand() *cobra.Command {
	var net, weights, out string
	var step float64
	c := &cobra.Command{
		Use:   "nir --net NET --weights FILE.npz --out FILE.nir",
		Short: "Workload file and weights to a network of the NIR project",
		Long: "The way back of accelsim import nir: weights to the bit, time constants such that an import with the same --dt\n" +
			"gives the same neurons. The weights are those of the whole network as one local block (wc1), as import writes\n" +
			"them or a training leaves them. What NIR cannot say is refused by name; docs/import.md has all of it.",
		Example: "  accelsim export nir --net braille/braille.yaml --weights braille/braille.npz --dt 1e-4 --out braille.nir",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, needed := range []struct{ flag, value string }{{"net", net}, {"weights", weights}, {"out", out}} {
				if needed.value == "" {
					return usage(fmt.Errorf("--%s is missing; write accelsim export nir --net NET --weights FILE.npz --out FILE.nir", needed.flag))
				}
			}
			if c.Flags().Changed("dt") && !isStep(step) {
				return usage(fmt.Errorf("--dt %v; write the length of a step in seconds, such as 1e-3", step))
			}
			w, p, err := openTrained(net, weights)
			if err != nil {
				return usage(err)
			}
			exported, err := nir.Export(w, p, step)
			if err != nil {
				return usage(fmt.Errorf("%s: %w", net, err))
			}
			for _, note := range exported.Notes {
				say("%s: %s", net, note)
			}
			return finish(func() error { return nil }, toFile("out", out, exported.Write))
		},
	}
	flags := c.Flags()
	flags.StringVar(&net, "net", "", "built-in network or workload file")
	flags.StringVar(&weights, "weights", "", "NPZ file with its weights")
	flags.Float64Var(&step, "dt", 0, "length of a step in seconds, the unit of time constants; needed if neurons leak, else 1")
	fileFlag(c, &out, "out", "NIR file to write")
	return c
}

// isStep tells whether a number can be a step's length.
func isStep(v float64) bool { return v > 0 && v <= math.MaxFloat32 }

// openTrained reads a workload and all its parameters in one local block.
func openTrained(net, weights string) (*network.Workload, *tensors.Parameters, error) {
	w, err := network.Open(net)
	if err != nil {
		return nil, nil, err
	}
	blocks, err := w.Net.Blocks(w.Net.N())
	if err != nil {
		return nil, nil, err
	}
	p := &tensors.Parameters{}
	absent, err := p.ReadParameters(weights, w, blocks)
	absent = slices.DeleteFunc(absent, func(name string) bool { return strings.HasPrefix(name, "fb") }) // only learning needs them
	if err == nil && len(absent) > 0 {
		err = fmt.Errorf("%s: %s is missing", weights, strings.Join(absent[:min(len(absent), 8)], ", "))
	}
	return w, p, err
}
