package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// keep decides what of the step stays on chip, and adds transfers for what
// does not although the program counts on it.
func (t *Planner) keep() {
	s := &t.step
	pin := func(x schedule.Tensor) {
		if t.program.Resides(s, x) {
			t.resident = append(t.resident, x)
			t.plan.stays = append(t.plan.stays, x)
		}
	}
	for _, r := range s.Reads {
		pin(r.Tensor)
	}
	for _, p := range s.Products {
		pin(p.Tensor)
	}
	for _, k := range s.Keeps {
		if t.isResident(k) {
			continue
		}
		made, loaded := false, false
		var words units.Words
		for _, p := range s.Products {
			if p.Tensor == k {
				made, words = true, p.Words
			}
		}
		for _, r := range s.Reads {
			if r.Tensor == k {
				loaded, words = true, r.Words
			}
		}
		if !made && !loaded {
			continue // made by a later step, or spilled before
		}
		if words <= t.limit[t.room.buffer(k.Class)] {
			t.resident = append(t.resident, k)
			t.plan.stays = append(t.plan.stays, k)
		} else if made {
			t.spillOut(k, words)
		}
	}
	for _, u := range s.Uses {
		if u.Class == schedule.SpikeCount && !t.isResident(u) && !s.End {
			t.spillOut(u, t.program.Words(u.Class, u.Index)) // counted on, in the same place
		}
	}
}

// spillOut makes the step write a tensor that was to stay on chip, unless it is
// written anyway.
func (t *Planner) spillOut(x schedule.Tensor, words units.Words) {
	for _, w := range t.step.Writes {
		if w.Tensor == x {
			return
		}
	}
	t.step.Writes = append(t.step.Writes, schedule.Transfer{Tensor: x, Words: words, Beyond: schedule.BeyondRefetch})
}

// addExtents gives what the planned step writes an address, if it has none.
func (t *Planner) addExtents(program []schedule.Extent) {
	for i := range t.plan.stages {
		g := &t.plan.stages[i]
		lists := [][]schedule.Transfer{g.writes, g.onceWrites}
		if g.whole {
			lists = [][]schedule.Transfer{t.step.Writes}
		}
		for _, list := range lists {
			for _, w := range list {
				same := func(e schedule.Extent) bool { return e.Class == w.Tensor.Class && e.Index == w.Tensor.Index }
				if !slices.ContainsFunc(program, same) && !slices.ContainsFunc(t.spill, same) {
					words := t.program.Words(w.Tensor.Class, w.Tensor.Index)
					t.spill = append(t.spill, schedule.Extent{Class: w.Tensor.Class, Index: w.Tensor.Index, Words: words, Slots: 1})
				}
			}
		}
	}
}

// finishStep forgets what need not stay.
func (t *Planner) finishStep() {
	t.resident = slices.DeleteFunc(t.resident, func(x schedule.Tensor) bool {
		return !slices.Contains(t.step.Keeps, x)
	})
}

// handOver decides how spikes get from one PE group to another: on chip, or
// through DRAM.
func (t *Planner) handOver() {
	s := &t.step
	if t.Receives() {
		for _, r := range s.Receives {
			t.resident = append(t.resident, r.Tensor)
		}
	} else {
		for _, r := range s.Receives {
			r.Beyond = schedule.BeyondRefetch
			s.Reads = append(s.Reads, r)
		}
		s.Receives = s.Receives[:0]
	}
	if t.throughMemory {
		for _, x := range s.Hands {
			t.spillOut(x, t.program.Words(x.Class, x.Index))
		}
		s.Hands = s.Hands[:0]
	}
}
