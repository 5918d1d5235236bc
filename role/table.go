package role

// Table maps tensors to values. It is a hash table that is emptied at once and does
// not allocate when it has grown: what a map does where each step has one. The zero
// Table is empty.
type Table[V any] struct {
	slots []entry[V] // a power of two, at most half full
	used  int
	round uint32 // entries of other rounds are gone
}

type entry[V any] struct {
	tensor Tensor
	value  V
	round  uint32
}

// fewest slots do for what one step is about.
const fewest = 64

// Clear empties the table.
func (t *Table[V]) Clear() {
	t.used = 0
	if t.round++; t.round == 0 { // 2^32 rounds are over
		clear(t.slots)
		t.round = 1
	}
}

// Put enters a tensor's value in place of any before.
func (t *Table[V]) Put(x Tensor, v V) {
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	at := t.find(x)
	if at.round != t.round {
		t.used++
	}
	*at = entry[V]{x, v, t.round}
}

// At returns the place of a tensor's value, nil if it has none. The next Put may
// move it.
func (t *Table[V]) At(x Tensor) *V {
	if t.used == 0 {
		return nil
	}
	if at := t.find(x); at.round == t.round {
		return &at.value
	}
	return nil
}

// Has tells whether a tensor has a value.
func (t *Table[V]) Has(x Tensor) bool { return t.At(x) != nil }

// find returns a tensor's slot, or the one where it would be.
func (t *Table[V]) find(x Tensor) *entry[V] {
	h := (uint64(x.Class)<<56 ^ uint64(x.Index)<<28 ^ uint64(x.Step)) * 0x9e3779b97f4a7c15 // Knuth, vol. 3, section 6.4
	for i := h >> 32; ; i++ {
		if at := &t.slots[i&uint64(len(t.slots)-1)]; at.round != t.round || at.tensor == x {
			return at
		}
	}
}

func (t *Table[V]) grow() {
	old, round := t.slots, t.round
	t.slots, t.round = make([]entry[V], max(fewest, 2*len(old))), max(1, round)
	for i := range old {
		if old[i].round == round {
			*t.find(old[i].tensor) = entry[V]{old[i].tensor, old[i].value, t.round}
		}
	}
}
