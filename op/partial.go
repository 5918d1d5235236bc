package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// partialSums are sums that a tile takes over from the one before and leaves to
// the next, because none goes through all terms; empty if there are none.
type partialSums struct{ before, after pe.Values }

// partial returns the partial sums over a box, of so many terms in all.
func (d *Chip) partial(s *schedule.Step, k schedule.Kernel, box role.Region, terms int) (p partialSums, err error) {
	sums := role.Tensor{Class: role.PartialSum, Index: max(s.Layer, s.Block), Step: s.Time}
	if k.Part.First > 0 {
		if p.before, err = d.operand(s, sums, box); err != nil {
			return p, err
		}
	}
	if k.Part.Last > 0 && k.Part.Last < int64(terms) {
		p.after, err = d.product(s, sums, box)
	}
	return p, err
}

// resume fills the registers with what the tile before left, or zeros.
func (p *partialSums) resume(sums []float32) {
	if p.before.Floats == nil {
		clear(sums)
	}
	copy(sums, p.before.Floats)
}

// resumeFixed takes over what the tile before left.
func (p *partialSums) resumeFixed(sums []int64) {
	for i := range len(p.before.Bits) / 2 {
		sums[i] = int64(uint64(p.before.Bits[2*i]) | uint64(p.before.Bits[2*i+1])<<32)
	}
}

// leaveFixed leaves sums to the next tile, if they have not gone through all terms.
func (p *partialSums) leaveFixed(sums []int64) bool {
	if p.after.Bits == nil {
		return false
	}
	for i, sum := range sums {
		p.after.Bits[2*i], p.after.Bits[2*i+1] = uint32(sum), uint32(sum>>32)
	}
	return true
}
