package sim

import (
	"math/big"

	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/units"
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

// ledger is where the machine counts. Words are entered when they cross the
// DRAM port and slots when PEs execute them, nowhere else.
//
// Slots that PEs gate by spikes are entered under the density of those spikes;
// what was executed is the exact sum of slots times density, rounded once.
type ledger struct {
	densities []units.Density // [0] is 1: not gated
	adds      [2][]int64      // forward, backward: covered slots by density
	macs      int64
	beyond    [schedule.NumBeyond][pe.NumOps][]int64

	reads  [schedule.NumBeyond][2]units.Words // forward, backward (and update)
	writes [schedule.NumBeyond][2]units.Words
	class  [schedule.MemoryClasses]Traffic
	saved  Savings
}

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
	Class   [schedule.MemoryClasses]Traffic
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
	ungated      = 0 // index of density 1
)

func newLedger(densities []units.Density) *ledger {
	one, _ := units.Ratio(1, 1)
	l := &ledger{densities: append([]units.Density{one}, densities...)}
	n := len(l.densities)
	l.adds = [2][]int64{make([]int64, n), make([]int64, n)}
	all := make([]int64, schedule.NumBeyond*pe.NumOps*n)
	for b := range l.beyond {
		for op := range l.beyond[b] {
			l.beyond[b][op], all = all[:n:n], all[n:]
		}
	}
	return l
}

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

// executed enters operations outside the equations, gated by a density.
func (l *ledger) executed(why schedule.Beyond, op pe.Op, density int, slots int64) {
	l.beyond[why][op][density] += slots
}

// recipe enters a vector kernel's operations, once per element.
func (l *ledger) recipe(why schedule.Beyond, r pe.Recipe, elements int64) {
	for op, n := range r {
		l.beyond[why][op][ungated] += n * elements
	}
}

// exact sums slots times density.
func (l *ledger) exact(slots []int64) *big.Rat {
	sum := new(big.Rat)
	l.addExact(sum, slots)
	return sum
}

// addExact adds slots times density to a sum.
func (l *ledger) addExact(sum *big.Rat, slots []int64) {
	for i, n := range slots {
		if n != 0 {
			term := new(big.Rat).SetInt64(n)
			sum.Add(sum, term.Mul(term, l.densities[i].Rat()))
		}
	}
}

// counts returns the covered totals.
func (l *ledger) counts() (c Counts, err error) {
	for pass, into := range []*Pass{&c.Forward, &c.Backward} {
		into.Reads, into.Writes = l.reads[schedule.Covered][pass], l.writes[schedule.Covered][pass]
		if into.Adds, err = units.RoundHalfEven(l.exact(l.adds[pass])); err != nil {
			return c, err
		}
	}
	c.Backward.MACs = l.macs
	return c, nil
}

// BeyondTotals is what moved and executed outside the equations.
type BeyondTotals struct {
	Words      [schedule.NumBeyond]units.Words
	Operations [schedule.NumBeyond]int64
}

func (l *ledger) beyondTotals() (b BeyondTotals, err error) {
	for why := schedule.Covered + 1; int(why) < schedule.NumBeyond; why++ {
		for pass := range 2 {
			b.Words[why] += l.reads[why][pass] + l.writes[why][pass]
		}
		sum := new(big.Rat)
		for _, slots := range l.beyond[why] {
			sum.Add(sum, l.exact(slots))
		}
		if b.Operations[why], err = units.RoundHalfEven(sum); err != nil {
			return b, err
		}
	}
	return b, nil
}

// operations returns every executed operation by kind: what energy is spent on.
func (l *ledger) operations() (ops [pe.NumOps]int64, err error) {
	for op := range ops {
		if ops[op], err = units.RoundHalfEven(l.exactly(pe.Op(op))); err != nil {
			return ops, err
		}
	}
	return ops, nil
}

// exactly returns the executed operations of a kind, not rounded.
func (l *ledger) exactly(op pe.Op) *big.Rat {
	sum := new(big.Rat)
	for _, byOp := range l.beyond {
		l.addExact(sum, byOp[op])
	}
	switch op {
	case pe.Add:
		l.addExact(sum, l.adds[forwardPass])
		l.addExact(sum, l.adds[backwardPass])
	case pe.MAC:
		sum.Add(sum, new(big.Rat).SetInt64(l.macs))
	}
	return sum
}

// add adds everything that another ledger with the same densities counted.
func (l *ledger) add(o *ledger) {
	sum := func(into, from []int64) {
		for i, n := range from {
			into[i] += n
		}
	}
	for pass := range l.adds {
		sum(l.adds[pass], o.adds[pass])
	}
	l.macs += o.macs
	for why := range l.beyond {
		for op := range l.beyond[why] {
			sum(l.beyond[why][op], o.beyond[why][op])
		}
		for pass := range l.reads[why] {
			l.reads[why][pass] += o.reads[why][pass]
			l.writes[why][pass] += o.writes[why][pass]
		}
	}
	for c, t := range o.class {
		l.class[c].add(t)
	}
	for pass, t := range o.saved.Covered {
		l.saved.Covered[pass].add(t)
	}
	for c, t := range o.saved.Class {
		l.saved.Class[c].add(t)
	}
}
