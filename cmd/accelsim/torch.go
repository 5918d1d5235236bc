package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/importing/torch"
	"github.com/accelsim-dev/accelsim/network"
)

// torchFlags say whose parameters a file's tensors are.
type torchFlags struct {
	net, dataset, out string
	n                 int
	names             []string
}

func newImportTorchCommand() *cobra.Command {
	var f torchFlags
	c := &cobra.Command{
		Use:   "torch FILE --net NET --out WEIGHTS.npz",
		Short: "Weights of a PyTorch state dict or safetensors file to a workload's",
		Long: "Weights are found by their shapes, in order; biases and batch norms are those beside them. What became what is told\n" +
			"on stderr; where that is not what is meant, --map w2=features.3.weight says it (and --map bn1=features.1, a module). A\n" +
			"state dict is a pickle, which is a program: it is read, never run, and anything but tensors is refused. Save it with\n" +
			"torch.save(model.state_dict(), FILE).",
		Example: "  accelsim import torch model.pt --net my.yaml --out weights.npz\n" +
			"  accelsim train --net my.yaml --dataset mnist --k 5 --n 2 --weights weights.npz",
		Args: oneFile("import torch FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			w, blocks, names, err := f.open(c)
			if err != nil {
				return err
			}
			list, err := torch.Open(args[0])
			if err != nil {
				return usage(err)
			}
			assigned, err := torch.Assign(w, blocks, list, names)
			if err != nil {
				return usage(fmt.Errorf("%s: %w", args[0], err))
			}
			for _, note := range assigned.Notes {
				say("%s: %s", args[0], note)
			}
			return finish(func() error { return nil }, toFile("out", f.out, assigned.Set.Write))
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.net, "net", "", "built-in network or workload file whose weights they are")
	flags.StringVar(&f.dataset, "dataset", "", "dataset, if not the network's own")
	flags.IntVar(&f.n, "n", 0, "layers of a local block, each with a classifier of its own (default all: one classifier)")
	flags.StringSliceVar(&f.names, "map", nil, "NAME=TENSOR, where shapes do not say what is what")
	fileFlag(c, &f.out, "out", "NPZ file to write, for --weights")
	return c
}

// open checks the flags and returns whose parameters are wanted.
func (f *torchFlags) open(c *cobra.Command) (*network.Workload, []network.Block, map[string]string, error) {
	for _, needed := range []struct{ flag, value string }{{"net", f.net}, {"out", f.out}} {
		if needed.value == "" {
			return nil, nil, nil, usage(fmt.Errorf("--%s is missing; write accelsim import torch FILE --net NET --out WEIGHTS.npz", needed.flag))
		}
	}
	names := map[string]string{}
	for _, pair := range f.names {
		name, tensor, ok := strings.Cut(pair, "=")
		if !ok || name == "" || tensor == "" {
			return nil, nil, nil, usage(fmt.Errorf("--map %q; write NAME=TENSOR, such as w2=features.3.weight", pair))
		}
		if names[name] != "" {
			return nil, nil, nil, usage(fmt.Errorf("--map names %s twice", name))
		}
		names[name] = tensor
	}
	w, err := network.Open(f.net)
	if err == nil && f.dataset != "" {
		if err = w.SetDataset(f.dataset); err != nil {
			err = fmt.Errorf("--dataset: %w", err)
		}
	}
	if err != nil {
		return nil, nil, nil, usage(err)
	}
	if !c.Flags().Changed("n") {
		f.n = w.Net.N()
	}
	blocks, err := w.Net.Blocks(f.n)
	if err != nil {
		return nil, nil, nil, usage(err)
	}
	return w, blocks, names, nil
}
