package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// checkInput refuses tensors of other sizes than the workload's.
func (d *Chip) checkInput() error {
	w, net, in := d.workload, d.workload.Net, d.input
	check := func(name string, index, got, want int) error {
		if got != want {
			return fmt.Errorf("%s%d has %d values; expected %d", name, index, got, want)
		}
		return nil
	}
	frames := w.Timesteps
	if in.Static {
		frames = 1
	}
	if want := frames * w.Batch * net.Input.Size(); len(in.X) != want {
		return fmt.Errorf("x has %d values; expected %d", len(in.X), want)
	}
	labels := w.Batch
	if d.program.Inference() {
		labels = 0
	}
	if len(in.Y) != labels || len(in.Weights) != net.Projections() || len(in.Norms) != net.N() || len(in.Classifiers) != len(d.program.Blocks) {
		return fmt.Errorf("tensors of %d labels, %d layers and %d classifiers; expected %d, %d and %d",
			len(in.Y), len(in.Weights), len(in.Classifiers), labels, net.N(), len(d.program.Blocks))
	}
	for i, values := range in.Weights {
		l, p := net.Projection(i + 1)
		if got, want := len(values), int(l.WeightsOf(*p)); got != want {
			return fmt.Errorf("%s has %d values; expected %d", l.WeightName(p), got, want)
		}
	}
	for i := range net.Layers {
		l := &net.Layers[i]
		if d.program.FedBack(l.Index) {
			if err := check("fb", l.Index, len(in.Feedback[i]), net.Classes*l.Pooled.Size()); err != nil {
				return err
			}
		}
		for _, parameter := range w.NeuronOf(l).Arrays.List() {
			if len(in.Neurons) != net.N() {
				return fmt.Errorf("tensors have no parameters of neurons")
			}
			if err := check(parameter.String(), l.Index, len(in.Neurons[i][parameter]), l.Out.Size()); err != nil {
				return err
			}
		}
		if l.Bias {
			if err := check("b", l.Index, len(in.Biases[i]), l.Out.Channels); err != nil {
				return err
			}
		}
		if (in.Norms[i] != nil) != l.BatchNorm {
			return fmt.Errorf("tensors and layer %d disagree on whether it has a batch norm", l.Index)
		}
		if in.Norms[i] == nil {
			continue
		}
		for j, values := range in.Norms[i].Slices() {
			if err := check("bn_"+tensors.NormNames[j]+" of layer ", l.Index, len(*values), l.Out.Channels); err != nil {
				return err
			}
		}
	}
	for i, b := range d.program.Blocks {
		if w.Training.ClassifierBias {
			if err := check("bc", b.Index, len(in.ClassifierBiases[i]), net.Classes); err != nil {
				return err
			}
		}
		if err := check("wc", b.Index, len(in.Classifiers[i]), int(net.ClassifierWeights(b))); err != nil {
			return err
		}
	}
	return nil
}

