package sim

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// region is where the tensors of one class and index live in DRAM, and which
// of them is there now.
type region struct {
	extent schedule.Extent
	base   units.Bytes
	stride units.Bytes // from slot to slot
	holds  []content   // by slot
	freed  []int       // by slot, of a shared one: the last step that may be overwritten
}

// content is what a slot holds.
type content struct {
	written bool
	step    int
	read    bool // since it was written
	// A tensor may be overwritten part by part, in ascending order: so many
	// words are of step, the rest still of the step before.
	words  units.Words
	before int
	// values is what a functional simulation holds there; none are zeros.
	values pe.Values
}

// memoryMap follows what was written where in DRAM.
type memoryMap struct {
	regions [role.InMemory][]region // by class and index
	burst   units.Bytes
	word    units.Bytes
	unread  [role.InMemory]int64 // values overwritten before anything read them
}

// NotFit says that a workload's tensors are more than the memory holds.
type NotFit struct {
	Footprint units.Bytes
	Capacity  units.Bytes
}

// Error names both sizes.
func (e *NotFit) Error() string {
	return fmt.Sprintf("the tensors need %d bytes; the DRAM has %d", e.Footprint, e.Capacity)
}

// newMemoryMap returns the DRAM as it is before the iteration.
func newMemoryMap(l *layout, d dram.Device, word units.Bytes) *memoryMap {
	m := &memoryMap{burst: d.BurstBytes(), word: word}
	for _, a := range l.addresses {
		r := region{extent: a.Extent, base: a.Base, stride: a.Stride, holds: make([]content, a.Slots)}
		if a.Initial {
			for s := range r.holds {
				r.holds[s] = content{written: a.Constant || s == 0, words: a.Words}
			}
		}
		if a.Shared {
			r.freed = make([]int, a.Slots)
		}
		list := m.regions[a.Class]
		for len(list) <= a.Index {
			list = append(list, region{})
		}
		list[a.Index] = r
		m.regions[a.Class] = list
	}
	return m
}

// locate returns the slot of a tensor.
func (m *memoryMap) locate(t role.Tensor) (*region, int, error) {
	if !t.Class.InMemory() || len(m.regions[t.Class]) <= t.Index || m.regions[t.Class][t.Index].holds == nil {
		return nil, 0, fmt.Errorf("%v has no address in DRAM", t)
	}
	r := &m.regions[t.Class][t.Index]
	return r, t.Step % len(r.holds), nil
}

// stream returns the bursts of a transfer and records that it happened. It
// fails when it reads what nothing wrote.
func (m *memoryMap) stream(t schedule.Transfer, write bool) (dram.Stream, error) {
	r, slot, err := m.locate(t.Tensor)
	if err != nil {
		return dram.Stream{}, err
	}
	held := &r.holds[slot]
	whole := r.extent.Words
	switch {
	case write && !r.mayWrite(t.Tensor.Step, slot):
		return dram.Stream{}, fmt.Errorf("%v is written over step %d, which the next group still reads", t.Tensor, held.step)
	case write:
		if t.Offset == 0 {
			if held.written && !held.read {
				m.unread[t.Tensor.Class]++
			}
			*held = content{written: true, step: t.Tensor.Step, before: held.step, values: held.values}
		}
		if held.step != t.Tensor.Step || held.words != t.Offset {
			return dram.Stream{}, fmt.Errorf("%v is written from word %d, but %d words of step %d are there", t.Tensor, t.Offset, held.words, held.step)
		}
		held.words += t.Words
	case !held.written:
		return dram.Stream{}, fmt.Errorf("%v is read from DRAM, but nothing wrote it", t.Tensor)
	case r.extent.Constant:
		held.read = true
	case held.words < whole && held.before == t.Tensor.Step && t.Offset >= held.words:
		// What is left of the value before.
	case held.step != t.Tensor.Step:
		return dram.Stream{}, fmt.Errorf("%v is read from DRAM, but the value of step %d is there", t.Tensor, held.step)
	case t.Offset+t.Words > held.words:
		return dram.Stream{}, fmt.Errorf("%v is read from DRAM, but only %d of its %d words were written", t.Tensor, held.words, whole)
	default:
		held.read = true
	}
	// A part moves the bursts that it touches.
	from := t.Offset.Of(m.word) / m.burst
	to := units.CeilDiv((t.Offset + t.Words).Of(m.word), m.burst)
	return dram.Stream{
		Addr:   r.base + units.Bytes(slot)*r.stride + from*m.burst,
		Bursts: int64(to - from),
		Write:  write,
	}, nil
}

// shared returns the region of a tensor that several groups use, and its slot;
// nil if only one does.
func (m *memoryMap) shared(t role.Tensor) (*region, int) {
	r, slot, err := m.locate(t)
	if err != nil || r.freed == nil {
		return nil, 0
	}
	return r, slot
}

// mayWrite tells whether nobody reads any more what a step is written over.
func (r *region) mayWrite(step, slot int) bool {
	return r.freed == nil || step-len(r.holds) <= r.freed[slot]
}

// isThere tells whether a tensor has been written to the end, or overwritten
// since; one that only a single group uses counts as there.
func (m *memoryMap) isThere(t role.Tensor) bool {
	r, slot := m.shared(t)
	if r == nil {
		return true
	}
	held := &r.holds[slot]
	return held.step > t.Step || held.step == t.Step && held.words == r.extent.Words
}

// free lets a tensor that other groups use be overwritten.
func (m *memoryMap) free(t role.Tensor) {
	if r, slot := m.shared(t); r != nil {
		r.freed[slot] = t.Step
	}
}

// Values returns the content of a tensor's slot.
func (m *memoryMap) Values(t role.Tensor) (*pe.Values, error) {
	r, slot, err := m.locate(t)
	if err != nil {
		return nil, err
	}
	return &r.holds[slot].values, nil
}

// Final returns the content of a tensor that must be there at the end.
func (m *memoryMap) Final(t role.Tensor) (pe.Values, error) {
	r, slot, err := m.locate(t)
	if err != nil {
		return pe.Values{}, err
	}
	held := r.holds[slot]
	switch {
	case !held.written:
		return held.values, fmt.Errorf("after the iteration %v is not in DRAM: nothing wrote it", t)
	case held.step != t.Step:
		return held.values, fmt.Errorf("after the iteration %v is not in DRAM: the value of step %d is there, not of %d", t, held.step, t.Step)
	}
	return held.values, nil
}
