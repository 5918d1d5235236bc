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
// again: by a quarter of its words. Each try plans the whole program.
const pinGrowth = 4

// Reside returns a program under a residency policy, at its first step.
//
// Of [schedule.Program.Pinnable]'s order it takes the first so many that make
// the least traffic on the hardware's layer buffer, refetches and all. Which
// lists are tried does not depend on the buffer, and more room makes none of
// them worse; so more room never makes more traffic.
func (r Residency) Reside(p *schedule.Program, hw *hardware.Hardware) (*schedule.Program, error) {
	if r == (Residency{}) {
		return p, nil
	}
	bare, err := p.With(schedule.Policy{SkipUnread: r.SkipUnread})
	if err != nil || !r.Resident {
		return bare, err
	}
	best := bare
	least, err := planned(bare, hw)
	if err != nil {
		return nil, err
	}
	candidates, err := bare.Pinnable()
	if err != nil {
		return nil, err
	}
	var policy schedule.Policy
	policy.SkipUnread = r.SkipUnread
	var words, tried units.Words
	for i, c := range candidates {
		policy.Pinned = append(policy.Pinned, c.Pin)
		words += c.Words
		if words < tried+tried/pinGrowth && i < len(candidates)-1 {
			continue
		}
		tried = words
		q, err := p.With(policy)
		if err != nil {
			return nil, err
		}
		moved, err := planned(q, hw)
		if errors.As(err, new(*tiling.TooSmall)) {
			break // and so are all longer lists
		}
		if err != nil {
			return nil, err
		}
		if moved < least {
			best, least = q, moved
		}
	}
	best.Rewind()
	return best, nil
}

// planned returns the words that a program is to move on the hardware.
func planned(p *schedule.Program, hw *hardware.Hardware) (words units.Words, err error) {
	plan, err := planFor(p, hw)
	if err != nil {
		return 0, err
	}
	if plan.tiles != nil {
		return plan.tiles.Traffic(), nil
	}
	var s schedule.Step
	for p.Rewind(); p.Next(&s); {
		words += s.WordsRead() + s.WordsWritten()
	}
	p.Rewind()
	return words, nil
}
