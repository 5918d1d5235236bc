package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
)

// listing is one thing that can be listed: as a table, and as data.
type listing struct {
	name string
	make func() (*report.Table, error)
}

var listings = []listing{
	{"nets", listNets},
	{"datasets", listDatasets},
	{"rules", listRules},
	{"hardware", listHardware},
	{"dram", listDRAM},
}

func newListCommand() *cobra.Command {
	var output outputFlags
	var names []string
	for _, l := range listings {
		names = append(names, l.name)
	}
	what := strings.Join(names, "|")
	c := &cobra.Command{
		Use:       "list " + what,
		Short:     "Show what is built in",
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(fmt.Errorf("list takes one of %s", strings.Join(names, ", ")))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := output.check(); err != nil {
				return err
			}
			for _, l := range listings {
				if l.name != args[0] {
					continue
				}
				t, err := l.make()
				if err != nil {
					return err
				}
				return output.print(c.OutOrStdout(), t.Records(), func(w io.Writer) error { return t.Write(w) }, nil)
			}
			return usage(fmt.Errorf("nothing to list under %q%s; there are %s", args[0], spelling.Suggest(args[0], names), strings.Join(names, ", ")))
		},
	}
	output.register(c)
	return c
}

func listNets() (*report.Table, error) {
	t := &report.Table{
		Header: []string{"net", "dataset", "T", "input", "encoding", "N", "classes", "weights", "layers"},
		Left:   []int{1, 3, 4, 8},
	}
	for _, name := range network.Nets() {
		w, err := network.Open(name)
		if err != nil {
			return nil, err
		}
		weights := int64(w.Net.Layer(w.Net.N()).Pooled.Size()) * int64(w.Net.Classes)
		for i := range w.Net.Layers {
			weights += int64(w.Net.Layers[i].Weights())
		}
		t.Add(name, w.Dataset, strconv.Itoa(w.Timesteps), w.Net.Input.String(), string(w.Net.Encoding),
			strconv.Itoa(w.Net.N()), strconv.Itoa(w.Net.Classes), report.Integer(weights), w.Net.Text)
	}
	return t, nil
}

func listDatasets() (*report.Table, error) {
	t := &report.Table{
		Header: []string{"dataset", "input", "encoding", "T", "classes", "training samples", "batch", "optimizer", "learning rate", "leak", "threshold", "dropout"},
		Left:   []int{1, 2, 7},
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, name := range network.Datasets() {
		d, err := network.LookupDataset(name)
		if err != nil {
			return nil, err
		}
		t.Add(name, d.Input.String(), string(d.Encoding), strconv.Itoa(d.Timesteps), strconv.Itoa(d.Classes),
			report.Integer(d.Samples), strconv.Itoa(d.Batch), d.Training.Optimizer, number(d.Training.LearningRate),
			number(d.Neuron.Leak), number(d.Neuron.Threshold), number(d.Dropout))
	}
	return t, nil
}

func listRules() (*report.Table, error) {
	t := &report.Table{
		Header: []string{"rule", "k", "n", "differs from the paper's in", "classifier", "year", "what it is", "paper"},
		Left:   []int{1, 2, 3, 4, 6, 7},
	}
	for _, name := range network.Rules() {
		r, err := network.OpenRule(name)
		if err != nil {
			return nil, err
		}
		t.Add(name, r.K.String(), r.N.String(), r.Choices(), r.Classifier(), strconv.Itoa(r.Year), r.Summary, r.Paper)
	}
	return t, nil
}

func listHardware() (*report.Table, error) {
	t := &report.Table{
		Header: []string{"hardware", "PEs", "precision", "dataflow", "groups", "clock", "on chip", "banks", "ports", "DMA engines", "DRAM", "channels", "ranks", "capacity", "peak bandwidth", "note"},
		Left:   []int{1, 2, 3, 6, 10, 15},
	}
	for _, name := range hardware.Names() {
		h, err := hardware.Open(name)
		if err != nil {
			return nil, err
		}
		onChip := "as the workload needs"
		if h.OnChip > 0 {
			onChip = report.Bytes(h.OnChip)
		}
		groups := "one a block"
		if h.Groups > 0 {
			groups = strconv.Itoa(h.Groups)
		}
		banks, ports := onChipBuilt(h)
		t.Add(name, fmt.Sprintf("%dx%d", h.PE.Rows, h.PE.Columns), h.PE.Precision.String(), h.PE.Dataflow.String(), groups,
			fmt.Sprintf("%d MHz", h.PE.Clock/1e6), onChip, banks, ports, strconv.Itoa(h.Engines), h.DRAM.Name, strconv.Itoa(h.DRAM.Channels), strconv.Itoa(h.DRAM.Ranks), report.Bytes(h.DRAM.Capacity()),
			report.Rate(h.DRAM.PeakBandwidth()), h.Note)
	}
	return t, nil
}

// onChipBuilt tells of how many banks the layer buffer is, or the buffers for
// weights, states, gradients and spikes are, and how many ports each has.
func onChipBuilt(h *hardware.Hardware) (banks, ports string) {
	var manyBanks, manyPorts []string
	for _, m := range h.Memories() {
		count, each := "of "+report.Bytes(m.Bank), "no limit"
		if m.Capacity > 0 {
			count = fmt.Sprintf("%d of %s", m.Banks(), report.Bytes(m.Bank))
		}
		if m.Ports > 0 {
			each = strconv.Itoa(m.Ports)
		}
		manyBanks, manyPorts = append(manyBanks, count), append(manyPorts, each)
	}
	return strings.Join(manyBanks, ", "), strings.Join(manyPorts, ", ")
}

func listDRAM() (*report.Table, error) {
	t := &report.Table{
		Header: []string{"device", "standard", "channels", "ranks", "capacity", "burst", "peak bandwidth"},
		Left:   []int{1},
	}
	for _, name := range dram.Names() {
		d, err := dram.Lookup(name)
		if err != nil {
			return nil, err
		}
		t.Add(name, fmt.Sprint(d.Standard), strconv.Itoa(d.Channels), strconv.Itoa(d.Ranks), report.Bytes(d.Capacity()),
			report.Bytes(d.BurstBytes()), report.Rate(d.PeakBandwidth()))
	}
	return t, nil
}
