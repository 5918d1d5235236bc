package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// ways lists the ways to cut the step, each as stages. The last is the one that
// needs the least room.
func (t *placed) ways() (ways [][]stage) {
	switch t.step.Kind {
	case schedule.ForwardLayer, schedule.ForwardClassifier:
		ways = t.cutForward()
	case schedule.BackwardLayer, schedule.BackwardClassifier:
		ways = t.cutBackward()
	case schedule.UpdateLayer, schedule.UpdateClassifier:
		ways = [][]stage{t.cutUpdate()}
	}
	for _, stages := range ways {
		var replaced []role.Tensor // by a stage before
		for i := range stages {
			g := &stages[i]
			g.pins = func(x role.Tensor) bool { return t.program.Resides(&t.step, x) }
			g.products = t.productsOf(g)
			g.uses = slices.DeleteFunc(g.uses, func(x role.Tensor) bool { return slices.Contains(replaced, x) })
			for _, p := range g.onceProducts {
				if p.InPlace {
					replaced = append(replaced, p.Replaces)
				}
			}
		}
	}
	return ways
}

// take removes and returns the step's read of a class.
func take(reads *[]schedule.Transfer, match func(schedule.Transfer) bool) []schedule.Transfer {
	var taken []schedule.Transfer
	left := (*reads)[:0:0]
	for _, r := range *reads {
		if match(r) {
			taken = append(taken, r)
		} else {
			left = append(left, r)
		}
	}
	*reads = left
	return taken
}

func firstFetch(x schedule.Transfer) units.Words {
	if x.Beyond == schedule.BeyondRefetch {
		return 0
	}
	return x.Words
}

// small tells which tensors are a few words per channel or sample: they are
// loaded once and stay for the stage.
func small(c role.Role) bool { return c.Row().Few }

// fill distributes what is left of the step's transfers and products over a
// stage: small ones once, the others value by value.
func (t *placed) fill(g *stage, reads []schedule.Transfer, products []schedule.Product, writes []schedule.Transfer) {
	g.uses = append(g.uses, t.step.Uses...)
	for _, p := range products {
		if t.generates(p.Tensor) {
			continue // an operand
		}
		i := -1
		if p.InPlace {
			for j := range reads {
				if reads[j].Tensor == p.Replaces {
					i = j
				}
			}
		}
		switch {
		case small(p.Tensor.Class) || t.isStaying(p.Tensor) || (p.InPlace && i < 0):
			// Whole on chip: what it replaces is, or it stays for later steps. What
			// it replaces may come tile by tile all the same.
			if p.InPlace && i >= 0 && t.isStaying(p.Tensor) && !small(p.Tensor.Class) && !t.isStaying(p.Replaces) {
				p.InPlace = false
			}
			g.onceProducts = append(g.onceProducts, p)
		default:
			e := element{product: p, isResult: true}
			if i >= 0 {
				e.read, e.hasRead = reads[i], true
				reads = append(reads[:i:i], reads[i+1:]...)
			}
			g.elements = append(g.elements, e)
		}
	}
	for _, r := range reads {
		if small(r.Tensor.Class) || t.isStaying(r.Tensor) {
			g.once = append(g.once, r)
		} else {
			g.elements = append(g.elements, element{read: r, hasRead: true})
		}
	}
	for _, w := range writes {
		whole := slices.ContainsFunc(g.onceProducts, func(p schedule.Product) bool { return p.Tensor == w.Tensor })
		if whole || small(w.Tensor.Class) || t.isStaying(w.Tensor) {
			g.onceWrites = append(g.onceWrites, w)
		} else {
			g.writes = append(g.writes, w)
		}
	}
}

// results are the neurons of the step's layer, or its classifier.
func (t *placed) results() (*network.Layer, extent) {
	w := t.program.Workload()
	b := int64(w.Batch)
	if t.step.Layer == 0 {
		return nil, extent{b, 1, 1, int64(w.Net.Classes), 1}
	}
	l := w.Net.Layer(t.step.Layer)
	return l, extent{b, int64(l.Out.Height), int64(l.Out.Width), int64(l.Out.Channels), 1}
}

// grainOf returns what a tile of a layer's neurons is a multiple of: windows of
// its pooling.
func grainOf(l *network.Layer) (grain extent) {
	if l != nil && l.HasPool() {
		grain[rows], grain[columns] = int64(l.Pool.Window.Height), int64(l.Pool.Window.Width)
	}
	return grain
}

func poolsOf(l *network.Layer) *network.Layer {
	if l == nil || !l.HasPool() {
		return nil
	}
	return l
}

// has tells whether the step executes an operation.
func (t *placed) has(op schedule.Op) bool {
	for _, k := range t.step.Kernels {
		if k.Op == op {
			return true
		}
	}
	return false
}

func split(products []schedule.Product, match func(schedule.Product) bool) (others, matching []schedule.Product) {
	for _, p := range products {
		if match(p) {
			matching = append(matching, p)
		} else {
			others = append(others, p)
		}
	}
	return others, matching
}

// resource is an operand that stays on chip, or is fetched again.
func (t *placed) resource(x role.Tensor) operand {
	words := t.program.Words(x.Class, x.Index)
	if t.isResident(x) || (x.Class == role.Input && t.program.Traffic == schedule.Equations) {
		words = 0
	}
	return operand{Transfer: schedule.Transfer{Tensor: x, Words: words, Beyond: schedule.BeyondRefetch}}
}

// generates tells whether kernels of the step make random numbers of a tensor.
func (t *placed) generates(x role.Tensor) bool {
	return slices.ContainsFunc(t.step.Kernels, func(k schedule.Kernel) bool { return k.Op == schedule.Regenerate && k.Of == x.Class })
}
