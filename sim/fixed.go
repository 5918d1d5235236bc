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
		return happened{}, d.fixedFire(s, k)
	case schedule.Pool:
		return happened{}, d.fixedPool(s, k.Index)
	case schedule.Count:
		return happened{}, d.count(s, k.Index)
	case schedule.Loss:
		return happened{}, d.fixedLoss(s, k.Index)
	case schedule.Regenerate:
		return happened{}, d.regenerate(s, k.Index)
	case schedule.BackProject:
		return happened{}, d.fixedBackProject(s, k)
	case schedule.PoolBackward:
		return happened{}, d.fixedPoolBackward(s, k.Index)
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
					y, x := oy*c.Stride+ky-c.Pad, ox*c.Stride+kx-c.Pad
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

// fixedSum is the sum of Eq. 1. Products with a real input are rounded to the
// weights' last place, once for each sum.
func (d *datapath) fixedSum(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	f, c := d.fixed, d.connection(s, k.Classifier, k.Index)
	weights, err := d.operand(s, c.weights)
	if err != nil {
		return done, err
	}
	in, real, err := d.take(s, c.input)
	if err != nil {
		return done, err
	}
	w := integers(f.Weight, weights.Floats)
	x, fraction := f.inputIntegers(in, real)
	inputs, outputs, n := c.In.Size(), c.Out.Size(), c.Out.Channels
	f.sums = make([]int64, d.workload.Batch*outputs)
	nonzero := int64(0)
	for b := range d.workload.Batch {
		x, sums := x[b*inputs:(b+1)*inputs], f.sums[b*outputs:(b+1)*outputs]
		for _, v := range in[b*inputs : (b+1)*inputs] {
			if v != 0 {
				nonzero++
			}
		}
		taps(c.Connection, func(in, out, weight int) {
			for channel := range c.In.Channels {
				v := x[in+channel]
				if v == 0 {
					continue
				}
				if real {
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
	for i, sum := range f.sums {
		f.sums[i] = fixed.Round(sum, fraction)
	}
	if k.Classifier {
		d.record.nonzeroClassifier[k.Index-1] += nonzero
	} else {
		d.record.nonzero[k.Index-1] += nonzero
	}
	return done, nil
}

// fixedNeurons fires neurons on the sums in the registers.
func (d *datapath) fixedNeurons(u []float32, seen Observation) (fired int64) {
	f := d.fixed
	d.spikes = room(d.spikes, len(u))
	for i, before := range u {
		after, spike := f.LIF(integer(f.Potential, before), f.sums[i])
		u[i], d.spikes[i] = word(f.Potential, after), 0
		if spike {
			d.spikes[i] = 1
			fired++
		}
	}
	if d.observe != nil {
		seen.Potentials, seen.Spikes = u, d.spikes
		d.observe(seen)
	}
	return fired
}

func (d *datapath) fixedFire(s *schedule.Step, k schedule.Kernel) error {
	class := schedule.Potential
	if k.Classifier {
		class = schedule.ClassifierState
	}
	u, err := d.product(s, schedule.Tensor{Class: class, Index: k.Index, Step: s.Time})
	if err != nil {
		return err
	}
	fired := d.fixedNeurons(u.Floats, Observation{Time: s.Time, Layer: s.Layer, Block: s.Block})
	if k.Classifier {
		d.record.spikesClassifier[k.Index-1] += fired
	} else {
		d.record.spikes[k.Index-1] += fired
	}
	return nil
}

// windows calls visit for every neuron under a pooling window, with its index
// and the window's.
func windows(l *network.Layer, visit func(neuron, window int)) {
	n := l.Out.Channels
	for y := range l.Pooled.Height * l.Pool.Height {
		for x := range l.Pooled.Width * l.Pool.Width {
			for c := range n {
				visit((y*l.Out.Width+x)*n+c, (y/l.Pool.Height*l.Pooled.Width+x/l.Pool.Width)*n+c)
			}
		}
	}
}

// fixedPool fires pooling neurons on the mean of their window, rounded to the
// weights' last place.
func (d *datapath) fixedPool(s *schedule.Step, n int) error {
	f, l := d.fixed, d.workload.Net.Layer(n)
	u, err := d.product(s, schedule.Tensor{Class: schedule.PoolPotential, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	f.sums = make([]int64, len(u.Floats))
	for b := range d.workload.Batch {
		windows(l, func(neuron, window int) {
			f.sums[b*l.Pooled.Size()+window] += int64(d.spikes[b*l.Out.Size()+neuron])
		})
	}
	area := int64(l.Pool.Height) * int64(l.Pool.Width)
	for i, count := range f.sums {
		f.sums[i] = fixed.Divide(count<<f.Weight.Fraction, area)
	}
	d.fixedNeurons(u.Floats, Observation{Time: s.Time, Layer: n, Block: s.Block, Pool: true})
	return nil
}

// fixedLoss records the loss, which nothing computes with, as float64, and makes
// delta_c in fixed point.
func (d *datapath) fixedLoss(s *schedule.Step, block int) error {
	if err := d.loss(s, block); err != nil {
		return err
	}
	counts, err := d.counts(s, block)
	if err != nil {
		return err
	}
	labels, err := d.operand(s, schedule.Tensor{Class: schedule.Label})
	if err != nil {
		return err
	}
	delta, err := d.product(s, schedule.Tensor{Class: schedule.ClassifierDelta, Index: block, Step: s.Time})
	if err != nil {
		return err
	}
	classes := d.workload.Net.Classes
	for i, count := range counts {
		x := d.fixed.OutputError(int64(count), labels.Bits[i/classes] == uint32(i%classes))
		delta.Floats[i] = word(d.fixed.Error, x)
	}
	return nil
}

func (d *datapath) fixedBackProject(s *schedule.Step, k schedule.Kernel) error {
	f, index := d.fixed, k.Reader
	if index == 0 {
		index = s.Block
	}
	c := d.connection(s, k.Reader == 0, index)
	weights, err := d.operand(s, c.weights)
	if err != nil {
		return err
	}
	errors, err := d.operand(s, c.err)
	if err != nil {
		return err
	}
	w, gamma := integers(f.Weight, weights.Floats), integers(f.Error, errors.Floats)
	inputs, outputs, n := c.In.Size(), c.Out.Size(), c.Out.Channels
	if len(f.spatial) == 0 {
		f.spatial = make([]int64, d.workload.Batch*inputs)
	}
	for b := range d.workload.Batch {
		sums, gamma := f.spatial[b*inputs:(b+1)*inputs], gamma[b*outputs:(b+1)*outputs]
		taps(c.Connection, func(in, out, weight int) {
			for channel := range c.In.Channels {
				for i, w := range w[weight+channel*n:][:n] {
					sums[in+channel] += gamma[out+i] * w
				}
			}
		})
	}
	return nil
}

func (d *datapath) fixedPoolBackward(s *schedule.Step, n int) error {
	f, l := d.fixed, d.workload.Net.Layer(n)
	u, err := d.operand(s, schedule.Tensor{Class: schedule.PoolPotential, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	gamma, err := d.product(s, schedule.Tensor{Class: schedule.PoolError, Index: n, Step: s.Time})
	if err != nil {
		return err
	}
	if len(f.spatial) != len(u.Floats) {
		return fmt.Errorf("no error reaches the pooling neurons of layer %d", n)
	}
	if !s.End {
		f.temporal(gamma.Floats)
	}
	f.spatialPass(gamma.Floats, u.Floats)
	f.spatial = make([]int64, d.workload.Batch*l.Out.Size())
	area := int64(l.Pool.Height) * int64(l.Pool.Width)
	for b := range d.workload.Batch {
		windows(l, func(neuron, window int) {
			g := integer(f.Error, gamma.Floats[b*l.Pooled.Size()+window])
			f.spatial[b*l.Out.Size()+neuron] = fixed.Divide(f.Lift(g), area)
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
	errorClass, stateClass := schedule.PotentialError, schedule.Potential
	if k.Classifier {
		errorClass, stateClass = schedule.ClassifierError, schedule.ClassifierState
	}
	gamma, err := d.product(s, schedule.Tensor{Class: errorClass, Index: k.Index, Step: s.Time})
	if err != nil {
		return err
	}
	if k.Classifier && !f.complete {
		delta, err := d.operand(s, schedule.Tensor{Class: schedule.ClassifierDelta, Index: k.Index, Step: s.Interval * d.program.K})
		if err != nil {
			return err
		}
		for _, v := range delta.Floats {
			f.spatial = append(f.spatial, f.Lift(integer(f.Error, v)))
		}
	}
	f.complete = true
	if len(f.spatial) != len(gamma.Floats) {
		return fmt.Errorf("no error reaches the neurons of layer %d", k.Index)
	}
	if k.Op == schedule.TemporalError {
		f.temporal(gamma.Floats)
		return nil
	}
	u, err := d.operand(s, schedule.Tensor{Class: stateClass, Index: k.Index, Step: s.Time})
	if err == nil {
		f.spatialPass(gamma.Floats, u.Floats)
	}
	return err
}

// fixedGradient adds the batch's part of one step to dW (Eq. 7).
func (d *datapath) fixedGradient(s *schedule.Step, k schedule.Kernel) (done happened, err error) {
	f, c := d.fixed, d.connection(s, k.Classifier, k.Index)
	class := schedule.WeightGradient
	if k.Classifier {
		class = schedule.ClassifierGrad
	}
	dw, err := d.product(s, schedule.Tensor{Class: class, Index: k.Index, Step: s.Time})
	if err != nil {
		return done, err
	}
	errors, err := d.operand(s, c.err)
	if err != nil {
		return done, err
	}
	in, real, err := d.take(s, c.input)
	if err != nil {
		return done, err
	}
	x, fraction := f.inputIntegers(in, real)
	gamma := integers(f.Error, errors.Floats)
	inputs, outputs, n := c.In.Size(), c.Out.Size(), c.Out.Channels
	register := make([]int64, len(dw.Floats))
	reached := make([]bool, len(dw.Floats)/n) // an input event reached the weights of a tap and channel
	for b := range d.workload.Batch {
		clear(register)
		clear(reached)
		x, gamma := x[b*inputs:(b+1)*inputs], gamma[b*outputs:(b+1)*outputs]
		taps(c.Connection, func(in, out, weight int) {
			for channel := range c.In.Channels {
				v := x[in+channel]
				if v == 0 {
					continue
				}
				at := weight + channel*n
				reached[at/n] = true
				done.gradient.Terms += int64(n)
				if real {
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
				sum := f.Accumulate(integer(f.Gradient, dw.Floats[at]), fixed.Round(register[at], fraction))
				dw.Floats[at] = word(f.Gradient, sum)
			}
		}
	}
	return done, nil
}

// fixedOptimize updates one parameter tensor. Gradients are recorded without
// the scale that they are carried with.
func (d *datapath) fixedOptimize(s *schedule.Step, k schedule.Kernel) error {
	f := d.fixed
	gradientClass, momentClass := schedule.WeightGradient, schedule.Moment
	if k.Of == schedule.ClassifierWeight {
		gradientClass, momentClass = schedule.ClassifierGrad, schedule.ClassifierMoment
	}
	first := (s.Interval-1)*d.program.K + 1
	dw, err := d.operand(s, schedule.Tensor{Class: gradientClass, Index: k.Index, Step: first})
	if err != nil {
		return err
	}
	w, err := d.product(s, schedule.Tensor{Class: k.Of, Index: k.Index, Step: s.Interval})
	if err != nil {
		return err
	}
	var moment []float32
	if d.workload.Training.Momentum > 0 {
		v, err := d.product(s, schedule.Tensor{Class: momentClass, Index: k.Index, Step: s.Interval})
		if err != nil {
			return err
		}
		moment = v.Floats
	}
	plain := make([]float32, len(dw.Floats))
	for i, g := range dw.Floats {
		plain[i] = float32(math.Ldexp(float64(g), -f.ErrorShift))
		before := int64(0)
		if moment != nil {
			before = integer(f.Gradient, moment[i])
		}
		weight, after := f.Update(integer(f.Weight, w.Floats[i]), before, integer(f.Gradient, g))
		w.Floats[i] = word(f.Weight, weight)
		if moment != nil {
			moment[i] = word(f.Gradient, after)
		}
	}
	d.recordGradient(k, s.Interval, plain)
	return nil
}
