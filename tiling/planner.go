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
// streams by. Of all tile sizes by halving, or that fill the array, and all
// orders, the planner takes the one that costs the least in fetched words and in
// clocks, which it asks the array for, whatever its dataflow.
//
// # What stays on chip
//
// A tensor that a later step of the same time step uses stays if a quarter of
// the buffer can hold it and all others of at most its size that stay; otherwise
// it goes to DRAM and comes back. What the program pins always stays: room for it
// is set aside before anything else.
package tiling

import (
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// Planner yields a program's steps, cut to fit. It is a source of steps for the
// machine.
//
// More room never makes more traffic, nor a plan that costs more. The planner
// weighs fetched words against clocks, so a plan for a larger buffer may fetch
// more; it therefore plans for all sizes of a fixed ladder up to the buffer's, and
// lets a fetched word weigh more until it moves no more of them than with any
// smaller size; failing that, or if the smaller size's plan costs less, it plans
// for the smaller size. Where each kind of tensor has a buffer of its
// own, such a ladder would be a lattice: there fetched words alone decide, tile
// by tile from one list that does not depend on the room.
type Planner struct {
	// Unboxed leaves out the boxes of what tiles move and make: only values, which
	// a simulation without tensors has none of, need them.
	Unboxed bool

	program *schedule.Program
	steps   *schedule.Cursor // through the program
	room    Room             // without what is pinned
	pinned  Words            // by buffer of the room
	used    Room             // of the room, what the plan uses
	forTile Room             // of that, what tiles of the step may take
	thrift  thrift
	array   pe.Array

	limit    [schedule.NumBuffers]units.Words // tensors up to that size stay on chip between steps
	resident []schedule.Tensor                // on chip between steps

	step schedule.Step // of the program
	plan plan          // of that step
	next int           // stage of the plan
	at   cursor        // tile of the stage
	tile boxes         // that tile
	done int64         // steps of the program that were handed out
	// previous is the tile before, weightsDone the weights of finished dW tiles.
	previous    extent
	weightsDone int64
	frontiers   Memo
	spill       []schedule.Extent // what only goes to DRAM because the buffer is small
	tiled       bool

	places        units.Words // for time steps of the spikes that another PE group hands over
	throughMemory bool        // the next group reads this one's spikes from DRAM
	cutsHanded    bool        // a step that hands spikes on ends without all of them on chip
}

// TooSmall says that a buffer cannot hold even the smallest tile.
type TooSmall struct {
	Step     string
	Buffer   string // which one, of several
	Capacity units.Bytes
	Needs    units.Bytes // the smallest capacity that would do
}

// Error names both sizes.
func (e *TooSmall) Error() string {
	where := "on chip"
	if e.Buffer != "" {
		where = "of the buffer for " + e.Buffer
	}
	return fmt.Sprintf("%s does not fit in %d bytes %s however it is cut; %d bytes would do", e.Step, e.Capacity, where, e.Needs)
}

// Memo remembers tilings of steps. Planners of the same workload, (k, n) and
// array that share one, for programs that pin other tensors, weigh what their
// steps have in common once.
type Memo map[stageKey][]tiling

// New plans a program for a layer buffer, in which another PE group wants so
// many places for the spikes that it hands over. It fails with [TooSmall] when
// not even the smallest tiles fit.
func New(p *schedule.Program, room Room, places int, array pe.Array) (*Planner, error) {
	return Memo{}.New(p, room, places, array)
}

// New does what the function New does, with what is remembered.
func (m Memo) New(p *schedule.Program, room Room, places int, array pe.Array) (*Planner, error) {
	t := &Planner{program: p, steps: p.Start(), places: units.Words(places), room: room, array: array, frontiers: m}
	for _, pin := range p.Policy().Pinned {
		t.pinned[room.buffer(pin.Class)] += p.Words(pin.Class, pin.Index)
	}
	for b, n := range t.pinned {
		t.room.Words[b] -= n
	}
	least, err := t.least()
	if err != nil {
		return nil, err
	}
	live := t.liveness()
	if room.Shared {
		t.climb(least, live)
	} else {
		t.use(t.room, true, least, live)
		t.thrift = thrift{others: thrifts[len(thrifts)-1]}
	}
	t.findSpilled()
	return t, nil
}

// findSpilled goes through the plan and gives what it spills an address.
func (t *Planner) findSpilled() {
	t.tiled, t.cutsHanded = false, false
	extents := t.program.Extents()
	for t.Rewind(); t.different(); {
		t.prepare()
		t.addExtents(extents)
		t.finishStep()
	}
	t.Rewind()
}

// different yields the program's next step as long as there are steps of which
// none before was like it. Intervals are alike, but for the first, in which what
// is pinned comes on chip.
func (t *Planner) different() bool {
	intervals := 1
	if len(t.program.Policy().Pinned) > 0 {
		intervals = 2
	}
	return t.steps.Next(&t.step) && t.step.Interval <= intervals
}

// Rewind makes the first step the next one.
func (t *Planner) Rewind() {
	t.steps.Rewind()
	t.resident = t.resident[:0]
	t.plan, t.next, t.done = plan{}, 0, 0
}

// Done returns how many of the program's steps have been cut and handed out.
func (t *Planner) Done() int64 { return t.done }

// Tiled tells whether any step is cut.
func (t *Planner) Tiled() bool { return t.tiled }

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
		if !t.steps.Next(&t.step) {
			return false
		}
		t.prepare()
		t.next, t.at = 0, cursor{}
	}
}

