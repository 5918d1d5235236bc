package sim

import (
	"errors"

	"accelsim/hardware"
	"accelsim/schedule"
	"accelsim/tiling"
	"accelsim/units"
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

// Reside returns a program under a residency policy, at its first step.
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
	c := choice{program: bare, hardware: hw, order: order, best: bare, memo: tiling.Memo{}}
	plan, err := planFor(bare, hw, order, c.memo)
	if err != nil {
		return nil, err
	}
	c.least = plan.traffic()
	kinds := []buffers{all}
	if hw.Separate {
		kinds = kinds[:0]
		for some := buffers(1); some <= all; some++ {
			kinds = append(kinds, some)
		}
	}
	for _, x := range plan.parts { // each PE group has buffers of its own
		candidates, err := x.own.Pinnable()
		if err != nil {
			return nil, err
		}
		chosen := c.best.Policy().Pinned
		for _, some := range kinds {
			if err := c.try(chosen, candidates, some); err != nil {
				return nil, err
			}
		}
	}
	c.best.Rewind()
	return c.best, nil
}

// buffers is a set of kinds of buffer, a bit each.
type buffers uint

// all kinds of buffer.
const all buffers = 1<<schedule.NumBuffers - 1

// choice is the best program so far.
type choice struct {
	program  *schedule.Program // with nothing pinned
	hardware *hardware.Hardware
	order    schedule.Order
	best     *schedule.Program
	least    units.Words // that an iteration moves
	memo     tiling.Memo
}

// try pins, beside what is chosen, the first candidates of some kinds: more and
// more of them, until they do not fit.
func (c *choice) try(chosen []schedule.Pin, candidates []schedule.Saving, some buffers) error {
	policy := schedule.Policy{SkipUnread: c.program.Policy().SkipUnread}
	policy.Pinned = append(policy.Pinned, chosen...)
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
		program, err := c.program.With(policy)
		if err != nil {
			return err
		}
		plan, err := planFor(program, c.hardware, c.order, c.memo)
		if errors.As(err, new(*tiling.TooSmall)) {
			return nil // and so is the buffer for all longer lists
		}
		if err != nil {
			return err
		}
		if moved := plan.traffic(); moved < c.least {
			c.best, c.least = program, moved
		}
	}
	return nil
}

// traffic returns the words that an iteration is to move.
func (p *plan) traffic() (words units.Words) {
	for _, x := range p.parts {
		if x.tiles != nil {
			words += x.tiles.Traffic()
			continue
		}
		var s schedule.Step
		for x.own.Rewind(); x.own.Next(&s); {
			words += s.WordsRead() + s.WordsWritten()
		}
		x.own.Rewind()
	}
	return words
}
