package sim

import (
	"math/big"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// Pass holds what one pass, forward or backward, moved and executed of what
// Eqs. 11-17 cover.
type Pass struct {
	Reads, Writes units.Words
	Adds          int64
	MACs          int64 // backward only
}

// Counts holds the covered words and operations of one iteration.
type Counts struct{ Forward, Backward Pass }

// MemoryAccess returns all covered words, read and written.
func (c Counts) MemoryAccess() units.Words {
	return c.Forward.Reads + c.Forward.Writes + c.Backward.Reads + c.Backward.Writes
}

// Adds returns the covered additions of both passes.
func (c Counts) Adds() int64 { return c.Forward.Adds + c.Backward.Adds }

// MACs returns the covered multiply-accumulate operations.
func (c Counts) MACs() int64 { return c.Forward.MACs + c.Backward.MACs }

// ledger is where the machine counts what it does for one layer, or classifier,
// in one phase. Words are entered when they cross the DRAM port and slots when
// PEs execute them, nowhere else.
//
// Slots that PEs gate by spikes are entered apart: what was executed of them is
// the exact product of slots and those spikes' density.
//
// No counter overflows: [network.Workload.Check] refuses a workload of which 64
// times a layer's operations in an iteration, times the layers, exceed 63 bits,
// and of words no more than a few move for each operation.
type ledger struct {
	density units.Density // of the layer's first input, which gates
	others  []*ledger     // of operations that its other inputs gate
	adds    [2]slots      // forward, backward: covered
	macs    int64
	beyond  [schedule.NumBeyond][pe.NumOps]slots

	reads  [schedule.NumBeyond][2]units.Words // forward, backward (and update)
	writes [schedule.NumBeyond][2]units.Words
	class  [role.InMemory]Traffic
	saved  Savings
}

// newLedger returns a ledger for inputs of such densities.
func newLedger(densities []units.Density) ledger {
	l := ledger{density: densities[0]}
	for _, d := range densities[1:] {
		l.others = append(l.others, &ledger{density: d})
	}
	return l
}

// of returns where operations are entered that an input of the layer gates.
func (l *ledger) of(input int) *ledger {
	if input == 0 {
		return l
	}
	return l.others[input-1]
}

// all returns the ledger with those of its other inputs.
func (l *ledger) all() ledgers { return append(ledgers{l}, l.others...) }

// slots are operations that PEs were given, by what gates them: nothing, or the
// spikes of the layer's input.
type slots [2]int64

// gate is an index of [slots].
type gate int

const (
	ungated gate = iota
	bySpikes
)

// Traffic is words by direction.
type Traffic struct{ Reads, Writes units.Words }

func (t *Traffic) add(o Traffic) {
	t.Reads += o.Reads
	t.Writes += o.Writes
}

// Savings is the words of steps that the schedule's residency policy left out.
// What is fetched again where a buffer is small is no part of it.
type Savings struct {
	Covered [2]Traffic // forward and backward: what Eqs. 11-14 cover
	Class   [role.InMemory]Traffic
}

func (s *Savings) add(o *Savings) {
	for pass, t := range o.Covered {
		s.Covered[pass].add(t)
	}
	for c, t := range o.Class {
		s.Class[c].add(t)
	}
}

// Words returns all that was left out.
func (s *Savings) Words() (sum units.Words) {
	for _, t := range s.Class {
		sum += t.Reads + t.Writes
	}
	return sum
}

const (
	forwardPass  = 0
	backwardPass = 1
)

func passOf(s *schedule.Step) int {
	if s.Kind.Forward() {
		return forwardPass
	}
	return backwardPass
}

// moved enters words that cross the DRAM port.
func (l *ledger) moved(s *schedule.Step, t schedule.Transfer, write bool) {
	if write {
		l.writes[t.Beyond][passOf(s)] += t.Words - t.Again
		l.writes[schedule.BeyondRefetch][passOf(s)] += t.Again
		l.class[t.Tensor.Class].Writes += t.Words
	} else {
		l.reads[t.Beyond][passOf(s)] += t.Words - t.Again
		l.reads[schedule.BeyondRefetch][passOf(s)] += t.Again
		l.class[t.Tensor.Class].Reads += t.Words
	}
}

// spared enters words that the paper's policy would have moved with a step.
func (l *ledger) spared(s *schedule.Step) {
	for _, t := range s.SavedReads {
		l.saved.Class[t.Tensor.Class].Reads += t.Words
		if t.Beyond == schedule.Covered {
			l.saved.Covered[passOf(s)].Reads += t.Words
		}
	}
	for _, t := range s.SavedWrites {
		l.saved.Class[t.Tensor.Class].Writes += t.Words
		if t.Beyond == schedule.Covered {
			l.saved.Covered[passOf(s)].Writes += t.Words
		}
	}
}

// executed enters operations outside the equations.
func (l *ledger) executed(why schedule.Beyond, op pe.Op, by gate, slots int64) {
	l.beyond[why][op][by] += slots
}

// recipe enters a vector kernel's operations, once per element.
func (l *ledger) recipe(why schedule.Beyond, r pe.Recipe, elements int64) {
	for op, n := range r {
		l.beyond[why][op][ungated] += n * elements
	}
}

// addTo adds what was executed of slots, not rounded, to a sum.
func (l *ledger) addTo(sum *big.Rat, s slots) {
	if n := s[ungated]; n != 0 {
		sum.Add(sum, new(big.Rat).SetInt64(n))
	}
	if n := s[bySpikes]; n != 0 {
		term := new(big.Rat).SetInt64(n)
		sum.Add(sum, term.Mul(term, l.density.Rat()))
	}
}

// addOperations adds the executed operations of a kind, not rounded, to a sum.
func (l *ledger) addOperations(sum *big.Rat, op pe.Op) {
	for _, byOp := range l.beyond {
		l.addTo(sum, byOp[op])
	}
	switch op {
	case pe.Add:
		l.addTo(sum, l.adds[forwardPass])
		l.addTo(sum, l.adds[backwardPass])
	case pe.MAC:
		l.addTo(sum, slots{ungated: l.macs})
	case pe.Multiply, pe.Compare: // no equation has them
	}
}

// ledgers are those of all layers, classifiers and phases. Operations are summed
// exactly, and the sum is rounded once.
type ledgers []*ledger

// counts returns the covered totals.
func (list ledgers) counts() (c Counts, err error) {
	for pass, into := range []*Pass{&c.Forward, &c.Backward} {
		adds := new(big.Rat)
		for _, l := range list {
			into.Reads += l.reads[schedule.Covered][pass]
			into.Writes += l.writes[schedule.Covered][pass]
			l.addTo(adds, l.adds[pass])
		}
		if into.Adds, err = units.RoundHalfEven(adds); err != nil {
			return c, err
		}
	}
	for _, l := range list {
		c.Backward.MACs += l.macs
	}
	return c, nil
}

// BeyondTotals is what moved and executed outside the equations.
type BeyondTotals struct {
	Words      [schedule.NumBeyond]units.Words
	Operations [schedule.NumBeyond]int64
}

func (list ledgers) beyond() (b BeyondTotals, err error) {
	for why := schedule.Covered + 1; int(why) < schedule.NumBeyond; why++ {
		sum := new(big.Rat)
		for _, l := range list {
			for pass := range 2 {
				b.Words[why] += l.reads[why][pass] + l.writes[why][pass]
			}
			for _, s := range l.beyond[why] {
				l.addTo(sum, s)
			}
		}
		if b.Operations[why], err = units.RoundHalfEven(sum); err != nil {
			return b, err
		}
	}
	return b, nil
}

// operations returns every executed operation by kind: what energy is spent on.
func (list ledgers) operations() (ops [pe.NumOps]int64, err error) {
	for op := range ops {
		sum := new(big.Rat)
		for _, l := range list {
			l.addOperations(sum, pe.Op(op))
		}
		if ops[op], err = units.RoundHalfEven(sum); err != nil {
			return ops, err
		}
	}
	return ops, nil
}

// words returns all words that moved, by what they hold, and those that were
// left out.
func (list ledgers) words() (class [role.InMemory]Traffic, saved Savings) {
	for _, l := range list {
		for c, t := range l.class {
			class[c].add(t)
		}
		saved.add(&l.saved)
	}
	return class, saved
}
