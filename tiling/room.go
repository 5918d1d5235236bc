package tiling

import (
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// Room is the capacity of the layer buffer: one for all tensors if Shared, in
// Words[0], or one for each kind.
type Room struct {
	Shared bool
	Words  Words
	Word   units.Bytes // of one word
}

func (r Room) bytes(n units.Words) units.Bytes { return units.Bytes(n) * r.Word }

// buffer tells which of the room's buffers holds a class.
func (r Room) buffer(c role.Role) int {
	if r.Shared {
		return 0
	}
	return int(c.Buffer())
}

// Words is an amount in each buffer.
type Words [role.Buffers]units.Words

func (w *Words) add(c role.Role, n units.Words) { w[c.Buffer()] += n }

func (w Words) times(n units.Words) Words {
	for b := range w {
		w[b] *= n
	}
	return w
}

func (w Words) sum() (all units.Words) {
	for _, n := range w {
		all += n
	}
	return all
}

// within tells whether w is nowhere more than another amount.
func (w Words) within(o Words) bool {
	for b := range w {
		if w[b] > o[b] {
			return false
		}
	}
	return true
}

// fits tells whether an amount fits into the room.
func (w Words) fits(r Room) bool {
	if r.Shared {
		return w.sum() <= r.Words[0]
	}
	return w.within(r.Words)
}

// in returns what a buffer of the room would hold of an amount.
func (w Words) in(r Room) Words {
	if r.Shared {
		return Words{w.sum()}
	}
	return w
}

// largest takes the larger amount in every buffer.
func (w Words) largest(o Words) Words {
	for b := range w {
		w[b] = max(w[b], o[b])
	}
	return w
}
