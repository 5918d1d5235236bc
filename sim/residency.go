package sim

import (
	"errors"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// Residency says what may stay on chip longer than the paper's schedule keeps
// it, and what need not be stored. The zero Residency is the paper's.
type Residency struct {
	// Resident pins the tensors that save the most traffic for the room that they
	// take, as far as the hardware's layer buffer has it to spare.
	Resident bool
	// SkipUnread leaves out every store that nothing reads.
	SkipUnread bool
}

// pinGrowth is by how much a list of pinned tensors grows until it is tried
// again: by one in so many of its words. Each try plans the whole program.
const pinGrowth = 8

// tileShare is the part of a buffer that nothing is pinned in, if steps have to
// be cut: one in so many words. Tiles in less would be many and narrow, and PEs
// idle in them.
const tileShare = 8

// Plan plans a program under a residency policy.
//
// Of [schedule.Program.Pinnable]'s order it takes the first so many that make
// the least traffic on the hardware, refetches and all; where there is a buffer
// for each kind of tensor, of the order of some kinds. Which lists are tried does
// not depend on the sizes of buffers, and more room makes none of them worse: so
// more room never makes more traffic.
func (r Residency) Plan(p *schedule.Program, hw *hardware.Hardware, order schedule.Order, memo *tiling.Memo) (*Plan, error) {
	if r == (Residency{}) {
		return NewPlan(p, hw, order, memo)
	}
	bare, err := p.With(schedule.Policy{SkipUnread: r.SkipUnread})
	if err != nil {
		return nil, err
	}
	plan, err := NewPlan(bare, hw, order, memo)
	if err != nil || !r.Resident {
		return plan, err
	}
	policy := bare.Policy()
	for i := range plan.parts { // each PE group has buffers of its own
		c := choice{part: plan.parts[i], plan: plan}
		if err := c.choose(); err != nil {
			return nil, err
		}
		if len(plan.parts) == 1 {
			return plan.of(c.part)
		}
		policy.Pinned = append(policy.Pinned, c.own.Policy().Pinned...)
	}
	best, err := p.With(policy)
	if err != nil {
		return nil, err
	}
	// Groups hand spikes on, through DRAM if need be: so all together are weighed.
	together, err := NewPlan(best, hw, order, plan.memo)
	if err != nil || together.traffic() > plan.traffic() {
		return plan, nil
	}
	return together, nil
}

// of returns the plan of one PE group's part that is the whole program.
func (pl *Plan) of(x part) (*Plan, error) {
	made := *pl
	made.program, made.parts = x.own, []part{x}
	return made.lay([]int{1})
}

// buffers is a set of kinds of buffer, a bit each.
type buffers uint

// all kinds of buffer.
const all buffers = 1<<role.Buffers - 1

// choice is what is best to pin of a PE group's tensors: its part, as far as it
// has been chosen, and the words that this moves in an iteration.
type choice struct {
	part
	plan  *Plan // that nothing is pinned in
	least units.Words
}

// choose tries all lists.
func (c *choice) choose() error {
	kinds := []buffers{all}
	if c.plan.hardware.Separate {
		kinds = kinds[:0]
		for some := buffers(1); some <= all; some++ {
			kinds = append(kinds, some)
		}
	}
	candidates, err := c.own.Pinnable()
	if err != nil {
		return err
	}
	bare := c.part
	if len(c.plan.parts) > 1 { // without what goes from group to group
		if err := bare.retile(c.plan); err != nil {
			return err
		}
	}
	c.least = bare.traffic()
	for _, some := range kinds {
		if err := c.try(bare, candidates, some); err != nil {
			return err
		}
	}
	return nil
}

// try pins the first candidates of some kinds: more and more of them, until they
// do not fit.
func (c *choice) try(bare part, candidates []schedule.Saving, some buffers) error {
	policy := schedule.Policy{SkipUnread: bare.own.Policy().SkipUnread}
	var words, tried units.Words
	var seen buffers
	for i, candidate := range candidates {
		if kind := buffers(1) << candidate.Class.Buffer(); some&kind != 0 {
			policy.Pinned = append(policy.Pinned, candidate.Pin)
			words += candidate.Words
			seen |= kind
		}
		last := i == len(candidates)-1
		if words == tried || words < tried+tried/pinGrowth && !last {
			continue
		}
		tried = words
		if c.plan.hardware.Separate && seen != some {
			continue // tried with fewer kinds
		}
		x := bare
		var err error
		if x.own, err = bare.own.With(policy); err != nil {
			return err
		}
		err = x.retile(c.plan)
		if errors.As(err, new(*tiling.TooSmall)) || errors.Is(err, errNoTiles) {
			return nil // and so is the buffer for all longer lists
		}
		if err != nil {
			return err
		}
		if moved := x.traffic(); moved < c.least {
			c.part, c.least = x, moved
		}
	}
	return nil
}

// errNoTiles says that what is pinned leaves next to no room.
var errNoTiles = errors.New("what is pinned leaves no room for tiles")

// leavesTiles tells whether tiles have their share of each buffer beside what is
// pinned.
func (x *part) leavesTiles() bool {
	var words [role.Buffers]units.Words
	for _, pin := range x.own.Policy().Pinned {
		b := pin.Class.Buffer()
		if x.room.Shared {
			b = 0
		}
		words[b] += x.own.Words(pin.Class, pin.Index)
	}
	for b, n := range words {
		if n > 0 && n > x.room.Words[b]-x.room.Words[b]/tileShare {
			return false
		}
	}
	return true
}

// retile fits the part's program into its room again, by itself.
func (x *part) retile(pl *Plan) error {
	x.tiles = nil
	if x.paper > 0 && x.own.WorkingSet() <= x.paper {
		return nil
	}
	if !x.leavesTiles() {
		return errNoTiles
	}
	return x.fit(pl)
}

// traffic returns the words that an iteration is to move.
func (pl *Plan) traffic() (words units.Words) {
	for i := range pl.parts {
		words += pl.parts[i].traffic()
	}
	return words
}

func (x *part) traffic() (words units.Words) {
	if x.tiles != nil {
		return x.tiles.Traffic()
	}
	var s schedule.Step
	for c := x.own.Start(); c.Next(&s); {
		words += s.WordsRead() + s.WordsWritten()
	}
	return words
}
