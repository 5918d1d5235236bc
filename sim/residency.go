package sim

import (
	"errors"

	"github.com/accelsim-dev/accelsim/hardware"
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

// Reside returns a program under a residency policy.
//
// Of [schedule.Program.Pinnable]'s order it takes the first so many that make
// the least traffic on the hardware, refetches and all; where there is a buffer
// for each kind of tensor, of the order of some kinds. Which lists are tried does
// not depend on the sizes of buffers, and more room makes none of them worse: so
// more room never makes more traffic.
func (r Residency) Reside(p *schedule.Program, hw *hardware.Hardware, order schedule.Order) (*schedule.Program, error) {
	if r == (Residency{}) {
		return p, nil
	}
	bare, err := p.With(schedule.Policy{SkipUnread: r.SkipUnread})
	if err != nil || !r.Resident {
		return bare, err
	}
	memo := tiling.Memo{}
	plan, err := planFor(bare, hw, order, memo)
	if err != nil {
		return nil, err
	}
	kinds := []buffers{all}
	if hw.Separate {
		kinds = kinds[:0]
		for some := buffers(1); some <= all; some++ {
			kinds = append(kinds, some)
		}
	}
	policy := bare.Policy()
	for _, x := range plan.parts { // each PE group has buffers of its own
		candidates, err := x.own.Pinnable()
		if err != nil {
			return nil, err
		}
		c := choice{assignment: x, hardware: hw, memo: memo}
		if c.least, err = c.traffic(x.own); err != nil {
			return nil, err
		}
		for _, some := range kinds {
			if err := c.try(candidates, some); err != nil {
				return nil, err
			}
		}
		policy.Pinned = append(policy.Pinned, c.best...)
	}
	best, err := p.With(policy)
	if err != nil || len(plan.parts) == 1 {
		return best, err
	}
	// Groups hand spikes on, through DRAM if need be: so all together are weighed.
	together, err := planFor(best, hw, order, memo)
	if err != nil || together.traffic() > plan.traffic() {
		best = bare
	}
	return best, nil
}

// buffers is a set of kinds of buffer, a bit each.
type buffers uint

// all kinds of buffer.
const all buffers = 1<<schedule.NumBuffers - 1

// choice is what is best to pin of a PE group's tensors.
type choice struct {
	assignment
	hardware *hardware.Hardware
	memo     tiling.Memo
	best     []schedule.Pin
	least    units.Words // that the group moves in an iteration
}

// try pins the first candidates of some kinds: more and more of them, until they
// do not fit.
func (c *choice) try(candidates []schedule.Saving, some buffers) error {
	policy := schedule.Policy{SkipUnread: c.own.Policy().SkipUnread}
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
		if c.hardware.Separate && seen != some {
			continue // tried with fewer kinds
		}
		program, err := c.own.With(policy)
		if err != nil {
			return err
		}
		moved, err := c.traffic(program)
		if errors.As(err, new(*tiling.TooSmall)) || errors.Is(err, errNoTiles) {
			return nil // and so is the buffer for all longer lists
		}
		if err != nil {
			return err
		}
		if moved < c.least {
			c.best, c.least = policy.Pinned, moved
		}
	}
	return nil
}

// errNoTiles says that what is pinned leaves next to no room.
var errNoTiles = errors.New("what is pinned leaves no room for tiles")

// leavesTiles tells whether tiles have their share of each buffer beside what is
// pinned.
func (c *choice) leavesTiles(pinned []schedule.Pin) bool {
	var words [schedule.NumBuffers]units.Words
	for _, pin := range pinned {
		b := pin.Class.Buffer()
		if c.room.Shared {
			b = 0
		}
		words[b] += c.own.Words(pin.Class, pin.Index)
	}
	for b, n := range words {
		if n > 0 && n > c.room.Words[b]-c.room.Words[b]/tileShare {
			return false
		}
	}
	return true
}

// traffic returns the words that a group's program is to move in an iteration.
func (c *choice) traffic(own *schedule.Program) (units.Words, error) {
	x := assignment{own: own}
	if c.paper == 0 || own.WorkingSet() > c.paper {
		if !c.leavesTiles(own.Policy().Pinned) {
			return 0, errNoTiles
		}
		var err error
		if x.tiles, err = c.memo.New(own, c.room, c.places, c.hardware.PE); err != nil {
			return 0, err
		}
	}
	return x.traffic(), nil
}

// traffic returns the words that an iteration is to move.
func (p *plan) traffic() (words units.Words) {
	for i := range p.parts {
		words += p.parts[i].traffic()
	}
	return words
}

func (x *assignment) traffic() (words units.Words) {
	if x.tiles != nil {
		return x.tiles.Traffic()
	}
	var s schedule.Step
	for c := x.own.Start(); c.Next(&s); {
		words += s.WordsRead() + s.WordsWritten()
	}
	return words
}
