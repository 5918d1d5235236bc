package analytic

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// Claim is one number that the paper prints, and what the equations give.
type Claim struct {
	Quantity string // what is compared with what
	Task     string // network and dataset
	Paper    string // percent, as the paper prints it
	Here     float64
	Note     string // why Here differs, where it is known
}

// Published evaluates the paper's numbers that the equations can reproduce
// (PAPER.md, "Published numbers"), in the order of that table. Accuracies need
// training and are not among them.
func Published() ([]Claim, error) {
	var claims []Claim
	for _, p := range published {
		here, err := p.evaluate()
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", p.task, p.quantity, err)
		}
		claims = append(claims, Claim{Quantity: p.quantity, Task: p.task.String(), Paper: p.paper, Here: here, Note: p.note})
	}
	return claims, nil
}

// task is a built-in network, with the classifier and density of a claim.
type task struct {
	net, dataset string // dataset "": the network's own
	classifier   string // "": trainable
	density      string // "": 0.1
}

func (t task) String() string {
	s := t.net
	if t.dataset != "" {
		s += " " + t.dataset
	}
	if t.classifier != "" {
		s += ", " + t.classifier
	}
	if t.density != "" {
		s += ", a = " + t.density
	}
	return s
}

func (t task) open() (*network.Workload, error) {
	w, err := network.Open(t.net)
	if err != nil {
		return nil, err
	}
	if t.dataset != "" {
		if err := w.SetDataset(t.dataset); err != nil {
			return nil, err
		}
	}
	if t.classifier != "" {
		w.Training.Classifier = t.classifier
	}
	if t.density != "" {
		d, err := units.ParseDensity(t.density)
		if err != nil {
			return nil, err
		}
		w.Activity = network.Uniform(d, w.Net.N())
	}
	return w, nil
}

// whole stands for T as k, and for N as n.
const whole = 0

// design is a (k, n).
type design struct{ k, n int }

// comparison is by how many percent run has less of something than base; with
// more set, by how many percent it has more.
type comparison struct {
	quantity  string
	task      task
	paper     string
	of        func(*Model) (int64, error)
	run, base design
	more      bool
	options   Options
	note      string
}

func (c comparison) evaluate() (float64, error) {
	w, err := c.task.open()
	if err != nil {
		return 0, err
	}
	var values [2]int64
	for i, d := range []design{c.run, c.base} {
		k, n := Baseline(w)
		if d.k != whole {
			k = d.k
		}
		if d.n != whole {
			n = d.n
		}
		m, err := New(w, k, n, c.options)
		if err != nil {
			return 0, err
		}
		if values[i], err = c.of(m); err != nil {
			return 0, err
		}
	}
	percent := Reduction(values[0], values[1])
	if c.more {
		percent = -percent
	}
	return percent, nil
}

func memoryAccess(m *Model) (int64, error) {
	c, err := m.Counts()
	return int64(c.MemoryAccess()), err
}

func adds(m *Model) (int64, error) {
	c, err := m.Counts()
	return c.Adds(), err
}

func macs(m *Model) (int64, error) {
	c, err := m.Counts()
	return c.MACs(), err
}

func gpuMemory(m *Model) (int64, error) {
	c, err := m.Memory()
	return int64(c.Total), err
}

// Why numbers cannot agree.
const (
	textOrFigure = "the paper's figure seems to count |W_c| reads of Eq. 14 that its text removes"
	measured     = "the paper measured PyTorch's memory; Eqs. 8-10 bound the saving by one step's graph in k"
	byDensity    = "depends on the density, which the paper does not print"
)

var (
	alexnetDVS   = task{net: "alexnet"}
	alexnetCIFAR = task{net: "alexnet", dataset: "cifar10"}
	lenet1       = task{net: "lenet1"}
	lenet2       = task{net: "lenet2"}
)

func (t task) random() task { t.classifier = network.Random; return t }

func (t task) at(density string) task { t.density = density; return t }

