package schedule

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// Policy says what stays on chip from step to step and which results are not
// stored. The zero Policy is the paper's, which Eqs. 11-14 describe: a layer's
// parameters and states come on chip with each step and leave after it.
type Policy struct {
	// Pinned stay on chip from when they are first needed, or made, to their end.
	// They are read from DRAM once at most, and only what the iteration leaves
	// behind, or a backward pass reads again, is stored.
	Pinned []Pin
	// SkipUnread leaves out every store that nothing reads.
	SkipUnread bool
}

// Pin names a tensor at all its steps. Of what has a value for each time step,
// such as U, the newest is on chip.
type Pin struct {
	Class role.Role
	Index int
}

// String prints the tensor in the paper's symbols, such as dW^2 or U^2.
func (p Pin) String() string {
	if p.Class == role.Input {
		return role.Input.Row().Symbol
	}
	return fmt.Sprintf("%s^%d", p.Class.Row().Symbol, p.Index)
}

// Saving is what pinning a tensor takes and brings.
type Saving struct {
	Pin
	Words units.Words // on chip
	Saved units.Words // across the DRAM port, an iteration
}

// errPolicyOfEquations says that Eqs. 11-17 know one policy.
var errPolicyOfEquations = errors.New("nothing is resident and every result is stored in Eqs. 11-14; choose all traffic")

// With returns the same program under another policy.
func (p *Program) With(policy Policy) (*Program, error) {
	q := *p
	q.policy, q.pins = policy, [role.Count][]bool{}
	if p.Traffic == Equations && !q.isLayerPolicy() {
		return nil, errPolicyOfEquations
	}
	for _, pin := range policy.Pinned {
		if !p.pinnable(pin.Class) {
			return nil, fmt.Errorf("%v cannot stay on chip: no later step takes it up", pin)
		}
		list := q.pins[pin.Class]
		for len(list) <= pin.Index {
			list = append(list, false)
		}
		list[pin.Index] = true
		q.pins[pin.Class] = list
	}
	return &q, nil
}

// Policy returns what stays on chip.
func (p *Program) Policy() Policy { return p.policy }

// Pins tells whether the policy keeps a tensor, at all its steps, on chip.
func (p *Program) Pins(t role.Tensor) bool {
	list := p.pins[t.Class]
	return t.Index < len(list) && list[t.Index]
}

// isLayerPolicy tells whether the program is the paper's.
func (p *Program) isLayerPolicy() bool { return !p.policy.SkipUnread && len(p.policy.Pinned) == 0 }

// Resides tells whether a tensor that a step reads, uses or makes is the one that
// stays on chip, its newest value: not the U^t of an earlier time step that the
// backward pass reads again, nor another layer's error of the step after, which a
// delayed projection has it read once more.
func (p *Program) Resides(s *Step, t role.Tensor) bool {
	row := t.Class.Row()
	switch {
	case s.Kind.Forward() || row.Lifetime != role.PerStep:
	case row.Slots == role.History && !s.End, t.Step > s.Time && t.Index != s.Layer && row.Owner == role.OfLayer:
		return false
	}
	return p.Pins(t)
}

// PinnedWords returns the room that pinned tensors take.
func (p *Program) PinnedWords() (sum units.Words) {
	for _, pin := range p.policy.Pinned {
		sum += p.words(pin.Class, pin.Index)
	}
	return sum
}

// pinnable tells of which classes a value that one step leaves is what a later
// one takes up.
func (p *Program) pinnable(c role.Role) bool {
	if c.Row().Lifetime == role.PerFrame {
		return p.workload.Net.Encoding == network.Direct // the same frame at every step
	}
	return c.Row().Carried
}

// Pinnable lists the tensors that may stay on chip and what that saves: first
// those that save the most for their size, of those the smallest. The order
// depends on nothing but the program.
func (p *Program) Pinnable() ([]Saving, error) {
	bare, err := p.With(Policy{SkipUnread: p.policy.SkipUnread})
	if err != nil {
		return nil, err
	}
	all := Policy{SkipUnread: p.policy.SkipUnread}
	for _, e := range bare.Extents() {
		if p.pinnable(e.Class) {
			all.Pinned = append(all.Pinned, Pin{e.Class, e.Index})
		}
	}
	pinned, err := p.With(all)
	if err != nil {
		return nil, err
	}
	saved := map[Pin]units.Words{}
	count := func(q *Program, sign units.Words) {
		var s Step
		for c := q.Start(); c.Next(&s); {
			for _, list := range [][]Transfer{s.SavedReads, s.SavedWrites} {
				for _, t := range list {
					saved[Pin{t.Tensor.Class, t.Tensor.Index}] += sign * t.Words
				}
			}
		}
	}
	count(pinned, 1)
	count(bare, -1)
	var list []Saving
	for _, pin := range all.Pinned {
		if saved[pin] > 0 {
			list = append(list, Saving{pin, p.words(pin.Class, pin.Index), saved[pin]})
		}
	}
	slices.SortStableFunc(list, func(a, b Saving) int {
		return cmp.Or(b.compare(a), cmp.Compare(a.Words, b.Words))
	})
	return list, nil
}

