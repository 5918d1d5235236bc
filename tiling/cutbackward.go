package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// cutBackward is the errors of a layer or classifier, batch norm's backward
// pass where the batch is cut, and the gradients.
func (t *placed) cutBackward() (ways [][]stage) {
	s := &t.step
	l, dims := t.results()
	rest := t.errorsAlone()
	g := stage{dims: dims, grain: grainOf(l), pools: poolsOf(l)}
	terms := t.errorTerms()
	if terms > 0 {
		g.dims[depth] = terms
	}
	for _, k := range s.Kernels {
		if !ofGradient(k) {
			g.kernels = append(g.kernels, k)
		}
	}
	t.keepGroups(&g, g.kernels)
	g.keepWindows()
	t.takeOperands(&g, t.accesses(g.kernels, terms > 0), &rest.reads)

	gamma, behind := role.PotentialError.At(s.Layer, s.Time), role.Tensor{}
	if l == nil {
		behind = t.program.ClassifierErrorOf(s.Block, s.Time)
	} else {
		behind = t.program.ErrorOf(l, s.Time)
	}
	if len(g.kernels) < len(s.Kernels) {
		rest.writes = t.spillWithin(behind, rest.writes)
	}
	if t.has(schedule.NormBackward) {
		one := g
		one.operands, one.kernels = slices.Clone(g.operands), slices.Clone(g.kernels)
		one.uncut[batch], one.uncut[rows], one.uncut[columns] = true, true, true
		t.fill(&one, rest.reads, rest.products, rest.writes)
		ways = [][]stage{{one}}
		if t.program.Workload().NeuronOf(l).PassesOn() { // else the errors behind it take the place of others
			ways = append(ways, t.cutNormBackward(g, rest.reads, rest.products, rest.writes, gamma))
		}
	} else {
		t.fill(&g, rest.reads, rest.products, rest.writes)
		ways = [][]stage{{g}}
	}
	for i := range ways {
		ways[i] = append(ways[i], t.gradientStages(behind)...) // a way's stages are its own
	}
	return ways
}

// errorTerms returns the terms of W^T gamma, if they may be cut: where they come
// from one fully connected reader, in the order of its outputs. 0 are not. Those of
// a convolution come position by position.
func (t *placed) errorTerms() int64 {
	sums, terms := 0, int64(0)
	for _, k := range t.step.Kernels {
		if op.Of(k.Op).Nest != op.OverErrors {
			continue
		}
		sums++
		if p := t.projection(k); p != nil && p.Kind == network.FC && k.Reader != k.Index {
			terms = int64(t.program.Workload().Net.Layer(k.Reader).Out.Channels)
		}
	}
	if sums > 1 {
		return 0
	}
	return terms
}

// moved is transfers and products of a step.
type moved struct {
	reads, writes []schedule.Transfer
	products      []schedule.Product
}

// errorsAlone are those that no gradient has.
func (t *placed) errorsAlone() (m moved) {
	s := &t.step
	for _, r := range s.Reads {
		if !t.isGradients(r.Tensor) {
			m.reads = append(m.reads, r)
		}
	}
	for _, w := range s.Writes {
		if !t.isGradients(w.Tensor) {
			m.writes = append(m.writes, w)
		}
	}
	for _, p := range s.Products {
		if !t.isGradients(p.Tensor) {
			m.products = append(m.products, p)
		}
	}
	return m
}

// isGradients tells whether kernels of gradients, and no others of the step, take or
// make a tensor: gradients, traces, and what the layer has read forward.
func (t *placed) isGradients(x role.Tensor) bool {
	for _, k := range t.step.Kernels {
		if !ofGradient(k) {
			continue
		}
		own := t.gradientOf(k)
		if x.Class == own.gradient.Class && x.Index == own.gradient.Index ||
			own.trace != (role.Tensor{}) && x.Class == own.trace.Class && x.Index == own.trace.Index {
			return true
		}
		if x == own.source && !t.isStaying(x) {
			return true
		}
	}
	return false
}

// spillWithin makes a stage write a tensor that a later stage of the same step
// reads, unless it is written anyway or stays on chip.
func (t *placed) spillWithin(x role.Tensor, writes []schedule.Transfer) []schedule.Transfer {
	written := func(w schedule.Transfer) bool { return w.Tensor == x }
	if t.isResident(x) || slices.ContainsFunc(writes, written) {
		return writes
	}
	return append(writes, schedule.Transfer{Tensor: x, Words: t.program.Words(x.Class, x.Index), Beyond: schedule.BeyondRefetch})
}

// cutNormBackward takes errors back through batch norm where batch or positions
// are cut, as two stages, since it needs sums over the batch: errors go out first,
// with the gradients of gain and bias, and come back with what the forward pass
// saved.
func (t *placed) cutNormBackward(first stage, reads []schedule.Transfer, products []schedule.Product, writes []schedule.Transfer, gamma role.Tensor) []stage {
	second := t.stageOf(first)
	first.ordered = true
	t.holdNormSums(&first, &second)
	var kernels []schedule.Kernel
	for _, k := range first.kernels {
		if k.Op == schedule.NormBackward {
			second.kernels = append(second.kernels, stageOf(k, 1))
			k = stageOf(k, 0)
		}
		kernels = append(kernels, k)
	}
	first.kernels = kernels
	isSecond := func(x role.Tensor) bool {
		return x.Class == role.NormParameter || x.Class == role.SynapticError && x.Index == t.step.Layer
	}
	again := take(&reads, func(x schedule.Transfer) bool { return isSecond(x.Tensor) })
	last := take(&writes, func(x schedule.Transfer) bool { return isSecond(x.Tensor) })
	products, made := split(products, func(p schedule.Product) bool { return isSecond(p.Tensor) })
	writes = t.spillWithin(gamma, writes)
	t.fill(&first, reads, products, writes)
	for _, x := range []role.Tensor{gamma, {Class: role.NormSaved, Index: gamma.Index, Step: gamma.Step}} {
		if back := t.resource(x); back.Words > 0 {
			again = append(again, back.Transfer)
		} else {
			second.uses = append(second.uses, x)
		}
	}
	t.fill(&second, again, made, last)
	return []stage{first, second}
}