var published = []comparison{
	{quantity: "(10,1) vs BPTT, memory access", task: alexnetDVS, paper: "10.79", of: memoryAccess, run: design{10, 1}},
	{quantity: "(10,1) vs BPTT, MACs", task: alexnetDVS, paper: "99.64", of: macs, run: design{10, 1}},
	{quantity: "LBP1 k=10 -> 1, memory access", task: alexnetCIFAR, paper: "~50", of: memoryAccess, run: design{1, 1}, base: design{10, 1}},
	{quantity: "LBP1 vs BP at k=1, memory access", task: alexnetCIFAR, paper: "31", of: memoryAccess, run: design{1, 1}, base: design{1, whole}},
	{quantity: "LBP1 vs BP at k=1, memory access", task: alexnetCIFAR.random(), paper: "33", of: memoryAccess, run: design{1, 1}, base: design{1, whole}},
	{quantity: "LBP1 vs BP at k=1, memory access, |W_c| in Eq. 14", task: alexnetCIFAR.random(), paper: "33", of: memoryAccess, run: design{1, 1}, base: design{1, whole}, options: Options{KeepClassifierReads: true}, note: textOrFigure},
	{quantity: "LBP1 k=20 -> 1, memory access", task: lenet1, paper: "~55", of: memoryAccess, run: design{1, 1}, base: design{20, 1}},
	{quantity: "LBP1 k=20 -> 1, memory access", task: lenet1.random(), paper: "~55", of: memoryAccess, run: design{1, 1}, base: design{20, 1}, note: textOrFigure},
	{quantity: "LBP1 k=20 -> 1, memory access, |W_c| in Eq. 14", task: lenet1.random(), paper: "~55", of: memoryAccess, run: design{1, 1}, base: design{20, 1}, options: Options{KeepClassifierReads: true}, note: textOrFigure},
	{quantity: "LBP1 vs BP at k=1, memory access", task: lenet1, paper: "~23", of: memoryAccess, run: design{1, 1}, base: design{1, whole}},
	{quantity: "LBP1 vs BP at k=1, memory access", task: lenet1.random(), paper: "29", of: memoryAccess, run: design{1, 1}, base: design{1, whole}, note: textOrFigure},
	{quantity: "LBP1 vs BP at k=1, memory access, |W_c| in Eq. 14", task: lenet1.random(), paper: "29", of: memoryAccess, run: design{1, 1}, base: design{1, whole}, options: Options{KeepClassifierReads: true}, note: textOrFigure},
	{quantity: "(1,2) vs BPTT, memory access", task: lenet1, paper: ">40", of: memoryAccess, run: design{1, 2}},
	{quantity: "(1,1) vs BPTT, memory access", task: alexnetCIFAR, paper: ">40", of: memoryAccess, run: design{1, 1}},
	{quantity: "LBP1 vs BP, MACs", task: lenet1, paper: "72", of: macs, run: design{1, 1}},
	{quantity: "LBP1 vs BP, MACs", task: lenet2, paper: "99", of: macs, run: design{1, 1}},
	{quantity: "LBP1 vs BP, MACs", task: alexnetCIFAR, paper: "99", of: macs, run: design{1, 1}},
	{quantity: "LBP1 over BP at k=1, additions", task: lenet1, paper: "32", of: adds, run: design{1, 1}, base: design{1, whole}, more: true},
	{quantity: "LBP1 over BP at k=1, additions", task: lenet1.random(), paper: "16", of: adds, run: design{1, 1}, base: design{1, whole}, more: true},
	{quantity: "LBP1 over BP at k=1, additions", task: lenet2, paper: "1", of: adds, run: design{1, 1}, base: design{1, whole}, more: true},
	{quantity: "LBP1 over BP at k=1, additions", task: alexnetCIFAR, paper: "0.66", of: adds, run: design{1, 1}, base: design{1, whole}, more: true},
	{quantity: "BP k=T -> 1, additions", task: lenet1.at("0.5"), paper: "<5", of: adds, run: design{1, whole}, note: byDensity},
	{quantity: "BP k=T -> 1, additions", task: lenet2.at("0.5"), paper: "<0.7", of: adds, run: design{1, whole}, note: byDensity},
	{quantity: "BP k=T -> 1, additions", task: alexnetCIFAR.at("0.5"), paper: "0.3", of: adds, run: design{1, whole}, note: byDensity},
	{quantity: "BP k=T -> 1, additions", task: lenet1.at("0.1"), paper: "<5", of: adds, run: design{1, whole}, note: byDensity},
	{quantity: "BP k=T -> 1, additions", task: lenet2.at("0.1"), paper: "<0.7", of: adds, run: design{1, whole}, note: byDensity},
	{quantity: "BP k=T -> 1, additions", task: alexnetCIFAR.at("0.1"), paper: "0.3", of: adds, run: design{1, whole}, note: byDensity},
	{quantity: "(10,1) vs BPTT, GPU memory", task: alexnetDVS, paper: "89.94", of: gpuMemory, run: design{10, 1}, note: measured},
	{quantity: "LBP2 vs BP at k=T, GPU memory", task: lenet1, paper: "20.14", of: gpuMemory, run: design{whole, 2}, note: measured},
	{quantity: "LBP2 vs BP at k=1, GPU memory", task: lenet1, paper: "64.73", of: gpuMemory, run: design{1, 2}, base: design{1, whole}, note: measured},
	{quantity: "LBP2 vs BP at k=T, GPU memory", task: lenet2, paper: "2.06", of: gpuMemory, run: design{whole, 2}, note: measured},
	{quantity: "LBP2 vs BP at k=1, GPU memory", task: lenet2, paper: "32.61", of: gpuMemory, run: design{1, 2}, base: design{1, whole}, note: measured},
	{quantity: "LBP1 vs BP at k=T, GPU memory", task: alexnetCIFAR, paper: "31.86", of: gpuMemory, run: design{whole, 1}, note: measured},
	{quantity: "LBP1 vs BP at k=1, GPU memory", task: alexnetCIFAR, paper: "60.91", of: gpuMemory, run: design{1, 1}, base: design{1, whole}, note: measured},
	{quantity: "LBP1 vs BP at k=T, GPU memory", task: alexnetDVS, paper: "3.44", of: gpuMemory, run: design{whole, 1}, note: measured},
	{quantity: "LBP1 vs BP at k=1, GPU memory", task: alexnetDVS, paper: "54.42", of: gpuMemory, run: design{1, 1}, base: design{1, whole}, note: measured},
}