// Fill puts into DRAM what is there before the iteration: input, labels and
// parameters. Random classifiers' weights are in their generator instead.
func (d *Chip) Fill(m Memory) error {
	w, net, in := d.workload, d.workload.Net, d.input
	put := func(t role.Tensor, v pe.Values) error {
		slot, err := m.Values(t)
		if err == nil {
			*slot = v
			if d.fixed != nil && t.Class != role.Input {
				quantize(d.fixed.Weight, v.Floats)
			}
		}
		return err
	}
	frame := w.Batch * net.Input.Size()
	for t := 1; t <= w.Timesteps; t++ {
		step, x := t, in.X
		if !in.Static {
			x = x[(t-1)*frame : t*frame]
		}
		v := pe.Values{Floats: deviceMaps(x, net.Input)}
		if d.fixed != nil { // the input has the potentials' format
			quantize(d.fixed.Potential, v.Floats)
		}
		events := nonzero(v.Floats)
		d.record.inputs += events
		if t == w.Timesteps {
			d.record.late.inputs = events
		}
		if net.Encoding == network.Direct {
			step = 0
			d.record.inputs *= int64(w.Timesteps)
		} else {
			packed := make([]uint32, units.CeilDiv(frame, 8*units.WordBytes))
			pe.Pack(packed, v.Floats, 1)
			v = pe.Values{Bits: packed}
		}
		if err := put(role.Tensor{Class: role.Input, Step: step}, v); err != nil {
			return err
		}
		if step == 0 {
			break
		}
	}
	if !d.program.Inference() {
		labels := make([]uint32, len(in.Y))
		for i, y := range in.Y {
			labels[i] = uint32(y)
		}
		if err := put(role.Tensor{Class: role.Label}, pe.Values{Bits: labels}); err != nil {
			return err
		}
	}
	for i := range net.Projections() {
		l, p := net.Projection(i + 1)
		weights := pe.Values{Floats: deviceWeights(pe.Connect(p, l.Out), in.Weights[i])}
		if err := put(role.Weight.At(p.Index, 0), weights); err != nil {
			return err
		}
	}
	for i := range net.Layers {
		l := &net.Layers[i]
		if l.Bias {
			if err := put(role.Bias.At(l.Index, 0), pe.Values{Floats: clone(in.Biases[i])}); err != nil {
				return err
			}
		}
		if arrays := w.NeuronOf(l).Arrays.List(); len(arrays) > 0 {
			var maps []float32
			for _, parameter := range arrays {
				maps = append(maps, deviceMaps(in.Neurons[i][parameter], l.Out)...)
			}
			if err := put(role.NeuronParameter.At(l.Index, 0), pe.Values{Floats: maps}); err != nil {
				return err
			}
		}
		n := in.Norms[i]
		if n == nil {
			continue
		}
		parameters := pe.Values{Floats: append(clone(n.Gain), n.Bias...)}
		if err := put(role.Tensor{Class: role.NormParameter, Index: l.Index}, parameters); err != nil {
			return err
		}
		statistics := pe.Values{Floats: append(clone(n.Mean), n.Variance...)}
		if err := put(role.Tensor{Class: role.NormStatistic, Index: l.Index}, statistics); err != nil {
			return err
		}
	}
	d.feedback = make([]pe.Values, net.N())
	for i := range net.Layers {
		if l := &net.Layers[i]; d.program.FedBack(l.Index) {
			d.feedback[i] = pe.Values{Floats: deviceWeights(pe.Full(l.Pooled, net.Classes), in.Feedback[i])}
			if d.fixed != nil {
				quantize(d.fixed.Weight, d.feedback[i].Floats)
			}
		}
	}
	for i, b := range d.program.Blocks {
		c := pe.Full(net.Layer(b.Last).Pooled, net.Classes)
		weights := pe.Values{Floats: deviceWeights(c, in.Classifiers[i])}
		if !d.program.Trainable() {
			if d.fixed != nil {
				quantize(d.fixed.Weight, weights.Floats)
			}
			d.random = append(d.random, weights)
			continue
		}
		if err := put(role.Tensor{Class: role.ClassifierWeight, Index: b.Index}, weights); err != nil {
			return err
		}
		if w.Training.ClassifierBias {
			if err := put(role.ClassifierBias.At(b.Index, 0), pe.Values{Floats: clone(in.ClassifierBiases[i])}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Finish adds to the record what DRAM holds after the last step, and totals.
func (d *Chip) Finish(m Memory) error {
	w, net, r := d.workload, d.workload.Net, d.record
	var firstErr error
	final := func(c role.Role, index, step int) pe.Values {
		v, err := m.Final(role.Tensor{Class: c, Index: index, Step: step})
		if err != nil && firstErr == nil {
			firstErr = err
		}
		return v
	}
	last := d.program.Updates()
	for i := range net.Layers {
		l := &net.Layers[i]
		n := l.Index
		for j := range l.Inputs {
			p := &l.Inputs[j]
			if !p.Weighted() {
				continue
			}
			weights := final(role.Weight, p.Index, last).Floats
			if firstErr == nil {
				r.set[l.WeightName(p)] = tensors.Floats(fileWeights(pe.Connect(p, l.Out), weights), tensors.WeightShape(l, p)...)
			}
			r.set[l.InputName(p)] = tensors.Count(r.projected(n, p))
		}
		if l.Bias {
			r.set[fmt.Sprintf("b%d", n)] = tensors.Floats(clone(final(role.Bias, n, last).Floats), l.Out.Channels)
		}
		shape := []int{w.Batch, l.Out.Channels, l.Out.Height, l.Out.Width}
		if l.First().Kind == network.FC {
			shape = shape[:2]
		}
		r.set[fmt.Sprintf("u%d", n)] = tensors.Floats(fileMaps(final(role.Potential, n, w.Timesteps).Floats, l.Out), shape...)
		if l.Pool.Fires() {
			u := final(role.PoolPotential, n, w.Timesteps).Floats
			r.set[fmt.Sprintf("up%d", n)] = tensors.Floats(fileMaps(u, l.Pooled), w.Batch, l.Pooled.Channels, l.Pooled.Height, l.Pooled.Width)
		}
		if l.BatchNorm {
			parameters := final(role.NormParameter, n, last).Floats
			values := append(clone(parameters), final(role.NormStatistic, n, w.Timesteps).Floats...)
			for j, name := range tensors.NormNames {
				if firstErr == nil {
					channels := l.Out.Channels
					r.set[fmt.Sprintf("bn%d_%s", n, name)] = tensors.Floats(values[j*channels:(j+1)*channels], channels)
				}
			}
		}
		r.set[fmt.Sprintf("spikes%d", n)] = tensors.Count(r.spikes[i])
	}
	for i, b := range d.program.Blocks {
		c := pe.Full(net.Layer(b.Last).Pooled, net.Classes)
		var weights pe.Values
		if d.program.Trainable() {
			weights = final(role.ClassifierWeight, b.Index, last)
		} else {
			weights = d.random[i]
		}
		r.set[fmt.Sprintf("wc%d", b.Index)] = tensors.Floats(fileWeights(c, weights.Floats), tensors.ClassifierShape(net, b)...)
		u := final(role.ClassifierPotential, b.Index, w.Timesteps).Floats
		r.set[fmt.Sprintf("uc%d", b.Index)] = tensors.Floats(clone(u), w.Batch, net.Classes)
		if w.Training.Readout == network.RateReadout {
			r.set[fmt.Sprintf("spikes_c%d", b.Index)] = tensors.Count(r.spikesClassifier[i])
		}
		if w.Training.ClassifierBias {
			r.set[fmt.Sprintf("bc%d", b.Index)] = tensors.Floats(clone(final(role.ClassifierBias, b.Index, last).Floats), net.Classes)
		}
	}
	return firstErr
}

// deviceMaps turns maps [..,C,H,W] into [..,H,W,C], fileMaps back.
func deviceMaps(file []float32, s network.Shape) []float32 {
	return transpose(file, s.Channels, s.Positions())
}

func fileMaps(device []float32, s network.Shape) []float32 {
	return transpose(device, s.Positions(), s.Channels)
}

// deviceWeights turns weights [Co,Ci,H,W] into [H,W,Ci,Co], fileWeights back.
func deviceWeights(c pe.Connection, file []float32) []float32 {
	inputs, taps := c.In.Channels/max(c.Groups, 1), c.Height*c.Width
	return transpose(transpose(file, inputs, taps), c.Out.Channels, inputs*taps)
}

func fileWeights(c pe.Connection, device []float32) []float32 {
	inputs, taps := c.In.Channels/max(c.Groups, 1), c.Height*c.Width
	return transpose(transpose(device, inputs*taps, c.Out.Channels), taps, inputs)
}

// transpose turns matrices [..,rows,columns] into [..,columns,rows], a square at
// a time for the caches' sake.
func transpose(values []float32, rows, columns int) []float32 {
	const square = 32
	turned := make([]float32, len(values))
	for first := 0; first < len(values); first += rows * columns {
		from, to := values[first:first+rows*columns], turned[first:first+rows*columns]
		for r0 := 0; r0 < rows; r0 += square {
			for c0 := 0; c0 < columns; c0 += square {
				for c := c0; c < min(c0+square, columns); c++ {
					for r := r0; r < min(r0+square, rows); r++ {
						to[c*rows+r] = from[r*columns+c]
					}
				}
			}
		}
	}
	return turned
}
