package tiling

import (
	"encoding/binary"
	"slices"

	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// rules are what decides where a program's tensors are between steps.
type rules struct {
	program *schedule.Program
	room    Room                      // without what is pinned
	limit   [role.Buffers]units.Words // tensors up to that size stay on chip between steps
	places  units.Words               // for time steps of the spikes that another PE group hands over
	// throughMemory tells that the next group reads this one's spikes from DRAM.
	throughMemory bool
}

// noneKept are limits under which nothing stays.
func noneKept() (limit [role.Buffers]units.Words) {
	for b := range limit {
		limit[b] = -1
	}
	return limit
}

// receives tells whether there is room for the spikes of the PE group before.
func (r *rules) receives() bool {
	return r.places > 0 && r.program.Words(role.Spikes, r.program.Received()) <= r.limit[r.room.buffer(role.Spikes)]
}

// isReceived tells whether a tensor is spikes of the PE group before.
func (r *rules) isReceived(x role.Tensor) bool {
	return r.program.Received() != 0 && x.Class == role.Spikes && x.Index == r.program.Received()
}

// placed is a step of the program with its tensors in their places.
type placed struct {
	*rules
	step     schedule.Step
	stays    []role.Tensor // made or loaded by the step, whole, for later steps
	resident []role.Tensor // on chip, from steps before too
	is       set           // resident
	keeps    set           // what the step keeps
}

// set tells which tensors are in it. There may be one of each layer.
type set struct{ role.Table[struct{}] }

func (s *set) add(x role.Tensor) { s.Put(x, struct{}{}) }

// isResident tells whether a tensor stayed on chip.
func (t *placed) isResident(x role.Tensor) bool { return t.is.Has(x) }

// isStaying tells whether a tensor of this step stays on chip for later ones.
func (t *placed) isStaying(x role.Tensor) bool { return slices.Contains(t.stays, x) }

// walk goes through a program's steps and puts the tensors of each in their
// places.
type walk struct {
	placed
	steps *schedule.Cursor
	taken int64 // steps
	key   []byte
}

func (r *rules) walk() walk { return walk{placed: placed{rules: r}, steps: r.program.Start()} }

// next goes to the program's next step, but of intervals that are alike only to those
// of one: all between the first and the last are.
func (w *walk) next() bool {
	p := w.program
	if n := p.Intervals(); n > 3 && w.taken == p.StepsOf(1)+p.StepsOf(2) {
		w.skip(n)
	}
	w.taken++
	return w.steps.Next(&w.step)
}

// different is next as long as there are steps of which none before was like it.
func (w *walk) different() bool { return w.next() && w.isDifferent() }

// isDifferent tells whether the step is in an interval that is like none before: the
// first; the second, if what is pinned came on chip in the first; and all, if the
// last alone updates weights.
func (t *placed) isDifferent() bool {
	p := t.program
	intervals := 1
	switch {
	case p.Updates() == 1:
		intervals = p.Intervals()
	case len(p.Policy().Pinned) > 0:
		intervals = 2
	}
	return t.step.Interval <= intervals
}

// skip goes, after the last step of an interval, to the first of a later one.
func (w *walk) skip(interval int) {
	w.steps.Skip(interval)
	w.resident = w.resident[:0]
	w.is.Clear()
	for _, x := range w.steps.Held() {
		w.hold(x)
	}
}

// hold has a tensor on chip.
func (w *walk) hold(x role.Tensor) {
	w.resident = append(w.resident, x)
	w.is.add(x)
}

// place decides where the step's tensors come from and where they go.
func (w *walk) place() {
	s := &w.step
	w.stays = w.stays[:0]
	w.keeps.Clear()
	for _, k := range s.Keeps {
		w.keeps.add(k)
	}
	w.handOver()
	w.keep()

	// What the step counts on and is not on chip is fetched again.
	uses := s.Uses[:0]
	for _, u := range s.Uses {
		if w.isResident(u) {
			uses = append(uses, u)
			continue
		}
		s.Reads = append(s.Reads, schedule.Transfer{
			Tensor: u, Words: w.program.Words(u.Class, u.Index), Beyond: schedule.BeyondRefetch,
		})
	}
	s.Uses = uses
}

// leave ends the step: what need not stay is forgotten.
func (w *walk) leave() {
	before := w.resident
	w.resident = w.resident[:0]
	w.is.Clear()
	for _, x := range before {
		if w.keeps.Has(x) {
			w.hold(x)
		}
	}
}

// keep decides what of the step stays on chip, and adds transfers for what
// does not although the program counts on it.
func (w *walk) keep() {
	s := &w.step
	pin := func(x role.Tensor) {
		if w.program.Resides(s, x) {
			w.stay(x)
		}
	}
	for _, r := range s.Reads {
		pin(r.Tensor)
	}
	for _, p := range s.Products {
		pin(p.Tensor)
	}
	for _, k := range s.Keeps {
		if w.isResident(k) {
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
		if words <= w.limit[w.room.buffer(k.Class)] {
			w.stay(k)
		} else if made {
			w.spillOut(k, words)
		}
	}
	for _, u := range s.Uses {
		counted := u.Class == role.SpikeCount || u.Class == role.LogitSum
		if counted && !w.isResident(u) && !s.End {
			w.spillOut(u, w.program.Words(u.Class, u.Index)) // counted on, in the same place
		}
	}
}

// stay keeps a tensor of the step on chip for later ones.
func (w *walk) stay(x role.Tensor) {
	w.hold(x)
	w.stays = append(w.stays, x)
}

// spillOut makes the step write a tensor that was to stay on chip, unless it is
// written anyway.
func (w *walk) spillOut(x role.Tensor, words units.Words) {
	for _, t := range w.step.Writes {
		if t.Tensor == x {
			return
		}
	}
	w.step.Writes = append(w.step.Writes, schedule.Transfer{Tensor: x, Words: words, Beyond: schedule.BeyondRefetch})
}

// handOver decides how spikes get from one PE group to another: on chip, or
// through DRAM.
func (w *walk) handOver() {
	s := &w.step
	if w.receives() {
		for _, r := range s.Receives {
			w.hold(r.Tensor)
		}
	} else {
		for _, r := range s.Receives {
			r.Beyond = schedule.BeyondRefetch
			s.Reads = append(s.Reads, r)
		}
		s.Receives = s.Receives[:0]
	}
	if w.throughMemory {
		for _, x := range s.Hands {
			w.spillOut(x, w.program.Words(x.Class, x.Index))
		}
		s.Hands = s.Hands[:0]
	}
}

// kept returns the words, without what is pinned, that stay beside the step's
// tiles in a buffer for all tensors.
func (t *placed) kept() (words units.Words) {
	receives := t.receives()
	for _, x := range t.resident {
		if !t.program.Pins(x) && !(receives && t.isReceived(x)) {
			words += t.program.Words(x.Class, x.Index)
		}
	}
	if receives {
		words += t.places * t.program.Words(role.Spikes, t.program.Received())
	}
	return words
}

// demand returns what [schedule.Step.Demand] does, by buffer and without what is
// pinned.
func (t *placed) demand() (words Words) {
	s := &t.step
	for _, r := range s.Reads {
		if !t.program.Resides(s, r.Tensor) {
			words.add(r.Tensor.Class, r.Words)
		}
	}
	for _, made := range s.Products {
		if !made.InPlace && !t.program.Resides(s, made.Tensor) {
			words.add(made.Tensor.Class, made.Words)
		}
	}
	return words
}

// appendKey appends what tells placed steps apart that are not cut alike. What is
// read, written and used tells steps of the same layer apart: the first of an
// interval has one operand less, and what stays on chip need not be read.
func (t *placed) appendKey(key []byte) []byte {
	s := &t.step
	end := byte(0)
	if s.End {
		end = 1
	}
	key = append(key, byte(s.Kind), end)
	key = binary.AppendUvarint(key, uint64(s.Block))
	key = binary.AppendUvarint(key, uint64(s.Layer))
	add := func(x role.Tensor) {
		key = append(key, byte(x.Class)+1)
		key = binary.AppendUvarint(key, uint64(x.Index))
	}
	for _, list := range [][]schedule.Transfer{s.Reads, s.Writes} {
		for _, x := range list {
			add(x.Tensor)
		}
		key = append(key, 0) // ends a list
	}
	for _, list := range [][]role.Tensor{s.Uses, t.stays} {
		for _, x := range list {
			add(x)
		}
		key = append(key, 0)
	}
	return binary.AppendUvarint(key, uint64(t.kept()))
}
