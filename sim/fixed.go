package sim

import (
	"fmt"
	"math"

	"accelsim/network"
	"accelsim/pe"
	"accelsim/pe/fixed"
	"accelsim/schedule"
)

// fixedUnits executes kernels in fixed point, with the arithmetic of the RTL in
// hdl/. A value is held in a float32 word that is exactly a fixed-point number:
// formats have at most 24 bits. Exact sums stay in registers.
type fixedUnits struct {
	*fixed.Datapath
	step          int64   // whose registers these are
	sums, spatial []int64 // exact: of spikes and weights, of errors and weights
	complete      bool    // spatial is the error of the step's own neurons
}

// CheckFixed refuses what the fixed-point datapath has no units for.
func CheckFixed(w *network.Workload) error {
	switch {
	case w.Training.Optimizer != network.SGD:
		return fmt.Errorf("the fixed-point datapath updates weights by SGD; %s is trained by %s", w.Name, w.Training.Optimizer)
	case w.Training.Loss != network.MSE:
		return fmt.Errorf("the fixed-point datapath has the MSE loss; %s has %s", w.Name, w.Training.Loss)
	}
	for i := range w.Net.Layers {
		if l := &w.Net.Layers[i]; l.BatchNorm || l.Join != nil {
			return fmt.Errorf("the fixed-point datapath has no batch norm and no residual blocks; layer %d of %s has", l.Index, w.Name)
		}
	}
	return nil
}

func integer(f fixed.Format, v float32) int64 { return int64(math.Ldexp(float64(v), f.Fraction)) }

func integers(f fixed.Format, values []float32) []int64 {
	list := make([]int64, len(values))
	for i, v := range values {
		list[i] = integer(f, v)
	}
	return list
}

// word returns the float32 that holds a fixed-point number.
func word(f fixed.Format, x int64) float32 { return float32(f.Value(x)) }

// quantize rounds what is in DRAM before the iteration to a format.
func quantize(f fixed.Format, values []float32) {
	for i, v := range values {
		values[i] = word(f, f.Encode(float64(v)))
	}
}

// executeFixed runs a kernel in fixed point.
func (d *datapath) executeFixed(s *schedule.Step, k schedule.Kernel) (happened, error) {
	f := d.fixed
	if f.step != d.now {
		f.step, f.sums, f.spatial, f.complete = d.now, f.sums[:0], f.spatial[:0], false
	}
	switch k.Op {
	case schedule.SynapticSum:
		return d.fixedSum(s, k)
	case schedule.Fire:
		return happened{}, d.fire(s, k)
	case schedule.Pool:
		return happened{}, d.pool(s, k)
	case schedule.Count:
		return happened{}, d.count(s, k)
	case schedule.Loss:
		return happened{}, d.fixedLoss(s, k)
	case schedule.Regenerate:
		return happened{}, d.regenerate(s, k.Index)
	case schedule.BackProject:
		return happened{}, d.fixedBackProject(s, k)
	case schedule.PoolBackward:
		return happened{}, d.fixedPoolBackward(s, k)
	case schedule.TemporalError, schedule.SpatialError:
		return happened{}, d.fixedError(s, k)
	case schedule.Gradient:
		return d.fixedGradient(s, k)
	case schedule.Optimize:
		return happened{}, d.fixedOptimize(s, k)
	}
	return happened{}, fmt.Errorf("no fixed-point unit executes %q", k.Op)
}

// taps calls visit for every output position and tap of its kernel that is not
// padding, in ascending order: with the indices of both maps' first channels and
// of the tap's first weight.
func taps(c pe.Connection, visit func(in, out, weight int)) {
	for oy := range c.Out.Height {
		for ox := range c.Out.Width {
			for ky := range c.Height {
				for kx := range c.Width {
					y, x := oy*c.Stride+ky-c.Top, ox*c.Stride+kx-c.Left
					if y < 0 || x < 0 || y >= c.In.Height || x >= c.In.Width {
						continue
					}
					visit((y*c.In.Width+x)*c.In.Channels, (oy*c.Out.Width+ox)*c.Out.Channels, (ky*c.Width+kx)*c.In.Channels*c.Out.Channels)
				}
			}
		}
	}
}

