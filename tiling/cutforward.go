package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// cutForward is synaptic sums and what neurons make of them. Batch norm needs
// the sums of the whole batch first: where positions are cut, they go out and
// come back.
func (t *placed) cutForward() [][]stage {
	s := &t.step
	l, dims := t.results()
	terms := t.sumTerms()
	if terms > 0 {
		dims[depth] = terms
	}
	g := stage{dims: dims, grain: grainOf(l), pools: poolsOf(l)}
	g.uncut[channels] = t.has(schedule.Loss) // a sample's classes belong together
	t.keepGroups(&g, s.Kernels)
	g.keepWindows()
	reads := append([]schedule.Transfer(nil), s.Reads...)
	t.takeOperands(&g, t.accesses(s.Kernels, terms > 0), &reads)
	if l == nil || !l.BatchNorm || !t.has(schedule.NormForward) {
		g.kernels = append(g.kernels, s.Kernels...)
		t.fill(&g, reads, s.Products, s.Writes)
		return [][]stage{{g}}
	}

	one := g
	one.operands, one.once = slices.Clone(g.operands), slices.Clone(g.once)
	one.kernels = append(one.kernels, s.Kernels...)
	one.uncut[batch], one.uncut[rows], one.uncut[columns] = true, true, true
	t.fill(&one, reads, s.Products, s.Writes)
	return [][]stage{{one}, t.cutNormForward(g, reads)}
}

// sumTerms returns the terms of the step's sums, if they may be cut: where they
// come from one fully connected input. 0 are not. Those of a convolution come
// position by position.
func (t *placed) sumTerms() int64 {
	if t.step.Layer == 0 {
		return int64(t.program.Workload().Net.ClassifierInputs(t.program.Blocks[t.step.Block-1]))
	}
	l := t.program.Workload().Net.Layer(t.step.Layer)
	if len(l.Inputs) > 1 || l.First().Kind != network.FC {
		return 0
	}
	return int64(l.First().In.Size())
}

// cutNormForward is a layer with batch norm where batch or positions are cut, as
// three stages: sums and their mean; variance; the normalised sums and the
// rest. Sums wait where the normalised ones will be.
func (t *placed) cutNormForward(first stage, reads []schedule.Transfer) []stage {
	s := &t.step
	saved := role.Tensor{Class: role.NormSaved, Index: s.Layer, Step: s.Time}
	words := t.program.Words(saved.Class, saved.Index)
	products := append([]schedule.Product(nil), s.Products...)
	at := slices.IndexFunc(products, func(p schedule.Product) bool { return p.Tensor == saved })
	sums := schedule.Transfer{Tensor: saved, Words: words, Beyond: schedule.BeyondRefetch}

	second, third := t.stageOf(first), t.stageOf(first)
	first.ordered, second.ordered = true, true
	first.uses = append(first.uses, s.Uses...)
	t.holdNormSums(&first, &second, &third)
	if t.isStaying(saved) { // and waits on chip
		first.onceProducts = append(first.onceProducts, products[at])
		second.uses = append(second.uses, saved)
		third.uses = append(third.uses, saved)
		products = slices.Delete(products, at, at+1)
	} else {
		first.elements = []element{{product: schedule.Product{Tensor: saved, Words: words}, isResult: true}}
		first.writes = []schedule.Transfer{sums}
		second.elements = []element{{read: sums, hasRead: true}}
		products[at].InPlace, products[at].Replaces = true, saved
		reads = append(reads, sums)
	}
	for _, k := range s.Kernels {
		switch row := op.Of(k.Op); {
		case row.Nest == op.OverSynapses || k.Op == schedule.AddValue:
			first.kernels = append(first.kernels, k)
		case row.Stages != nil:
			for i, g := range []*stage{&first, &second, &third} {
				g.kernels = append(g.kernels, stageOf(k, i))
			}
		default:
			third.kernels = append(third.kernels, k)
		}
	}
	t.fill(&third, t.addedAgain(&first, &third, reads), products, s.Writes)
	return []stage{first, second, third}
}

// addedAgain has the last of the stages have the spikes that it adds, where the first
// takes them, too: from DRAM once more, unless they stay on chip.
func (t *placed) addedAgain(first, last *stage, reads []schedule.Transfer) []schedule.Transfer {
	if !t.has(schedule.Join) {
		return reads
	}
	added := t.added()
	if slices.ContainsFunc(first.operands, func(o operand) bool { return o.Tensor == added }) {
		return append(reads, t.resource(added).Transfer)
	}
	if slices.ContainsFunc(first.once, func(x schedule.Transfer) bool { return x.Tensor == added }) {
		last.uses = append(last.uses, added)
	}
	return reads
}

// stageOf is one of the stages that a kernel is cut into.
func stageOf(k schedule.Kernel, i int) schedule.Kernel {
	k.Op = op.Of(k.Op).Stages[i]
	return k
}

// stageOf is an empty stage with the same results as another.
func (t *placed) stageOf(g stage) stage {
	n := stage{dims: g.dims, grain: g.grain, pools: g.pools}
	n.dims[depth] = 1
	n.keepWindows()
	return n
}

// holdNormSums keeps batch norm's sums on chip from the first of the stages to
// the last.
func (t *placed) holdNormSums(stages ...*stage) {
	sums := role.Tensor{Class: role.NormSums, Index: t.step.Layer, Step: t.step.Time}
	for i, g := range stages {
		g.holds = append(g.holds, holding{sums, t.program.Words(sums.Class, sums.Index), i == 0})
	}
}