// isResident tells whether a tensor stayed on chip.
func (t *Planner) isResident(x schedule.Tensor) bool {
	return slices.Contains(t.resident, x)
}

// isReceived tells whether a tensor is spikes of the PE group before.
func (t *Planner) isReceived(x schedule.Tensor) bool {
	return t.program.Received() != 0 && x.Class == schedule.Spikes && x.Index == t.program.Received()
}

// Receives tells whether there is room for the spikes that another PE group
// hands over; else they are read from DRAM.
func (t *Planner) Receives() bool {
	return t.places > 0 && t.program.Words(schedule.Spikes, t.program.Received()) <= t.limit[t.room.buffer(schedule.Spikes)]
}

// Hands tells whether all spikes that the next PE group gets are on chip when
// the step that makes them ends.
func (t *Planner) Hands() bool { return !t.cutsHanded }

// HandThroughMemory makes the next group read this one's spikes from DRAM.
func (t *Planner) HandThroughMemory() {
	t.throughMemory = true
	t.findSpilled()
}

// Spilled lists the tensors that go to DRAM only because the buffer is small.
func (t *Planner) Spilled() []schedule.Extent { return t.spill }

// Traffic returns the words that an iteration moves across the DRAM port.
func (t *Planner) Traffic() (words units.Words) {
	words, _ = t.weigh()
	return words
}

// prepare plans the program's next step and returns the words on chip that the
// plan cannot do without.
func (t *Planner) prepare() (needs Words) {
	t.place()
	return t.divide()
}

// place decides where the step's tensors come from and where they go.
func (t *Planner) place() {
	s := &t.step
	t.plan.reset()
	t.handOver()
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
}

// divide leaves the step whole or cuts it.
func (t *Planner) divide() (needs Words) {
	s := &t.step
	t.forTile = t.used
	if t.used.Shared {
		for _, x := range t.resident {
			if !t.program.Pins(x) && !(t.Receives() && t.isReceived(x)) {
				t.forTile.Words[0] -= t.program.Words(x.Class, x.Index)
			}
		}
		if t.Receives() {
			t.forTile.Words[0] -= t.places * t.program.Words(schedule.Spikes, t.program.Received())
		}
	} else { // whether or not it is used, so that more room is never less for tiles
		for b, n := range t.used.Words {
			t.forTile.Words[b] -= n / keepShare
		}
	}
	whole := t.demand(s)
	if whole.times(2).fits(t.forTile) {
		return t.uncut(whole)
	}
	needs, again := t.cut()
	switch {
	case whole.in(t.room).within(needs.in(t.room)):
		return t.uncut(whole)
	case again > 0 && whole.fits(t.forTile):
		return t.uncut(whole) // rather wait for the buffer than fetch again
	}
	t.tiled = true
	for _, x := range s.Hands {
		t.cutsHanded = t.cutsHanded || !t.isResident(x)
	}
	return needs
}

// uncut leaves the step as it is.
func (t *Planner) uncut(whole Words) Words {
	t.plan.stages = append(t.plan.stages[:0], stage{whole: true})
	return whole
}

// demand returns what [schedule.Step.Demand] does, by buffer and without what is
// pinned.
func (t *Planner) demand(s *schedule.Step) (words Words) {
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