// inputIntegers returns an input map as integers, and their fraction bits: 0 for
// spikes, the potentials' for a directly encoded input.
func (f *fixedUnits) inputIntegers(values []float32, real bool) ([]int64, int) {
	if real {
		return integers(f.Potential, values), f.Potential.Fraction
	}
	return integers(fixed.Format{}, values), 0
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

// fixedSum is the sum of Eq. 1. Products with a real input are rounded to the
// weights' last place, once for each sum.
func (d *datapath) fixedSum(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	o, err := d.sumOperands(s, k)
	if err != nil {
		return done, err
	}
	f := d.fixed
	w := integers(f.Weight, o.weights)
	x, fraction := f.inputIntegers(o.in, o.real)
	inputs, outputs, n := o.In.Size(), o.Out.Size(), o.Out.Channels
	f.sums = make([]int64, o.box.Size())
	o.resumeFixed(f.sums)
	for b := range o.box.Extent(0) {
		x, sums := x[b*inputs:(b+1)*inputs], f.sums[b*outputs:(b+1)*outputs]
		taps(o.Connection, func(in, out, weight int) {
			for channel := range o.In.Channels {
				v := x[in+channel]
				if v == 0 {
					continue
				}
				if o.real {
					done.sums += int64(n)
				} else {
					done.sums += v * int64(n)
				}
				for i, weight := range w[weight+channel*n:][:n] {
					sums[out+i] += v * weight
				}
			}
		})
	}
	if o.leaveFixed(f.sums) {
		return done, nil
	}
	for i, sum := range f.sums {
		f.sums[i] = fixed.Round(sum, fraction)
	}
	return done, nil
}

// fire fires neurons on the sums in the registers.
func (f *fixedUnits) fire(u, spikes []float32) (fired int64, err error) {
	if len(f.sums) != len(u) {
		return 0, fmt.Errorf("the PEs hold %d sums; %d are needed", len(f.sums), len(u))
	}
	for i, before := range u {
		after, spike := f.LIF(integer(f.Potential, before), f.sums[i])
		u[i], spikes[i] = word(f.Potential, after), 0
		if spike {
			spikes[i] = 1
			fired++
		}
	}
	return fired, nil
}

// windows calls visit for every neuron under a pooling window, with its index
// and the window's.
func windows(p pe.Pooling, visit func(neuron, window int)) {
	n := p.In.Channels
	for y := range p.Out.Height * p.Height {
		for x := range p.Out.Width * p.Width {
			for c := range n {
				visit((y*p.In.Width+x)*n+c, (y/p.Height*p.Out.Width+x/p.Width)*n+c)
			}
		}
	}
}

// pool makes the sums of pooling neurons: the mean of their window, rounded to
// the weights' last place.
func (f *fixedUnits) pool(p pe.Pooling, samples int, spikes []float32) {
	f.sums = make([]int64, samples*p.Out.Size())
	for b := range samples {
		windows(p, func(neuron, window int) {
			f.sums[b*p.Out.Size()+window] += int64(spikes[b*p.In.Size()+neuron])
		})
	}
	area := int64(p.Height) * int64(p.Width)
	for i, count := range f.sums {
		f.sums[i] = fixed.Divide(count<<f.Weight.Fraction, area)
	}
}

// fixedLoss records the loss, which nothing computes with, as float64, and makes
// delta_c in fixed point.
func (d *datapath) fixedLoss(s *schedule.Step, k schedule.Kernel) error {
	if err := d.loss(s, k); err != nil {
		return err
	}
	counts, labels, delta, err := d.lossOperands(s, k)
	if err != nil {
		return err
	}
	classes := d.workload.Net.Classes
	for i, count := range counts {
		x := d.fixed.OutputError(int64(count), labels[i/classes] == uint32(i%classes))
		delta[i] = word(d.fixed.Error, x)
	}
	return nil
}

func (d *datapath) fixedBackProject(s *schedule.Step, k schedule.Kernel) error {
	o, err := d.errorOperands(s, k)
	if err != nil {
		return err
	}
	f := d.fixed
	w, gamma := integers(f.Weight, o.weights), integers(f.Error, o.gamma)
	inputs, outputs, n := o.In.Size(), o.Out.Size(), o.Out.Channels
	if len(f.spatial) == 0 {
		f.spatial = make([]int64, o.box.Size())
		o.resumeFixed(f.spatial)
	}
	for b := range o.box.Extent(0) {
		sums, gamma := f.spatial[b*inputs:(b+1)*inputs], gamma[b*outputs:(b+1)*outputs]
		taps(o.Connection, func(in, out, weight int) {
			for channel := range o.In.Channels {
				for i, w := range w[weight+channel*n:][:n] {
					sums[in+channel] += gamma[out+i] * w
				}
			}
		})
	}
	if o.leaveFixed(f.spatial) {
		f.spatial = f.spatial[:0]
	}
	return nil
}

func (d *datapath) fixedPoolBackward(s *schedule.Step, k schedule.Kernel) error {
	f, box := d.fixed, d.neurons(s, k)
	u, gamma, err := d.poolOperands(s, k.Index, box)
	if err != nil {
		return err
	}
	if len(f.spatial) != len(u) {
		return fmt.Errorf("no error reaches the pooling neurons of layer %d", k.Index)
	}
	if !s.End {
		f.temporal(gamma)
	}
	f.spatialPass(gamma, u)
	p := d.pooling(d.workload.Net.Layer(k.Index), box)
	f.spatial = make([]int64, box.Size())
	area := int64(p.Height) * int64(p.Width)
	for b := range box.Extent(0) {
		windows(p, func(neuron, window int) {
			g := integer(f.Error, gamma[b*p.Out.Size()+window])
			f.spatial[b*p.In.Size()+neuron] = fixed.Divide(f.Lift(g), area)
		})
	}
	return nil
}

// temporal is the first pass of Eqs. 4 and 5.
func (f *fixedUnits) temporal(gamma []float32) {
	for i, later := range gamma {
		delta, decayed := f.Temporal(f.spatial[i], integer(f.Error, later))
		f.spatial[i], gamma[i] = f.Lift(delta), word(f.Error, decayed)
	}
}

// spatialPass is the second.
func (f *fixedUnits) spatialPass(gamma, u []float32) {
	for i, g := range gamma {
		_, sum := f.Spatial(f.spatial[i], integer(f.Error, g), f.Window(integer(f.Potential, u[i])))
		gamma[i] = word(f.Error, sum)
	}
}

// fixedError is one pass of Eqs. 4 and 5 over a layer or a classifier.
func (d *datapath) fixedError(s *schedule.Step, k schedule.Kernel) error {
	f := d.fixed
	gamma, err := d.gamma(s, k)
	if err != nil {
		return err
	}
	if k.Classifier && !f.complete {
		delta, err := d.operand(s, schedule.Tensor{Class: schedule.ClassifierDelta, Index: k.Index, Step: s.Interval * d.program.K}, d.neurons(s, k))
		if err != nil {
			return err
		}
		for _, v := range delta.Floats {
			f.spatial = append(f.spatial, f.Lift(integer(f.Error, v)))
		}
	}
	f.complete = true
	if len(f.spatial) != len(gamma) {
		return fmt.Errorf("no error reaches the neurons of layer %d", k.Index)
	}
	if k.Op == schedule.TemporalError {
		f.temporal(gamma)
		return nil
	}
	u, err := d.state(s, k)
	if err == nil {
		f.spatialPass(gamma, u)
	}
	return err
}

// fixedGradient adds the batch's part of one step to dW (Eq. 7).
func (d *datapath) fixedGradient(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	o, err := d.gradientOperands(s, k)
	if err != nil {
		return done, err
	}
	f := d.fixed
	x, fraction := f.inputIntegers(o.in, o.real)
	gamma := integers(f.Error, o.gamma)
	inputs, outputs, n := o.In.Size(), o.Out.Size(), o.Out.Channels
	register := make([]int64, len(o.dw))
	reached := make([]bool, len(o.dw)/n) // an input event reached the weights of a tap and channel
	for b := range o.samples {
		clear(register)
		clear(reached)
		x, gamma := x[b*inputs:(b+1)*inputs], gamma[b*outputs:(b+1)*outputs]
		taps(o.Connection, func(in, out, weight int) {
			for channel := range o.In.Channels {
				v := x[in+channel]
				if v == 0 {
					continue
				}
				at := weight + channel*n
				reached[at/n] = true
				done.gradient.Terms += int64(n)
				if o.real {
					done.gradient.Scaled += int64(n)
				}
				for i := range n {
					register[at+i] += gamma[out+i] * v
				}
			}
		})
		for tap, hit := range reached {
			if !hit {
				continue
			}
			done.gradient.Weights += int64(n)
			for at := tap * n; at < (tap+1)*n; at++ {
				sum := f.Accumulate(integer(f.Gradient, o.dw[at]), fixed.Round(register[at], fraction))
				o.dw[at] = word(f.Gradient, sum)
			}
		}
	}
	return done, nil
}

// fixedOptimize updates one parameter tensor, or a tile of it. Gradients are
// recorded without the scale that they are carried with.
func (d *datapath) fixedOptimize(s *schedule.Step, k schedule.Kernel) error {
	p, err := d.parameters(s, k)
	if err != nil {
		return err
	}
	f := d.fixed
	plain := make([]float32, len(p.gradient))
	for i, g := range p.gradient {
		plain[i] = float32(math.Ldexp(float64(g), -f.ErrorShift))
		before := int64(0)
		if p.moment != nil {
			before = integer(f.Gradient, p.moment[i])
		}
		weight, after := f.Update(integer(f.Weight, p.value[i]), before, integer(f.Gradient, g))
		p.value[i] = word(f.Weight, weight)
		if p.moment != nil {
			p.moment[i] = word(f.Gradient, after)
		}
	}
	d.record.gradient(k, s.Interval, p.box, plain)
	return nil
}
