package sim

import (
	"fmt"

	"accelsim/network"
	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/tensors"
	"accelsim/units"
)

// datapath is the values of a functional simulation. DRAM slots hold words,
// transfers copy them to and from the layer buffer, and kernels compute from
// what is in the buffer and listed by their step, nothing else: a transfer
// that is missing or misplaced is an error or gives other numbers.
//
// Between kernels of one step values are in registers of the PEs (sums, spikes,
// spatial); they are gone with the step.
type datapath struct {
	program  *schedule.Program
	workload *network.Workload
	neuron   pe.Neuron
	input    *tensors.Input
	random   []pe.Values // W_c that the generator makes, by block
	observe  func(Observation)
	fixed    *fixedUnits // nil: float32

	chip  map[copyOf]pe.Values
	spare map[size][]pe.Values
	now   int64             // the step that is executed
	made  []schedule.Tensor // products that its kernels computed

	sums, spikes, spatial []float32
	delta                 bool      // spatial is complete
	unpacked, register    []float32 // scratch
	one                   pe.Input
	events                []pe.Event

	record *record
}

// size is a tensor's floats and words of bits.
type size struct{ floats, bits int }

// happened is what a kernel executed for the data that it had.
type happened struct {
	sums     int64 // additions into synaptic sums (Eq. 15)
	gradient pe.GradientEvents
}

func newDatapath(p *schedule.Program, o Options) (*datapath, error) {
	if p.Traffic != schedule.All {
		return nil, fmt.Errorf("tensors need all traffic to move; leave out --traffic equations")
	}
	d := &datapath{
		program: p, workload: p.Workload(), neuron: pe.NewNeuron(p.Workload().Neuron), input: o.Tensors,
		observe: o.Observe,
		chip:    map[copyOf]pe.Values{}, spare: map[size][]pe.Values{},
	}
	if err := d.checkInput(); err != nil {
		return nil, err
	}
	if o.Datapath != nil {
		if err := CheckFixed(d.workload); err != nil {
			return nil, err
		}
		d.fixed = &fixedUnits{Datapath: o.Datapath, step: -1}
	}
	d.record = newRecord(d.workload, p.Blocks)
	return d, nil
}

// sizeOf splits a tensor's words into floats and bits.
func (d *datapath) sizeOf(t schedule.Tensor, words units.Words) size {
	n := int(words)
	switch t.Class {
	case schedule.Spikes, schedule.OwnSpikes, schedule.Label, schedule.SpikeCount:
		return size{bits: n}
	case schedule.Input:
		if d.workload.Net.Encoding == network.Event {
			return size{bits: n}
		}
	case schedule.NormSaved:
		bits := schedule.DeviationWords * d.workload.Net.Layer(t.Index).Out.Channels
		return size{floats: n - bits, bits: bits}
	}
	return size{floats: n}
}

// allocate returns cleared room for a tensor.
func (d *datapath) allocate(t schedule.Tensor, words units.Words) pe.Values {
	n := d.sizeOf(t, words)
	if list := d.spare[n]; len(list) > 0 {
		v := list[len(list)-1]
		d.spare[n] = list[:len(list)-1]
		v.Clear()
		return v
	}
	return pe.Values{Floats: make([]float32, n.floats), Bits: make([]uint32, n.bits)}
}

// load copies a tensor from its DRAM slot to the layer buffer.
func (d *datapath) load(t schedule.Transfer, step int64, memory *memoryMap) error {
	from, err := memory.values(t.Tensor)
	if err != nil {
		return err
	}
	to := d.allocate(t.Tensor, t.Words)
	to.Copy(*from) // nothing to copy: zeros that were there before the iteration
	d.chip[copyOf{t.Tensor, step}] = to
	return nil
}

// store copies a tensor from the layer buffer to its DRAM slot.
func (d *datapath) store(t schedule.Transfer, step int64, memory *memoryMap) error {
	from, ok := d.chip[copyOf{t.Tensor, step}]
	if !ok {
		return fmt.Errorf("%v is written to DRAM, but no kernel computed it", t.Tensor)
	}
	to, err := memory.values(t.Tensor)
	if err != nil {
		return err
	}
	if to.Words() == 0 {
		n := d.sizeOf(t.Tensor, t.Words)
		*to = pe.Values{Floats: make([]float32, n.floats), Bits: make([]uint32, n.bits)}
	}
	to.Copy(from)
	return nil
}

// release drops what the layer buffer no longer holds.
func (d *datapath) release(held func(copyOf) bool) {
	for key, v := range d.chip {
		if !held(key) {
			n := size{len(v.Floats), len(v.Bits)}
			d.spare[n] = append(d.spare[n], v)
			delete(d.chip, key)
		}
	}
}

// begin starts a step: registers hold nothing.
func (d *datapath) begin(step int64) {
	d.now, d.made, d.delta = step, d.made[:0], false
	d.sums, d.spikes, d.spatial = d.sums[:0], d.spikes[:0], d.spatial[:0]
}

// end finishes a step: packs a layer's spikes, and renames what was computed in
// the place of something else.
func (d *datapath) end(s *schedule.Step) error {
	if s.Kind == schedule.ForwardLayer {
		if err := d.emit(s); err != nil {
			return err
		}
	}
	for _, p := range s.Products {
		if !d.isMade(p.Tensor) {
			return fmt.Errorf("no kernel computed %v", p.Tensor)
		}
		if p.InPlace {
			old := d.newest(p.Replaces, d.now)
			d.chip[copyOf{p.Tensor, d.now}] = d.chip[old]
			delete(d.chip, old)
		}
	}
	return nil
}

