package sim

import (
	"fmt"

	"accelsim/pe"
	"accelsim/schedule"
)

// normSums are batch norm's sums by channel; m is the values of a channel in
// the batch.
func (d *datapath) normSums(s *schedule.Step, n int, box schedule.Region) (words []uint32, m int, err error) {
	v, err := d.product(s, schedule.Tensor{Class: schedule.NormSums, Index: n, Step: s.Time}, channelsOf(box, 3))
	return v.Bits, box.Total() / int(box.Of[3]), err
}

// normMean is the first pass over a tile's synaptic sums: they wait where the
// normalised ones will be.
func (d *datapath) normMean(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	waiting, err := d.product(s, schedule.Tensor{Class: schedule.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err != nil {
		return err
	}
	if err := need("synaptic sums", d.sums, box.Size()); err != nil {
		return err
	}
	pe.NormMean(words, d.sums, m, box.Starts(), box.Ends())
	copy(waiting.Floats, d.sums)
	return nil
}

func (d *datapath) normVariance(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	sums, err := d.operand(s, schedule.Tensor{Class: schedule.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err == nil {
		pe.NormVariance(words, sums.Floats, m, box.Starts(), box.Ends())
	}
	return err
}

// normalize is the third pass; its tile that has a channel's first value also
// takes the channel's running statistics on, and saves its 1/std.
func (d *datapath) normalize(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	saved, err := d.product(s, schedule.Tensor{Class: schedule.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err != nil {
		return err
	}
	d.sums = append(d.sums[:0], saved.Floats...)
	return d.normalizeSums(s, k.Index, box, words, m, saved)
}

func (d *datapath) normalizeSums(s *schedule.Step, n int, box schedule.Region, words []uint32, m int, saved pe.Values) error {
	parameter, err := d.operand(s, schedule.Tensor{Class: schedule.NormParameter, Index: n, Step: s.Interval - 1}, channelsOf(box, 2))
	if err != nil {
		return err
	}
	if box.Starts() {
		running, err := d.product(s, schedule.Tensor{Class: schedule.NormStatistic, Index: n, Step: s.Time}, channelsOf(box, 2))
		if err != nil {
			return err
		}
		pe.NormStatistics(words, running.Floats, m)
		pe.NormDeviations(saved.Bits, words)
	}
	pe.Normalize(words, d.sums, parameter.Floats, saved.Floats)
	return nil
}

// normForward is all three passes over sums in the registers, of all that
// some channels have.
func (d *datapath) normForward(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	if !box.Starts() || !box.Ends() {
		return fmt.Errorf("batch norm of %v: a channel's statistics need all of the batch", box)
	}
	saved, err := d.product(s, schedule.Tensor{Class: schedule.NormSaved, Index: k.Index, Step: s.Time}, box)
	if err != nil {
		return err
	}
	if err := need("synaptic sums", d.sums, box.Size()); err != nil {
		return err
	}
	words, m := make([]uint32, pe.NormWords*box.Extent(3)), box.Total()/int(box.Of[3])
	pe.NormMean(words, d.sums, m, true, true)
	pe.NormVariance(words, d.sums, m, true, true)
	return d.normalizeSums(s, k.Index, box, words, m, saved)
}

// normErrorOperands are gamma and the normalised sums of a box.
func (d *datapath) normErrorOperands(s *schedule.Step, n int, box schedule.Region) (gamma, saved pe.Values, err error) {
	if gamma, err = d.operand(s, schedule.Tensor{Class: schedule.PotentialError, Index: n, Step: s.Time}, box); err != nil {
		return gamma, saved, err
	}
	saved, err = d.operand(s, schedule.Tensor{Class: schedule.NormSaved, Index: n, Step: s.Time}, box)
	return gamma, saved, err
}

// normGradients is batch norm's first pass over a tile of errors.
func (d *datapath) normGradients(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, _, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	gamma, saved, err := d.normErrorOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	return d.addNormGradients(s, k.Index, box, words, gamma, saved)
}

func (d *datapath) addNormGradients(s *schedule.Step, n int, box schedule.Region, words []uint32, gamma, saved pe.Values) error {
	if box.Starts() {
		pe.TakeNormDeviations(words, saved.Bits)
	}
	pe.NormGradients(words, gamma.Floats, saved.Floats, box.Starts())
	if !box.Ends() {
		return nil
	}
	gradient, err := d.product(s, schedule.Tensor{Class: schedule.NormGradient, Index: n, Step: s.Time}, channelsOf(box, 2))
	if err == nil {
		pe.AddNormGradients(words, gradient.Floats)
	}
	return err
}

// normErrors is the second pass.
func (d *datapath) normErrors(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	words, m, err := d.normSums(s, k.Index, box)
	if err != nil {
		return err
	}
	gamma, saved, err := d.normErrorOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	return d.makeSynapticErrors(s, k.Index, box, words, m, gamma, saved)
}

func (d *datapath) makeSynapticErrors(s *schedule.Step, n int, box schedule.Region, words []uint32, m int, gamma, saved pe.Values) error {
	parameter, err := d.operand(s, schedule.Tensor{Class: schedule.NormParameter, Index: n, Step: s.Interval - 1}, channelsOf(box, 2))
	if err != nil {
		return err
	}
	errors, err := d.product(s, schedule.Tensor{Class: schedule.SynapticErr, Index: n, Step: s.Time}, box)
	if err == nil {
		pe.NormErrors(words, errors.Floats, gamma.Floats, parameter.Floats, saved.Floats, m)
	}
	return err
}

// normBackward is both passes over all errors that some channels have.
func (d *datapath) normBackward(s *schedule.Step, k schedule.Kernel) error {
	box := d.neurons(s, k)
	if !box.Starts() || !box.Ends() {
		return fmt.Errorf("batch norm of %v: a channel's gradients need all of the batch", box)
	}
	gamma, saved, err := d.normErrorOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	words := make([]uint32, pe.NormWords*box.Extent(3))
	if err := d.addNormGradients(s, k.Index, box, words, gamma, saved); err != nil {
		return err
	}
	return d.makeSynapticErrors(s, k.Index, box, words, box.Total()/int(box.Of[3]), gamma, saved)
}
