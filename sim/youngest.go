package sim

import "github.com/accelsim-dev/accelsim/schedule"

// youngest finds the youngest of the copies of some tensors. It is a hash table
// that is emptied at once and does not allocate when it has grown: what a map does,
// without a map for each step.
type youngest struct {
	slots []youngestSlot // a power of two, at most half full
	round uint32         // slots of other rounds are empty
}

type youngestSlot struct {
	tensor schedule.Tensor
	step   int64
	round  uint32
}

// fewestSlots do for a step of any layer by itself.
const fewestSlots = 64

// of empties the table and enters tensors, without a copy.
func (y *youngest) of(tensors []schedule.Tensor) {
	if want := max(fewestSlots, 2*len(tensors)); len(y.slots) < want {
		size := fewestSlots
		for size < want {
			size *= 2
		}
		y.slots, y.round = make([]youngestSlot, size), 0
	}
	if y.round++; y.round == 0 { // 2^32 rounds are over
		clear(y.slots)
		y.round = 1
	}
	for _, t := range tensors {
		*y.find(t) = youngestSlot{t, -1, y.round}
	}
}

// find returns the slot of a tensor, or the empty one where it would be.
func (y *youngest) find(t schedule.Tensor) *youngestSlot {
	h := (uint64(t.Class)<<56 ^ uint64(t.Index)<<28 ^ uint64(t.Step)) * 0x9e3779b97f4a7c15 // Knuth, vol. 3, section 6.4
	for i := h >> 32; ; i++ {
		at := &y.slots[i&uint64(len(y.slots)-1)]
		if at.round != y.round || at.tensor == t {
			return at
		}
	}
}

// see notes a copy, if its tensor is one of them.
func (y *youngest) see(c copyOf) {
	if at := y.find(c.Tensor); at.round == y.round && c.Step > at.step {
		at.step = c.Step
	}
}

// has tells whether a copy is its tensor's youngest, of those that were seen.
func (y *youngest) has(c copyOf) bool {
	at := y.find(c.Tensor)
	return at.round == y.round && at.step == c.Step
}
