// Package analytic evaluates the cost model of Guo et al. (2023), section 4:
// Eqs. 8-10 (GPU memory), 11-14 (memory access), 15-17 (operations) and 18
// (figure of merit), as PAPER.md reads them.
//
// It knows layers' sizes, not machines: the simulator counts what moves and
// executes without ever asking this package, and crosscheck holds the two
// against each other.
//
// [Iteration] gives the totals of one training iteration. A [Model] shows the
// [Term]s that they are sums of: one summand of one equation for one layer and
// one kind of step.
package analytic

import (
	"fmt"
	"math/big"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// Pass holds the words and operations of the forward or the backward pass.
type Pass struct {
	Reads, Writes units.Words
	Adds          int64
	MACs          int64
}

// Counts holds the words and operations of one training iteration.
type Counts struct{ Forward, Backward Pass }

// MemoryAccess returns all words read and written.
func (c Counts) MemoryAccess() units.Words {
	return c.Forward.Reads + c.Forward.Writes + c.Backward.Reads + c.Backward.Writes
}

// Adds returns the additions of both passes.
func (c Counts) Adds() int64 { return c.Forward.Adds + c.Backward.Adds }

// MACs returns the multiply-accumulate operations of both passes.
func (c Counts) MACs() int64 { return c.Forward.MACs + c.Backward.MACs }

// Options selects readings of the equations other than PAPER.md's. The zero
// Options is PAPER.md's.
type Options struct {
	// KeepClassifierReads leaves |W_c| in Eq. 14 although the classifiers are
	// random: the paper's figures seem to, its text does not.
	KeepClassifierReads bool
	// Workspace is C of Eqs. 8-10.
	Workspace units.Words
}

// Model is the cost model of one workload at one (k, n).
type Model struct {
	Blocks []network.Block

	workload *network.Workload
	k        int
	options  Options
	terms    [][]Term // by block
}

// New prepares the cost model of training w with truncation interval k and
// local blocks of n layers.
func New(w *network.Workload, k, n int, o Options) (*Model, error) {
	if err := w.CheckInterval(k); err != nil {
		return nil, err
	}
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return nil, err
	}
	if len(w.Activity.Layers) != w.Net.N() {
		return nil, fmt.Errorf("activity has %d densities of layers; this network has %d trainable layers before the classifier",
			len(w.Activity.Layers), w.Net.N())
	}
	if err := w.Training.Rule.Check(k, blocks); err != nil {
		return nil, err
	}
	m := &Model{Blocks: blocks, workload: w, k: k, options: o}
	for _, b := range blocks {
		terms, err := m.blockTerms(b)
		if err != nil {
			return nil, fmt.Errorf("block %d at batch %d: %w", b.Index, w.Batch, err)
		}
		m.terms = append(m.terms, terms)
	}
	return m, nil
}

// Steps returns how many steps of that kind an iteration has.
func (m *Model) Steps(s Step) int {
	intervals := m.workload.Timesteps / m.k
	if m.workload.Training.Rule.Inference && s != Forward {
		return 0
	}
	switch s {
	case Forward:
		return m.workload.Timesteps
	case Middle:
		return (m.workload.Training.Rule.Backward(m.k) - 1) * intervals
	case Later:
		return intervals - 1
	case End:
	}
	return intervals
}

// Terms returns what one step of that kind moves and executes for block b:
// Eqs. 11 and 15 for [Forward], Eqs. 12, 13, 16 and 17 for [Middle], Eqs. 14,
// 13, 16 and 17 for [End].
func (m *Model) Terms(b network.Block, s Step) []Term {
	var selected []Term
	for _, t := range m.terms[b.Index-1] {
		if t.Step == s {
			selected = append(selected, t)
		}
	}
	return selected
}

// Counts returns the totals of one iteration: every step, every block.
func (m *Model) Counts() (Counts, error) {
	var forward, backward sum
	for _, terms := range m.terms {
		for _, t := range terms {
			total := &backward
			if t.Step == Forward {
				total = &forward
			}
			total.add(t, m.Steps(t.Step))
		}
	}
	f, err := forward.pass()
	if err != nil {
		return Counts{}, err
	}
	b, err := backward.pass()
	if err != nil {
		return Counts{}, err
	}
	c := Counts{Forward: f, Backward: b}
	// Callers add the passes up: that must not overflow either.
	both := []int64{int64(f.Reads), int64(f.Writes), int64(b.Reads), int64(b.Writes)}
	for _, addends := range [][]int64{both, {f.Adds, b.Adds}, {f.MACs, b.MACs}} {
		var all int64
		for _, a := range addends {
			if all, err = units.Add(all, a); err != nil {
				return Counts{}, err
			}
		}
	}
	return c, nil
}

// Iteration returns the words and operations of one training iteration of w
// at (k, n): Eqs. 11-17 summed over all steps and blocks. Additions are exact
// rationals, rounded once, half to even, for each pass.
func Iteration(w *network.Workload, k, n int) (Counts, error) {
	m, err := New(w, k, n, Options{})
	if err != nil {
		return Counts{}, err
	}
	return m.Counts()
}

// Baseline returns the (k, n) of standard BPTT, which every percentage of the
// paper compares with.
func Baseline(w *network.Workload) (k, n int) { return w.Timesteps, w.Net.N() }

// Reduction returns by how many percent run is less than baseline; it is
// negative if run is more.
func Reduction[T ~int64](run, baseline T) float64 {
	if run == baseline { // also when both are 0
		return 0
	}
	// The difference is exact: near-equal counts keep their digits.
	return 100 * float64(baseline-run) / float64(baseline)
}

// sum adds up terms exactly.
type sum struct {
	totals [quantities]big.Rat
}

func (s *sum) add(t Term, steps int) {
	v := t.Value()
	s.totals[t.Quantity].Add(&s.totals[t.Quantity], v.Mul(v, new(big.Rat).SetInt64(int64(steps))))
}

func (s *sum) pass() (Pass, error) {
	var whole [quantities]int64
	for q := range whole {
		var err error
		if whole[q], err = units.RoundHalfEven(&s.totals[q]); err != nil {
			return Pass{}, fmt.Errorf("%v of one iteration: %w", Quantity(q), err)
		}
	}
	return Pass{
		Reads: units.Words(whole[Reads]), Writes: units.Words(whole[Writes]),
		Adds: whole[Adds], MACs: whole[MACs],
	}, nil
}

// Total adds up the terms of one step. Additions are rounded once.
func Total(terms []Term) (Pass, error) {
	var s sum
	for _, t := range terms {
		s.add(t, 1)
	}
	return s.pass()
}
