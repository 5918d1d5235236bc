// Package tiling fits a schedule into a finite layer buffer.
//
// The paper assumes on-chip room for a layer's parameters and batch states. A
// [Plan] executes the same program where there is less: it says what stays on
// chip between steps, and how each step that does not fit, twice for double
// buffering, is cut into tiles over batch, rows, columns and channels. What was on
// chip on the paper's machine and is not here is fetched again, and what a tile
// drops before another needs it, too: those words are [schedule.BeyondRefetch].
// Words that the equations cover move exactly once, as before.
//
// # From a step to a plan
//
// A walk puts each step's tensors in their places (place.go). A placed step has a
// few ways to be cut into stages (cut.go), a stage a list of tilings (stage.go),
// which depends on sizes and the array only and which a [Memo] has once for all
// that are alike. A survey is the steps of a program with their lists (survey.go),
// and of those a plan takes the cheapest (climb.go). A [Cursor] yields the tiles
// of a plan (emit.go). Nothing that a plan has changes after it is made.
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

// Plan is how a program runs in a layer buffer: what stays on chip, and what each
// of its steps is cut into. It never changes; any number of cursors may go
// through it at a time.
//
// More room never makes more traffic, nor a plan that costs more. The planner
// weighs fetched words against clocks, so a plan for a larger buffer may fetch
// more; it therefore plans for all sizes of a fixed ladder up to the buffer's, and
// lets a fetched word weigh more until it moves no more of them than with any
// smaller size; failing that, or if the smaller size's plan costs less, it plans
// for the smaller size. Where each kind of tensor has a buffer of its
// own, such a ladder would be a lattice: there fetched words alone decide, tile
// by tile from one list that does not depend on the room.
type Plan struct {
	rules
	cuts       map[string]*division // by key of a placed step
	spill      []schedule.Extent    // what only goes to DRAM because the buffer is small
	moved      units.Words          // in an iteration
	idle       units.Words          // words' worth of clocks that PEs idle because steps are cut
	tiled      bool
	cutsHanded bool // a step that hands spikes on ends without all of them on chip

	// What it was planned for.
	surveyor
	used   Room // of the room
	thrift thrift
}

// division is what a step is cut into: of the ways to cut it, one, and of the
// tilings of each of that way's stages, one. A step that is whole has no stages.
type division struct {
	way     int
	tilings []tiling
}

// whole is what a step is cut into that is not.
var whole division

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

// New plans a program for a layer buffer, in which another PE group wants so
// many places for the spikes that it hands over. It fails with [TooSmall] when
// not even the smallest tiles fit. What a memo remembers of other plans is not
// worked out again; nil remembers nothing.
func New(p *schedule.Program, room Room, places int, array pe.Array, memo *Memo) (*Plan, error) {
	if memo == nil {
		memo = new(Memo)
	}
	t := newPlanner(p, room, places, array, memo)
	var err error
	if t.least, err = t.findLeast(); err != nil {
		return nil, err
	}
	t.live = t.liveness()
	if room.Shared {
		return t.climb(), nil
	}
	return t.choices(t.room, true).plan(thrift{others: thrifts[len(thrifts)-1]}, nil), nil
}

// plan makes a plan of what is chosen at some thrift. Extents that are given have
// an address already.
func (c choices) plan(at thrift, spill []schedule.Extent) *Plan {
	p := &Plan{
		rules: *c.survey.rules, cuts: make(map[string]*division, len(c.survey.steps)), spill: slices.Clone(spill),
		surveyor: c.surveyor, used: c.room, thrift: at,
	}
	p.moved, p.idle = c.weigh(at)
	for i := range c.survey.steps {
		p.cuts[c.survey.steps[i].key] = &whole
	}
	for i := range c.steps {
		f := &c.steps[i]
		d := f.divide(at.of(f.place))
		p.cuts[f.key] = d
		if cut := len(d.tilings) > 0; f.early && cut {
			p.tiled = true
			p.cutsHanded = p.cutsHanded || f.handsParts
		}
	}
	p.findSpilled()
	return p
}

// findSpilled gives what the plan's steps write an address, if it has none. It
// goes as far as steps differ.
func (p *Plan) findSpilled() {
	known := p.program.Extents()
	seen := make(map[string]bool, len(p.cuts))
	for w := p.walk(); w.different(); w.leave() {
		w.place()
		if d := p.divisionOf(&w); !seen[string(w.key)] {
			seen[string(w.key)] = true
			for _, t := range w.writes(d) {
				p.addExtent(known, t)
			}
		}
	}
}

// writes lists what a step that is cut so writes.
func (t *placed) writes(d *division) (list []schedule.Transfer) {
	if len(d.tilings) == 0 {
		return t.step.Writes
	}
	for _, g := range t.ways()[d.way] {
		list = append(append(list, g.writes...), g.onceWrites...)
	}
	return list
}

// addExtent gives a tensor an address, unless it is known to have one.
func (p *Plan) addExtent(known []schedule.Extent, w schedule.Transfer) {
	same := func(e schedule.Extent) bool { return e.Class == w.Tensor.Class && e.Index == w.Tensor.Index }
	if !slices.ContainsFunc(known, same) && !slices.ContainsFunc(p.spill, same) {
		words := p.program.Words(w.Tensor.Class, w.Tensor.Index)
		p.spill = append(p.spill, schedule.Extent{Class: w.Tensor.Class, Index: w.Tensor.Index, Words: words, Slots: 1})
	}
}

// divisionOf returns what a walk's step is cut into.
func (p *Plan) divisionOf(w *walk) *division {
	w.key = w.appendKey(w.key[:0])
	return p.cuts[string(w.key)]
}

// ThroughMemory is the same plan for a group whose spikes the next group reads
// from DRAM.
func (p *Plan) ThroughMemory() *Plan {
	r := p.rules
	r.throughMemory = true
	return p.in(p.survey(&r, p.used), p.used).plan(p.thrift, p.spill)
}

// Tiled tells whether any step is cut.
func (p *Plan) Tiled() bool { return p.tiled }

// Receives tells whether there is room for the spikes that another PE group
// hands over; else they are read from DRAM.
func (p *Plan) Receives() bool { return p.receives() }

// Hands tells whether all spikes that the next PE group gets are on chip when
// the step that makes them ends.
func (p *Plan) Hands() bool { return !p.cutsHanded }

// Spilled lists the tensors that go to DRAM only because the buffer is small.
func (p *Plan) Spilled() []schedule.Extent { return p.spill }

// Traffic returns the words that an iteration moves across the DRAM port.
func (p *Plan) Traffic() units.Words { return p.moved }