func (d *datapath) isMade(t schedule.Tensor) bool {
	for _, made := range d.made {
		if made == t {
			return true
		}
	}
	return false
}

// operand returns the values of a tensor that the step loaded, has made so far
// or lists as being on chip.
func (d *datapath) operand(s *schedule.Step, t schedule.Tensor) (pe.Values, error) {
	if d.isMade(t) {
		return d.product(s, t)
	}
	for _, r := range s.Reads {
		if r.Tensor == t {
			return d.chip[copyOf{t, d.now}], nil
		}
	}
	for _, used := range s.Uses {
		if used != t {
			continue
		}
		if v, ok := d.chip[d.newest(t, d.now-1)]; ok {
			return v, nil
		}
		return pe.Values{}, fmt.Errorf("%v is used, but the layer buffer does not hold it", t)
	}
	return pe.Values{}, fmt.Errorf("%v is needed, but the step neither loads nor makes it, nor has it on chip", t)
}

// newest returns the youngest copy of a tensor that a step has, its own or one
// from before.
func (d *datapath) newest(t schedule.Tensor, step int64) copyOf {
	found := copyOf{t, -1}
	for key := range d.chip {
		if key.Tensor == t && key.step <= step {
			found.step = max(found.step, key.step)
		}
	}
	return found
}

// product returns the place of a tensor that the step makes. One with a place
// of its own starts at zero.
func (d *datapath) product(s *schedule.Step, t schedule.Tensor) (pe.Values, error) {
	for _, p := range s.Products {
		if p.Tensor != t {
			continue
		}
		key := copyOf{t, d.now}
		if p.InPlace {
			key = d.newest(p.Replaces, d.now)
		}
		v, ok := d.chip[key]
		if !ok {
			if p.InPlace {
				return v, fmt.Errorf("%v is not on chip, so %v cannot take its place", p.Replaces, t)
			}
			v = d.allocate(t, p.Words)
			d.chip[key] = v
		}
		if !d.isMade(t) {
			d.made = append(d.made, t)
		}
		return v, nil
	}
	return pe.Values{}, fmt.Errorf("%v is computed, but the step does not make it", t)
}

// room returns a register file of n values; they are not cleared.
func room(values []float32, n int) []float32 {
	if cap(values) < n {
		return make([]float32, n)
	}
	return values[:n]
}

// need checks that a kernel before this one of the same step left as many
// values in the registers.
func need(what string, values []float32, n int) error {
	if len(values) != n {
		return fmt.Errorf("the PEs hold %d %s; %d are needed", len(values), what, n)
	}
	return nil
}

// output names what readers of layer l see at the step's time.
func (d *datapath) output(s *schedule.Step, l int) schedule.Tensor {
	if l != network.InputLayer {
		return schedule.Tensor{Class: schedule.Spikes, Index: l, Step: s.Time}
	}
	t := schedule.Tensor{Class: schedule.Input, Step: s.Time}
	if d.workload.Net.Encoding == network.Direct {
		t.Step = 0
	}
	return t
}

// take returns the values of a map of spikes or of the network's input, and
// whether they are real numbers.
func (d *datapath) take(s *schedule.Step, t schedule.Tensor) (values []float32, real bool, err error) {
	v, err := d.operand(s, t)
	if err != nil {
		return nil, false, err
	}
	if len(v.Floats) > 0 {
		return v.Floats, true, nil
	}
	shape, bits := d.workload.Net.Input, 1
	switch t.Class {
	case schedule.Spikes:
		l := d.workload.Net.Layer(t.Index)
		shape, bits = l.Pooled, l.ValueBits()
	case schedule.OwnSpikes:
		shape = d.workload.Net.Layer(t.Index).Out
	}
	d.unpacked = room(d.unpacked, d.workload.Batch*shape.Size())
	pe.Unpack(d.unpacked, v.Bits, bits)
	return d.unpacked, false, nil
}

// connection is what a kernel's weights connect: a layer's or a classifier's.
type connection struct {
	pe.Connection
	weights schedule.Tensor
	input   schedule.Tensor
	err     schedule.Tensor // of its synaptic sums
}

func (d *datapath) connection(s *schedule.Step, classifier bool, index int) connection {
	net := d.workload.Net
	if classifier {
		b := d.program.Blocks[index-1]
		c := connection{
			Connection: pe.ConnectClassifier(net.Layer(b.Last).Pooled, net.Classes),
			weights:    schedule.Tensor{Class: schedule.ClassifierWeight, Index: index, Step: s.Interval - 1},
			input:      d.output(s, b.Last),
			err:        schedule.Tensor{Class: schedule.ClassifierError, Index: index, Step: s.Time},
		}
		if !d.program.Trainable() {
			c.weights = schedule.Tensor{Class: schedule.RandomWeight, Index: index}
		}
		return c
	}
	l := net.Layer(index)
	c := connection{
		Connection: pe.Connect(l),
		weights:    schedule.Tensor{Class: schedule.Weight, Index: index, Step: s.Interval - 1},
		input:      d.output(s, l.Reads),
		err:        schedule.Tensor{Class: schedule.PotentialError, Index: index, Step: s.Time},
	}
	if l.BatchNorm {
		c.err.Class = schedule.SynapticErr
	}
	return c
}

// sample returns sample b's part of a batch.
func sample(values []float32, b, n int) []float32 { return values[b*n : (b+1)*n : (b+1)*n] }
