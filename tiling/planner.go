// Package tiling fits a schedule into a finite layer buffer.
//
// The paper assumes on-chip room for a layer's parameters and batch states. A
// [Planner] executes the same program where there is less: it decides what stays
// on chip between steps, and cuts each step that does not fit, twice for double
// buffering, into tiles over batch, rows, columns and channels. What was on chip
// on the paper's machine and is not here is fetched again, and what a tile
// drops before another needs it, too: those words are [schedule.BeyondRefetch].
// Words that the equations cover move exactly once, as before.
//
// # Order of loops
//
// An operand's part is fetched when a tile needs another one than the tile
// before. So the order of loops decides: with channels outside, weights are
// fetched once and inputs once per channel tile; with positions outside it is
// the other way round. A gradient keeps a tile of dW on chip while the batch
// streams by. Of all tile sizes by halving and all orders, the planner takes
// the one that costs the least in fetched words and idle PEs.
//
// # What stays on chip
//
// A tensor that a later step of the same time step uses stays if a quarter of
// the buffer can hold all that stay; otherwise it goes to DRAM and comes back.
package tiling

import (
	"fmt"

	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/units"
)

// keepShare is the part of the buffer that tensors may occupy between steps:
// one in so many words.
const keepShare = 4

// Planner yields a program's steps, cut to fit. It is a source of steps for the
// machine.
type Planner struct {
	program  *schedule.Program
	capacity units.Words
	array    pe.Array

	resident []resident // on chip between steps
	held     units.Words

	step schedule.Step // of the program
	plan plan          // of that step
	next int           // stage of the plan
	at   cursor        // tile of the stage
	done int64         // steps of the program that were handed out
	// previous is the tile before, weightsDone the weights of finished dW tiles.
	previous    extent
	weightsDone int64
	tiles       map[tileKey]tiling
	spill       []schedule.Extent // what only goes to DRAM because the buffer is small
	tiled       bool
}

type resident struct {
	tensor schedule.Tensor
	words  units.Words
}

// TooSmall says that a buffer cannot hold even the smallest tile.
type TooSmall struct {
	Step     string
	Capacity units.Bytes
	Needs    units.Bytes // the smallest capacity that would do
}

// Error names both sizes.
func (e *TooSmall) Error() string {
	return fmt.Sprintf("%s does not fit in %d bytes on chip however it is cut; %d bytes would do", e.Step, e.Capacity, e.Needs)
}

// New plans a program for a layer buffer of the given capacity. It fails with
// [TooSmall] when not even the smallest tiles fit.
func New(p *schedule.Program, capacity units.Words, array pe.Array) (*Planner, error) {
	t := &Planner{program: p, capacity: capacity, array: array, tiles: map[tileKey]tiling{}}
	needs := units.Words(0)
	var worst string
	p.Rewind()
	for p.Next(&t.step) && t.step.Interval == 1 { // all intervals are alike
		if n := t.prepare(); n > needs {
			needs, worst = n, describe(&t.step)
		}
		t.finishStep()
	}
	t.Rewind()
	if needs > capacity {
		return nil, &TooSmall{worst, capacity.Bytes(), needs.Bytes()}
	}
	return t, nil
}

func describe(s *schedule.Step) string {
	if s.Layer == 0 {
		return fmt.Sprintf("the %s step of block %d's classifier", s.Kind, s.Block)
	}
	return fmt.Sprintf("the %s step of layer %d", s.Kind, s.Layer)
}

// Rewind makes the first step the next one.
func (t *Planner) Rewind() {
	t.program.Rewind()
	t.resident, t.held = t.resident[:0], 0
	t.plan, t.next, t.done = plan{}, 0, 0
}

// Done returns how many of the program's steps have been cut and handed out.
func (t *Planner) Done() int64 { return t.done }

// Tiled tells whether any step is cut.
func (t *Planner) Tiled() bool { return t.tiled }

// Extents lists the program's tensors in DRAM and those that go there because
// the buffer is small.
func (t *Planner) Extents() []schedule.Extent {
	return append(t.program.Extents(), t.spill...)
}

// Next puts the next step, or the next tile of one, into s.
func (t *Planner) Next(s *schedule.Step) bool {
	for {
		if t.next < len(t.plan.stages) {
			t.emit(s)
			return true
		}
		if len(t.plan.stages) > 0 {
			t.finishStep()
			t.done++
		}
		if !t.program.Next(&t.step) {
			return false
		}
		t.prepare()
		t.next, t.at = 0, cursor{}
	}
}

// isResident tells whether a tensor stayed on chip.
func (t *Planner) isResident(x schedule.Tensor) bool {
	for _, r := range t.resident {
		if r.tensor == x {
			return true
		}
	}
	return false
}

// keep decides what of the step stays on chip, and adds transfers for what
// does not although the program counts on it.
func (t *Planner) keep() {
	s := &t.step
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
		if t.held+words <= t.capacity/keepShare {
			t.resident = append(t.resident, resident{k, words})
			t.held += words
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
	t.addExtent(x, words)
}

// addExtent gives a spilled tensor an address, if it has none.
func (t *Planner) addExtent(x schedule.Tensor, words units.Words) {
	for _, e := range t.spill {
		if e.Class == x.Class && e.Index == x.Index {
			return
		}
	}
	for _, e := range t.program.Extents() {
		if e.Class == x.Class && e.Index == x.Index {
			return
		}
	}
	t.spill = append(t.spill, schedule.Extent{Class: x.Class, Index: x.Index, Words: words, Slots: 1})
}

// finishStep forgets what need not stay.
func (t *Planner) finishStep() {
	left := t.resident[:0]
	t.held = 0
	for _, r := range t.resident {
		for _, k := range t.step.Keeps {
			if k == r.tensor {
				left = append(left, r)
				t.held += r.words
				break
			}
		}
	}
	t.resident = left
}

// prepare plans the program's next step and returns the words on chip that the
// plan cannot do without.
func (t *Planner) prepare() (needs units.Words) {
	before := t.held
	s := &t.step
	t.plan.reset()
	t.keep()

	// What the step counts on and is not on chip is fetched again.
	uses := s.Uses[:0]
	for _, u := range s.Uses {
		if t.isResident(u) {
			uses = append(uses, u)
			continue
		}
		s.Reads = append(s.Reads, schedule.Transfer{
			Tensor: u, Words: t.program.Words(u.Class, u.Index), Beyond: schedule.BeyondRefetch,
		})
	}
	s.Uses = uses

	whole := before + s.Demand()
	if before+2*s.Demand() <= t.capacity {
		t.plan.stages = append(t.plan.stages, stage{whole: true})
		return whole
	}
	needs, refetch := t.cut(before)
	if needs > t.capacity || (refetch > 0 && whole <= t.capacity) {
		if whole <= t.capacity {
			t.plan.stages = append(t.plan.stages[:0], stage{whole: true})
			return whole
		}
		return needs
	}
	t.tiled = true
	return needs
}
