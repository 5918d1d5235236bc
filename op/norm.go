package op

import (
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

var (
	normOperands         = Operands{perKind{states: 1}, perKind{states: 2}}                  // I; what the backward pass needs, and I
	normBackwardOperands = Operands{perKind{gradients: 1, states: 1}, perKind{gradients: 1}} // gamma and what the forward pass saved
)

// normSums are batch norm's sums by channel; m is the values of a channel in
// the batch.
func (d *Chip) normSums(s *schedule.Step, n int, box role.Region) (words []uint32, m int, err error) {
	v, err := d.product(s, role.Tensor{Class: role.NormSums, Index: n, Step: s.Time}, channelsOf(box, 3))
	return v.Bits, box.Total() / int(box.Of[3]), err
}

func (d *Chip) normalizeSums(s *schedule.Step, n int, box role.Region, words []uint32, m int, saved pe.Values) error {
	parameter, err := d.operand(s, role.Tensor{Class: role.NormParameter, Index: n, Step: d.program.Version(s.Interval)}, channelsOf(box, 2))
	if err != nil {
		return err
	}
	if box.Starts() {
		running, err := d.product(s, role.Tensor{Class: role.NormStatistic, Index: n, Step: s.Time}, channelsOf(box, 2))
		if err != nil {
			return err
		}
		pe.NormStatistics(words, running.Floats, m)
		pe.NormDeviations(saved.Bits, words)
	}
	pe.Normalize(words, d.sums, parameter.Floats, saved.Floats)
	return nil
}

// normErrorOperands are gamma and the normalised sums of a box.
func (d *Chip) normErrorOperands(s *schedule.Step, n int, box role.Region) (gamma, saved pe.Values, err error) {
	of := role.PotentialError
	if !d.workload.NeuronOf(d.workload.Net.Layer(n)).PassesOn() {
		of = role.SynapticError // batch norm takes its place
	}
	if gamma, err = d.operand(s, of.At(n, s.Time), box); err != nil {
		return gamma, saved, err
	}
	saved, err = d.operand(s, role.Tensor{Class: role.NormSaved, Index: n, Step: s.Time}, box)
	return gamma, saved, err
}

func (d *Chip) addNormGradients(s *schedule.Step, n int, box role.Region, words []uint32, gamma, saved pe.Values) error {
	if box.Starts() {
		pe.TakeNormDeviations(words, saved.Bits)
	}
	pe.NormGradients(words, gamma.Floats, saved.Floats, box.Starts())
	if !box.Ends() {
		return nil
	}
	gradient, err := d.product(s, role.Tensor{Class: role.NormGradient, Index: n, Step: s.Time}, channelsOf(box, 2))
	if err == nil {
		pe.AddNormGradients(words, gradient.Floats)
	}
	return err
}

func (d *Chip) makeSynapticErrors(s *schedule.Step, n int, box role.Region, words []uint32, m int, gamma, saved pe.Values) error {
	parameter, err := d.operand(s, role.Tensor{Class: role.NormParameter, Index: n, Step: d.program.Version(s.Interval)}, channelsOf(box, 2))
	if err != nil {
		return err
	}
	errors, err := d.product(s, role.Tensor{Class: role.SynapticError, Index: n, Step: s.Time}, box)
	if err == nil {
		pe.NormErrors(words, errors.Floats, gamma.Floats, parameter.Floats, saved.Floats, m)
	}
	return err
}
