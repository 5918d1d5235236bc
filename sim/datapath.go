package sim

import (
	"fmt"
	"slices"

	"accelsim/network"
	"accelsim/pe"
	"accelsim/role"
	"accelsim/schedule"
	"accelsim/tensors"
	"accelsim/units"
)

// datapath is the values of a functional simulation. DRAM slots hold words,
// transfers copy them to and from the layer buffer, and kernels compute from
// what is in the buffer and listed by their step, nothing else: a transfer
// that is missing or misplaced is an error or gives other numbers.
//
// A slot holds a whole tensor; the layer buffer holds the part that a transfer
// or a product names. A kernel asks for the box that its results take. It gets
// it if the part on chip has all of it, and fails otherwise.
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

	chip  map[copyOf]*part
	spare map[size][]pe.Values
	now   int64             // the step that is executed
	made  []schedule.Tensor // products that its kernels computed
	views []view            // boxes that its kernels work on

	sums, spikes, spatial []float32
	fired                 bool            // spikes are those of the step's neurons ..
	firedBox              schedule.Region // .. in this box
	delta                 bool            // spatial is complete
	unpacked, register    []float32       // scratch
	one                   pe.Input
	events                []pe.Event

	seen   map[mapName]*gathered // maps that fire tile by tile
	record *record
}

// part is what the layer buffer holds of a tensor.
type part struct {
	pe.Values
	region  schedule.Region
	missing int // values that no kernel computed yet
}

