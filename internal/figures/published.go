package figures

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/analytic"
)

// Row is one published number: the paper's, and what equations and machines
// give. Numbers are percent; "" is none.
type Row struct {
	Quantity  string `json:"quantity"`
	Task      string `json:"task"`
	Paper     string `json:"paper_percent"`
	Equations string `json:"equations_percent,omitempty"`
	Ideal     string `json:"idealised_percent,omitempty"`
	Real      string `json:"real_percent,omitempty"`
	Note      string `json:"note,omitempty"`
}

// measure is what a published number is about.
type measure int

const (
	memoryAccess measure = iota
	additions
	macs
	gpuMemory
)

// comparison is how a quantity of [analytic.Published] is simulated: what of
// the run is compared with the base. k or n of 0 stand for T and N.
type comparison struct {
	of           measure
	runK, runN   int
	baseK, baseN int
	more         bool // the percentage says by how much it is more
	equation     bool // a reading of the equations that no machine follows
}

// comparisons are the quantities that [analytic.Published] lists.
var comparisons = map[string]comparison{
	"(10,1) vs BPTT, memory access":                     {of: memoryAccess, runK: 10, runN: 1},
	"(10,1) vs BPTT, MACs":                              {of: macs, runK: 10, runN: 1},
	"(1,2) vs BPTT, memory access":                      {of: memoryAccess, runK: 1, runN: 2},
	"(1,1) vs BPTT, memory access":                      {of: memoryAccess, runK: 1, runN: 1},
	"LBP1 k=10 -> 1, memory access":                     {of: memoryAccess, runK: 1, runN: 1, baseK: 10, baseN: 1},
	"LBP1 k=20 -> 1, memory access":                     {of: memoryAccess, runK: 1, runN: 1, baseK: 20, baseN: 1},
	"LBP1 k=20 -> 1, memory access, |W_c| in Eq. 14":    {equation: true},
	"LBP1 vs BP at k=1, memory access":                  {of: memoryAccess, runK: 1, runN: 1, baseK: 1},
	"LBP1 vs BP at k=1, memory access, |W_c| in Eq. 14": {equation: true},
	"LBP1 vs BP, MACs":                                  {of: macs, runK: 1, runN: 1},
	"LBP1 over BP at k=1, additions":                    {of: additions, runK: 1, runN: 1, baseK: 1, more: true},
	"BP k=T -> 1, additions":                            {of: additions, runK: 1},
	"(10,1) vs BPTT, GPU memory":                        {of: gpuMemory, runK: 10, runN: 1},
	"LBP2 vs BP at k=T, GPU memory":                     {of: gpuMemory, runN: 2},
	"LBP2 vs BP at k=1, GPU memory":                     {of: gpuMemory, runK: 1, runN: 2, baseK: 1},
	"LBP1 vs BP at k=T, GPU memory":                     {of: gpuMemory, runN: 1},
	"LBP1 vs BP at k=1, GPU memory":                     {of: gpuMemory, runK: 1, runN: 1, baseK: 1},
}

// points returns the run and the base of a claim.
func (c comparison) points(claim analytic.Claim) (run, base Point, err error) {
	// A claim's task reads "alexnet cifar10, random, a = 0.5".
	fields := strings.Split(claim.Task, ", ")
	var p Point
	p.Net, p.Dataset, _ = strings.Cut(fields[0], " ")
	for _, field := range fields[1:] {
		if density, ok := strings.CutPrefix(field, "a = "); ok {
			p.Density = density
		} else {
			p.Classifier = field
		}
	}
	if p.Density == "" {
		p.Density = "0.1" // as the claims are evaluated, whatever --activity says
	}
	w, err := p.workload("")
	if err != nil {
		return run, base, fmt.Errorf("%s: %w", claim.Task, err)
	}
	p.Dataset, p.Classifier = w.Dataset, w.Training.Classifier
	at := func(k, n int) Point {
		q := p
		if q.K = k; k == 0 {
			q.K = w.Timesteps
		}
		if q.N = n; n == 0 {
			q.N = w.Net.N()
		}
		return q
	}
	return at(c.runK, c.runN), at(c.baseK, c.baseN), nil
}

// claim is a published number with the points to simulate.
type claim struct {
	analytic.Claim
	comparison
	run, base Point
}