// compare compares what two tensors save for each word of room, exactly.
func (s Saving) compare(o Saving) int {
	high, low := bits.Mul64(uint64(s.Saved), uint64(o.Words))
	otherHigh, otherLow := bits.Mul64(uint64(o.Saved), uint64(s.Words))
	return cmp.Or(cmp.Compare(high, otherHigh), cmp.Compare(low, otherLow))
}

// reside makes a step of the paper's program one of the policy's: what is on
// chip is not read, what nothing reads is not stored, and what is pinned stays.
func (c *Cursor) reside(s *Step) {
	p := c.program
	if p.isLayerPolicy() {
		return
	}
	reads := s.Reads[:0]
	for _, r := range s.Reads {
		switch {
		case slices.Contains(c.held, r.Tensor):
			s.SavedReads = append(s.SavedReads, r)
			s.Uses = appendNew(s.Uses, r.Tensor)
			continue
		case p.Pins(r.Tensor) && c.holds(r.Tensor) < 0: // the first time; what is held is newer
			c.held = append(c.held, r.Tensor)
		}
		reads = append(reads, r)
	}
	s.Reads = reads
	for _, made := range s.Products {
		if !p.Pins(made.Tensor) {
			continue
		}
		if i := c.holds(made.Tensor); i >= 0 {
			c.held[i] = made.Tensor
		} else {
			c.held = append(c.held, made.Tensor)
		}
	}
	writes := s.Writes[:0]
	for _, w := range s.Writes {
		if (p.policy.SkipUnread || p.Pins(w.Tensor)) && !p.isRead(s, w.Tensor) {
			s.SavedWrites = append(s.SavedWrites, w)
			continue
		}
		writes = append(writes, w)
	}
	s.Writes = writes
	c.held = slices.DeleteFunc(c.held, func(t role.Tensor) bool { return p.ends(s, t) })
	for _, t := range c.held {
		s.Keeps = appendNew(s.Keeps, t)
	}
}

func appendNew(list []role.Tensor, t role.Tensor) []role.Tensor {
	if slices.Contains(list, t) {
		return list
	}
	return append(list, t)
}

// holds returns the place in held of a tensor at any of its steps, -1 if it is
// not on chip.
func (c *Cursor) holds(t role.Tensor) int {
	for i, h := range c.held {
		if h.Class == t.Class && h.Index == t.Index {
			return i
		}
	}
	return -1
}

// Held lists the pinned tensors that are on chip before the next step.
func (c *Cursor) Held() []role.Tensor { return c.held }

// Skip goes, after the last step of an interval, to the first of a later one.
// What is on chip gets the names that it has then.
func (c *Cursor) Skip(interval int) {
	by := interval - (c.interval + 1)
	for i, t := range c.held {
		if t.Class.Row().Lifetime == role.PerInterval && c.program.rule.OnceAnIteration {
			continue // the same until the last has ended
		}
		c.held[i] = t.Later(by, c.program.K)
	}
	c.interval, c.row, c.position = interval, 0, 0
}

// ends tells whether the step is the last to need a pinned tensor before it is
// made anew: the optimizer for gradients, the interval's first step for errors.
func (p *Program) ends(s *Step, t role.Tensor) bool {
	return p.life.ends[visit{p.placeOf(s), Pin{t.Class, t.Index}}]
}

// isRead tells whether a step, or the host after the iteration, reads from DRAM
// what a step stores. Of what is pinned the newest value is on chip.
func (p *Program) isRead(s *Step, t role.Tensor) bool {
	if s.Time == p.workload.Timesteps && t.Class.Row().Outcome {
		return true
	}
	by := p.life.stored[visit{p.placeOf(s), Pin{t.Class, t.Index}}]
	if p.Pins(t) {
		return by.older
	}
	return by.ever
}

// moved returns the tensors that cross the DRAM port in the first interval.
// What is made anew in each interval moves in all of them or in none.
func (p *Program) moved() map[Pin]bool {
	moved := map[Pin]bool{}
	var s Step
	for c := p.Start(); c.Next(&s) && s.Interval == 1; {
		for _, list := range [][]Transfer{s.Reads, s.Writes} {
			for _, t := range list {
				moved[Pin{t.Tensor.Class, t.Tensor.Index}] = true
			}
		}
	}
	return moved
}