// view is a box of a larger part, copied for a kernel; what a kernel computes
// goes back at the end of the step.
type view struct {
	pe.Values
	tensor schedule.Tensor
	region schedule.Region
	of     *part
	made   bool
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
		chip:    map[copyOf]*part{}, spare: map[size][]pe.Values{}, seen: map[mapName]*gathered{},
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

// ofGroup returns a PE group's part: its own registers and layer buffer, and what
// there is one of.
func (d *datapath) ofGroup() *datapath {
	own := *d
	own.chip, own.spare = map[copyOf]*part{}, map[size][]pe.Values{}
	if d.fixed != nil {
		fixed := *d.fixed
		own.fixed = &fixed
	}
	return &own
}

// receive copies a tensor from another group's layer buffer.
func (d *datapath) receive(t schedule.Tensor, from *part) error {
	if from == nil || !from.region.All() || from.missing > 0 {
		return fmt.Errorf("%v is handed over, but not all of it is on chip", t)
	}
	to := &part{Values: d.allocate(t, from.region), region: from.region}
	to.Copy(from.Values)
	d.chip[copyOf{t, coming}] = to
	return nil
}

func (d *datapath) rename(old, key copyOf) {
	if old != key {
		d.chip[key] = d.chip[old]
		delete(d.chip, old)
	}
}

// mapOf is a batch of maps.
func (d *datapath) mapOf(s network.Shape) schedule.Region {
	return schedule.Whole(d.workload.Batch, s.Height, s.Width, s.Channels)
}

// whole is all of a tensor.
func (d *datapath) whole(t schedule.Tensor) schedule.Region {
	return d.program.Sizes.Extents(t.Class, t.Index).Region()
}

func (d *datapath) classifier(block int) pe.Connection {
	net := d.workload.Net
	return pe.ConnectClassifier(net.Layer(d.program.Blocks[block-1].Last).Pooled, net.Classes)
}

// region is what a transfer or a product names of a tensor.
func (d *datapath) region(t schedule.Tensor, r schedule.Region) (schedule.Region, error) {
	whole := d.whole(t)
	if t.Class == schedule.PartialSum && r != (schedule.Region{}) {
		return r, nil // of the tile's own
	}
	if r == (schedule.Region{}) {
		return whole, nil
	}
	if _, ok := r.Within(whole); !ok {
		return r, fmt.Errorf("%v is %v, so there is no part %v of it", t, whole, r)
	}
	return r, nil
}

// bits is how many bits a value of a packed tensor has; 0 is a float32.
func (d *datapath) bits(t schedule.Tensor) int {
	if t.Class == schedule.PartialSum && d.fixed != nil {
		return doubleBits // exact
	}
	switch sizes := &d.program.Sizes; sizes.Format(t.Class) {
	case role.Spike:
		return sizes.SpikeBits(t.Class, t.Index)
	case role.Integer:
		return integerBits
	case role.Double:
		return doubleBits
	case role.Number:
	}
	return 0
}

const integerBits, doubleBits = 32, 64

// allocate returns cleared room for a part of a tensor. A channel's 1/std, two
// words, is beside the first of its normalised sums.
func (d *datapath) allocate(t schedule.Tensor, r schedule.Region) pe.Values {
	n := size{floats: r.Size()}
	if bits := d.bits(t); bits > 0 {
		n = size{bits: units.CeilDiv(n.floats*bits, 8*units.WordBytes)}
	} else if t.Class.Row().Deviations && r.Starts() {
		n.bits = int(d.program.Sizes.DoubleWords()) * r.Extent(3)
	}
	if list := d.spare[n]; len(list) > 0 {
		v := list[len(list)-1]
		d.spare[n] = list[:len(list)-1]
		v.Clear()
		return v
	}
	return pe.Values{Floats: make([]float32, n.floats), Bits: make([]uint32, n.bits)}
}

func (d *datapath) free(v pe.Values) {
	n := size{len(v.Floats), len(v.Bits)}
	d.spare[n] = append(d.spare[n], v)
}

// cut copies a box out of a part of a tensor, back puts it there again.
func (d *datapath) cut(t schedule.Tensor, box schedule.Region, to pe.Values, part schedule.Region, from pe.Values) error {
	return d.move(t, box, part, func(at, there, n, bits int) {
		if bits > 0 {
			pe.CopyBits(to.Bits, at, from.Bits, there, n)
		} else {
			copy(to.Floats[at:at+n], from.Floats[there:])
		}
	}, func(at, there, n int) { copy(to.Bits[at:at+n], from.Bits[there:]) })
}

func (d *datapath) back(t schedule.Tensor, box schedule.Region, from pe.Values, part schedule.Region, to pe.Values) error {
	return d.move(t, box, part, func(at, there, n, bits int) {
		if bits > 0 {
			pe.CopyBits(to.Bits, there, from.Bits, at, n)
		} else {
			copy(to.Floats[there:there+n], from.Floats[at:])
		}
	}, func(at, there, n int) { copy(to.Bits[there:there+n], from.Bits[at:]) })
}

// move visits the runs of a box in a part, and the deviations of its channels.
func (d *datapath) move(t schedule.Tensor, box, part schedule.Region, run func(at, there, n, bits int), deviations func(at, there, n int)) error {
	inside, ok := box.Within(part)
	if !ok {
		return fmt.Errorf("of %v the layer buffer holds %v, but %v is needed", t, part, box)
	}
	bits := d.bits(t)
	at, scale := 0, max(1, bits)
	inside.Runs(func(there, n int) {
		run(at*scale, there*scale, n*scale, bits)
		at += n
	})
	if t.Class.Row().Deviations && box.Starts() {
		words := int(d.program.Sizes.DoubleWords())
		deviations(0, words*int(inside.From[3]), words*box.Extent(3))
	}
	return nil
}

// same tells whether a part is just what is asked for.
func same(a, b schedule.Region) bool {
	return a == b || a.All() && b.All() && a.Total() == b.Total()
}

// load copies a tensor, or a part of it, from its DRAM slot to the layer buffer.
func (d *datapath) load(t schedule.Transfer, step int64, memory *memoryMap) error {
	from, err := memory.values(t.Tensor)
	if err != nil {
		return err
	}
	region, err := d.region(t.Tensor, t.Region)
	if err != nil {
		return err
	}
	to := &part{Values: d.allocate(t.Tensor, region), region: region}
	d.chip[copyOf{t.Tensor, step}] = to
	switch {
	case from.Words() == 0: // zeros that were there before the iteration
		return nil
	case region.All():
		to.Copy(*from)
		return nil
	}
	return d.cut(t.Tensor, region, to.Values, d.whole(t.Tensor), *from)
}

// store copies a copy of a tensor, or a part of it, from the layer buffer to its
// DRAM slot.
func (d *datapath) store(t schedule.Transfer, from copyOf, memory *memoryMap) error {
	p, ok := d.chip[from]
	if !ok {
		return fmt.Errorf("%v is written to DRAM, but no kernel computed it", t.Tensor)
	}
	region, err := d.region(t.Tensor, t.Region)
	if err != nil {
		return err
	}
	if !same(region, p.region) {
		return fmt.Errorf("%v of %v is written to DRAM, but the layer buffer holds %v", region, t.Tensor, p.region)
	}
	if p.missing > 0 {
		return fmt.Errorf("%v is written to DRAM, but %d of its values were not computed", t.Tensor, p.missing)
	}
	to, err := memory.values(t.Tensor)
	if err != nil {
		return err
	}
	whole := d.whole(t.Tensor)
	if to.Words() == 0 {
		*to = d.allocate(t.Tensor, whole)
	}
	if region.All() {
		to.Copy(p.Values)
		return nil
	}
	return d.back(t.Tensor, region, p.Values, whole, *to)
}

// release drops what the layer buffer no longer holds.
func (d *datapath) release(held func(copyOf) bool) {
	for key, p := range d.chip {
		if !held(key) {
			d.free(p.Values)
			delete(d.chip, key)
		}
	}
}

// begin starts a step: registers hold nothing.
func (d *datapath) begin(step int64) {
	d.now, d.made, d.fired, d.delta = step, d.made[:0], false, false
	d.sums, d.spikes, d.spatial = d.sums[:0], d.spikes[:0], d.spatial[:0]
}

// end finishes a step: packs a layer's spikes, puts boxes back where they belong,
// and renames what was computed in the place of something else.
func (d *datapath) end(s *schedule.Step) error {
	if d.fired && s.Kind == schedule.ForwardLayer {
		if err := d.emit(s); err != nil {
			return err
		}
	}
	for _, v := range d.views {
		if v.made {
			if err := d.back(v.tensor, v.region, v.Values, v.of.region, v.of.Values); err != nil {
				return err
			}
		}
		d.free(v.Values)
	}
	d.views = d.views[:0]
	for _, p := range s.Products {
		if !d.isMade(p.Tensor) {
			if !keepsFor(s, p.Tensor) {
				return fmt.Errorf("no kernel computed %v", p.Tensor)
			}
			to, _, err := d.place(s, p.Tensor) // by a later tile
			if err != nil {
				return err
			}
			to.missing = to.region.Size()
		}
		if p.InPlace {
			d.rename(d.newest(p.Replaces, d.now), copyOf{p.Tensor, d.now})
		}
	}
	return nil
}

// keepsFor tells whether a tensor stays on chip for later steps.
func keepsFor(s *schedule.Step, t schedule.Tensor) bool {
	for _, k := range s.Keeps {
		if k == t {
			return true
		}
	}
	return false
}

func (d *datapath) isMade(t schedule.Tensor) bool {
	for _, made := range d.made {
		if made == t {
			return true
		}
	}
	return false
}

// newest returns the copy of a tensor on chip that no later step than the given
// one loaded or made; its step is -1 if there is none.
func (d *datapath) newest(t schedule.Tensor, step int64) copyOf {
	found := copyOf{t, -1}
	for key := range d.chip {
		if key.Tensor == t && key.step <= step && key.step > found.step {
			found = key
		}
	}
	return found
}

// find returns the part of a tensor that the step loaded, got from another group
// or lists as being on chip; nil if it does none of it.
func (d *datapath) find(s *schedule.Step, t schedule.Tensor) (*part, error) {
	named := func(r schedule.Transfer) bool { return r.Tensor == t }
	if slices.ContainsFunc(s.Reads, named) || slices.ContainsFunc(s.Receives, named) {
		return d.chip[copyOf{t, d.now}], nil
	}
	for _, used := range s.Uses {
		if used != t {
			continue
		}
		if p := d.chip[d.newest(t, d.now-1)]; p != nil {
			return p, nil
		}
		return nil, fmt.Errorf("%v is used, but the layer buffer does not hold it", t)
	}
	return nil, nil
}

// source returns the part of a tensor that the step loaded, has made so far or
// lists as being on chip, with all values computed.
func (d *datapath) source(s *schedule.Step, t schedule.Tensor) (*part, error) {
	p, err := d.find(s, t)
	switch {
	case err != nil:
		return nil, err
	case p == nil:
		return nil, fmt.Errorf("%v is needed, but the step neither loads nor makes it, nor has it on chip", t)
	case p.missing > 0:
		return nil, fmt.Errorf("%v is needed, but %d of its values were not computed yet", t, p.missing)
	}
	return p, nil
}

// operand returns a box of a tensor that the step loaded, has made so far or
// lists as being on chip.
func (d *datapath) operand(s *schedule.Step, t schedule.Tensor, box schedule.Region) (pe.Values, error) {
	if d.isMade(t) {
		return d.product(s, t, box)
	}
	p, err := d.source(s, t)
	if err != nil {
		return pe.Values{}, err
	}
	return d.box(t, p, box, false)
}

// box returns a box of a part: the part itself if it is no more than that.
func (d *datapath) box(t schedule.Tensor, p *part, box schedule.Region, made bool) (pe.Values, error) {
	if same(p.region, box) {
		return p.Values, nil
	}
	for i := range d.views {
		if v := &d.views[i]; v.tensor == t && v.region == box {
			v.made = v.made || made
			return v.Values, nil
		}
	}
	values := d.allocate(t, box)
	d.views = append(d.views, view{values, t, box, p, made})
	return values, d.cut(t, box, values, p.region, p.Values)
}

// product returns the place of a box of a tensor that the step makes, goes on
// making, or changes. One with a place of its own starts at zero.
func (d *datapath) product(s *schedule.Step, t schedule.Tensor, box schedule.Region) (pe.Values, error) {
	p, begins, err := d.place(s, t)
	if err != nil {
		return pe.Values{}, err
	}
	if !d.isMade(t) {
		d.made = append(d.made, t)
		if begins {
			p.missing = p.region.Size()
		}
		p.missing = max(0, p.missing-box.Size()) // sums are made again and again
	}
	return d.box(t, p, box, true)
}

// successor returns the place of a box of a tensor that takes over from another:
// in its place, or with its values, if they came by themselves.
func (d *datapath) successor(s *schedule.Step, t, before schedule.Tensor, box schedule.Region) (pe.Values, error) {
	begun := d.isMade(t)
	v, err := d.product(s, t, box)
	if begun || err != nil {
		return v, err
	}
	for i := range s.Products {
		if p := &s.Products[i]; p.InPlace && p.Replaces == before {
			return v, nil
		}
	}
	for i := range s.Reads {
		if s.Reads[i].Tensor == before {
			old, err := d.operand(s, before, box)
			v.Copy(old)
			return v, err
		}
	}
	return v, nil
}

// place returns the part that the step puts a tensor into, and whether it is
// the first step to do so.
func (d *datapath) place(s *schedule.Step, t schedule.Tensor) (*part, bool, error) {
	for i := range s.Products {
		p := &s.Products[i]
		if p.Tensor != t {
			continue
		}
		if p.InPlace {
			old := d.chip[d.newest(p.Replaces, d.now)]
			if old == nil {
				return nil, false, fmt.Errorf("%v is not on chip, so %v cannot take its place", p.Replaces, t)
			}
			return old, true, nil
		}
		key := copyOf{t, d.now}
		if d.chip[key] == nil {
			region, err := d.region(t, p.Region)
			if err != nil {
				return nil, false, err
			}
			d.chip[key] = &part{Values: d.allocate(t, region), region: region}
		}
		return d.chip[key], true, nil
	}
	p, err := d.find(s, t)
	if p == nil && err == nil {
		err = fmt.Errorf("%v is computed, but the step does not make it", t)
	}
	return p, false, err
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

// take returns a box of a map of spikes or of the network's input, and whether
// its values are real numbers.
func (d *datapath) take(s *schedule.Step, t schedule.Tensor, box schedule.Region) (values []float32, real bool, err error) {
	bits := d.bits(t)
	if bits == 0 {
		v, err := d.operand(s, t, box)
		return v.Floats, true, err
	}
	p, err := d.source(s, t)
	if err != nil {
		return nil, false, err
	}
	inside, ok := box.Within(p.region)
	if !ok {
		return nil, false, fmt.Errorf("of %v the layer buffer holds %v, but %v is needed", t, p.region, box)
	}
	d.unpacked = room(d.unpacked, box.Size())
	at := 0
	inside.Runs(func(first, n int) {
		pe.Unpack(d.unpacked[at:at+n], p.Bits, bits, first)
		at += n
	})
	return d.unpacked, false, nil
}

// sample returns sample b's part of a batch.
func sample(values []float32, b, n int) []float32 { return values[b*n : (b+1)*n : (b+1)*n] }