func claims() ([]claim, error) {
	published, err := analytic.Published()
	if err != nil {
		return nil, err
	}
	var all []claim
	for _, p := range published {
		how, ok := comparisons[p.Quantity]
		if !ok {
			return nil, fmt.Errorf("no simulation is known for the published quantity %q", p.Quantity)
		}
		c := claim{Claim: p, comparison: how}
		if !how.equation {
			if c.run, c.base, err = how.points(p); err != nil {
				return nil, err
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// values returns the measure on the two machines. GPU memory has no
// counterpart; the DRAM footprint of the accelerator stands beside it.
func (m measure) values(v *Value) (ideal, real int64) {
	switch m {
	case memoryAccess:
		return int64(v.Ideal.Words), int64(v.Real.Words)
	case additions:
		return v.Ideal.Adds, v.Real.Adds
	case macs:
		return v.Ideal.MACs, v.Real.MACs
	}
	return int64(v.Ideal.Footprint), int64(v.Real.Footprint)
}

// accuracyClaims are the printed numbers that only training can reproduce.
var accuracyClaims = []Row{
	{Quantity: "(10,1) vs BPTT, accuracy", Task: "alexnet", Paper: "+7.26", Note: "abstract"},
	{Quantity: "best design vs BPTT, accuracy drop", Task: "lenet1; alexnet cifar10", Paper: "<1", Note: "section 5.2"},
	{Quantity: "BP k=T -> 1, accuracy drop", Task: "alexnet cifar10", Paper: "6.30", Note: "section 3.4"},
	{Quantity: "LBPn k=T -> 1, largest accuracy drop", Task: "alexnet cifar10", Paper: "3.35", Note: "section 3.4"},
	{Quantity: "random vs trainable classifiers at k=20, LBP1, accuracy drop", Task: "lenet1", Paper: "14.91", Note: "section 3.4"},
	{Quantity: "random vs trainable classifiers at k=20, BP, accuracy drop", Task: "lenet1", Paper: "0.91", Note: "section 3.4"},
	{Quantity: "random vs trainable classifiers at k=T, LBP1, accuracy drop", Task: "lenet2", Paper: "10.99", Note: "section 3.4"},
	{Quantity: "random vs trainable classifiers at k=T, LBP1, accuracy drop", Task: "alexnet", Paper: "13.86", Note: "section 3.4"},
	{Quantity: "random vs trainable classifiers at (10,1), accuracy drop", Task: "alexnet", Paper: "20.16", Note: "section 5.3; the text says only: with the same (k, n)"},
}

const needsTraining = "needs training"

// Why simulated numbers mean something else.
const footprintNote = "simulated: DRAM footprint of the accelerator, beside the GPU's memory"

// published fills the table. The claims' points are in the lab.
func (a *Album) published() []Row {
	var rows []Row
	l, all := a.Lab, a.claims
	for _, c := range all {
		row := Row{Quantity: c.Quantity, Task: c.Task, Paper: c.Paper, Equations: fixed(c.Here, 2), Note: c.Note}
		if c.equation {
			row.Note = join(row.Note, "the machine follows the text")
		} else {
			run, base := l.at(c.run), l.at(c.base)
			percent := func(run, base int64) string {
				v := analytic.Reduction(run, base)
				if c.more {
					v = -v
				}
				return fixed(v, 2)
			}
			ideal, real := c.of.values(run)
			baseIdeal, baseReal := c.of.values(base)
			row.Ideal, row.Real = percent(ideal, baseIdeal), percent(real, baseReal)
		}
		if c.of == gpuMemory && !c.equation {
			row.Note = join(row.Note, footprintNote)
		}
		rows = append(rows, row)
	}
	for _, t := range Tasks {
		row := Row{
			Quantity: "best (k,n) by FoM", Task: strings.TrimSpace(t.Net + " " + t.claimed()),
			Paper: fmt.Sprintf("(%d,%d)", t.BestK, t.BestN), Note: "needs the accuracy of every (k,n): --accuracy; not a percentage",
		}
		if c := a.chosen(t); c.decided {
			row.Ideal, row.Note = fmt.Sprintf("(%d,%d)", c.k, c.n), "accuracies of "+a.Accuracies.Name+"; not a percentage"
		}
		rows = append(rows, row)
	}
	for _, row := range accuracyClaims {
		row.Note = join(needsTraining, row.Note)
		rows = append(rows, row)
	}
	return rows
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
