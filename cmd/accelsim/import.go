package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/importing"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/tensors"
)

func newImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "import nir|torch|scalesim|activity FILE --out FILE",
		Short: "Make workload and activity files from what other tools write",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(fmt.Errorf("import does not know %q; write accelsim import nir, torch, scalesim or activity", args[0]))
			}
			return c.Help()
		},
	}
	c.AddCommand(newImportScaleSimCommand(), newImportActivityCommand(), newImportNIRCommand(), newImportTorchCommand())
	return c
}

func newImportScaleSimCommand() *cobra.Command {
	var out, encoding string
	var options importing.ScaleSim
	c := &cobra.Command{
		Use:   "scalesim TOPOLOGY.csv --out NET.yaml",
		Short: "SCALE-Sim topology (conv format) to workload file",
		Long: "A topology lists layers' shapes, not a network. What joins them is inferred, told on stderr and written as\n" +
			"comments: a larger map than the layer before makes is that map padded, a smaller one is average-pooled; a layer\n" +
			"is taken to keep its map's size where that fits better; a 1x1 map with a channel per value before it, or a row\n" +
			"of these values that the filter covers, is fully connected. Where a stride does not divide, SCALE-Sim's map is\n" +
			"larger, and what that is in MACs is told. The last layer must be the classifier, fully connected, or --classes\n" +
			"appends one. Branches and depthwise layers are refused.",
		Example: "  accelsim import scalesim alexnet.csv --timesteps 10 --encoding direct --out alexnet.yaml\n" +
			"  accelsim run --net alexnet.yaml --k 5 --n 1",
		Args: oneFile("import scalesim TOPOLOGY.csv"),
		RunE: func(c *cobra.Command, args []string) error {
			options.Encoding = network.Encoding(encoding)
			if c.Flags().Changed("classes") && options.Classes < 1 {
				return usage(fmt.Errorf("--classes %d; write 1 or more", options.Classes))
			}
			topology, err := input.Text(args[0])
			if err != nil {
				return usage(err)
			}
			t, err := importing.ReadTopology(bytes.NewReader(topology), args[0], options)
			if err != nil {
				return usage(err)
			}
			text, err := t.YAML(args[0])
			if err != nil {
				return usage(err)
			}
			for _, note := range t.Notes {
				say("%s: %s", args[0], note)
			}
			return writeText(c.OutOrStdout(), out, text)
		},
	}
	flags := c.Flags()
	fileFlag(c, &out, "out", "workload file to write (default stdout)")
	flags.IntVar(&options.Timesteps, "timesteps", 10, "time steps T, which a topology has not")
	flags.StringVar(&encoding, "encoding", "event", "event or direct input, which a topology has not")
	flags.IntVar(&options.Batch, "batch", 0, "batch to write into the file")
	flags.IntVar(&options.Padding, "padding", 0, "padding that the first layer's map contains, on each side")
	flags.IntVar(&options.Classes, "classes", 0, "append a classifier of so many classes, for topologies that end before it")
	return c
}

func newImportActivityCommand() *cobra.Command {
	var out, net, dataset string
	c := &cobra.Command{
		Use:   "activity SPIKES.npz --net NET --out ACTIVITY.yaml",
		Short: "Densities of recorded spike tensors to a file for --activity",
		Long: "SPIKES.npz holds s1..sN, what each trainable layer passes on after residual addition and pooling, [T,B,C,H,W] or\n" +
			"[T,B,C*H*W] (T, or T and B, may be left out); optionally x, the input, and sc1, sc2, .., what each local block's\n" +
			"classifier reads. From PyTorch: np.savez(\"spikes.npz\", s1=torch.stack(spikes1).numpy(), ...). Non-zero values\n" +
			"are counted; densities are exact, or to 18 decimals.",
		Example: "  accelsim import activity spikes.npz --net lenet1 --out activity.yaml\n" +
			"  accelsim run --net lenet1 --k 1 --n 2 --activity activity.yaml",
		Args: oneFile("import activity SPIKES.npz"),
		RunE: func(c *cobra.Command, args []string) error {
			if net == "" {
				return usage(errors.New("--net is missing; name the network that the spikes were recorded in"))
			}
			w, err := network.Open(net)
			if err != nil {
				return usage(err)
			}
			if dataset != "" {
				if err := w.SetDataset(dataset); err != nil {
					return usage(fmt.Errorf("--dataset: %w", err))
				}
			}
			recorded, err := tensors.Open(args[0])
			if err != nil {
				return usage(err)
			}
			defer recorded.Close()
			measured, err := importing.Activity(recorded, w)
			if err != nil {
				return usage(fmt.Errorf("%s: %w", args[0], err))
			}
			if measured.Input == nil {
				say("%s has no x: the input's density stays the workload's", args[0])
			}
			return writeText(c.OutOrStdout(), out, measured.YAML(args[0]))
		},
	}
	flags := c.Flags()
	fileFlag(c, &out, "out", "activity file to write (default stdout)")
	flags.StringVar(&net, "net", "", "built-in network or workload file that the spikes were recorded in")
	flags.StringVar(&dataset, "dataset", "", "dataset, if not the network's own")
	return c
}

// oneFile takes exactly one argument.
func oneFile(use string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage(fmt.Errorf("%d files; write accelsim %s", len(args), use))
		}
		return nil
	}
}

// writeText writes to a file or, without one, to stdout.
func writeText(stdout io.Writer, name string, text []byte) error {
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	if name == "" {
		return write(stdout)
	}
	return finish(func() error { return nil }, toFile("out", name, write))
}
