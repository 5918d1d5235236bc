package schedule

import (
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
)

// Order tells who executes a program's blocks.
type Order uint8

// Sequential is one PE group, in Figure 8's order. Pipelined is several, each
// with a run of blocks of its own: all at once, as far as spikes have come.
const (
	Sequential Order = iota
	Pipelined
)

// String returns the name of the order.
func (o Order) String() string { return [...]string{"sequential", "pipelined"}[o] }

// ParseOrder reads the name of an order.
func ParseOrder(name string) (Order, error) {
	for _, o := range []Order{Sequential, Pipelined} {
		if name == o.String() {
			return o, nil
		}
	}
	return Sequential, fmt.Errorf("schedule %q; write %v or %v", name, Sequential, Pipelined)
}

// Group returns the part of the program that a PE group executes which has
// blocks first to last: their steps in the same order. Its first layer receives
// the spikes of the block before, its last layer hands its own on.
func (p *Program) Group(first, last int) *Program {
	g := *p
	g.own = p.Blocks[first-1 : last]
	g.policy.Pinned = slices.DeleteFunc(slices.Clone(g.policy.Pinned), func(pin Pin) bool { return !g.has(pin) })
	g.rows = [numRows][]slot{}
	g.layOutRows()
	g.findKeeps()
	return &g
}

// has tells whether a pinned tensor is one of the program's own blocks'.
func (p *Program) has(pin Pin) bool {
	for _, b := range p.own {
		if pin.Class.OfClassifier() && pin.Index == b.Index {
			return true
		}
		layer := pin.Index
		if pin.Class.Row().Owner == role.OfProjection {
			l, _ := p.workload.Net.Projection(pin.Index)
			layer = l.Index
		}
		if !pin.Class.OfClassifier() && max(1, layer) >= b.First && layer <= b.Last { // the input is layer 1's
			return true
		}
	}
	return false
}

// Received returns the layer whose spikes the program's first layer gets from
// the group before; 0 if it reads the network's input.
func (p *Program) Received() int { return p.own[0].First - 1 }

// Handed returns the layer whose spikes the next group gets; 0 if there is no
// next group.
func (p *Program) Handed() int {
	last := p.own[len(p.own)-1]
	if last.Index == len(p.Blocks) {
		return 0
	}
	return last.Last
}

// Share gives spikes that PE groups hand on, of all that have an address in DRAM,
// twice the slots, if groups execute the program that start with the given
// blocks: a layer may be in one interval while the next group is still in the one
// before.
func (p *Program) Share(extents []Extent, first []int) {
	for i := range extents {
		e := &extents[i]
		for _, b := range first {
			if b > 1 && e.Class == role.Spikes && e.Index == p.Blocks[b-1].First-1 {
				e.Slots, e.Shared = 2*max(p.backward, 2), true
			}
		}
	}
}

// Own returns the blocks whose steps the program has.
func (p *Program) Own() []network.Block { return p.own }
