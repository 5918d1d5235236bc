package op

import (
	"fmt"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
)

// Chip is the values of a functional simulation. DRAM slots hold words,
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
type Chip struct {
	program  *schedule.Program
	workload *network.Workload
	neuron   pe.Neuron   // of classifiers
	cells    []pe.Neuron // of layers
	input    *tensors.Input
	feedback []pe.Values // fb that it makes, by layer
	random   []pe.Values // W_c that the generator makes, by block
	observe  func(Observation)
	fixed    *fixedUnits // nil: float32

	chip  map[Copy]*part
	spare map[size][]pe.Values
	now   int64         // the step that is executed
	made  []role.Tensor // products that its kernels computed
	views []view        // boxes that its kernels work on

	sums, spikes, spatial []float32
	fired                 bool        // spikes are those of the step's neurons ..
	firedBox              role.Region // .. in this box
	passed                bool        // spatial is that of the layer's output
	delta                 bool        // spatial is complete
	unpacked, register    []float32   // scratch
	one                   pe.Input
	events                []pe.Event

	seen   map[mapName]*gathered // maps that fire tile by tile
	record *record
}

// part is what the layer buffer holds of a tensor.
type part struct {
	pe.Values
	region  role.Region
	missing int // values that no kernel computed yet
}

// view is a box of a larger part, copied for a kernel; what a kernel computes
// goes back at the end of the step.
type view struct {
	pe.Values
	tensor role.Tensor
	region role.Region
	of     *part
	made   bool
}

// size is a tensor's floats and words of bits.
type size struct{ floats, bits int }

// Happened is what a kernel executed for the data that it had.
type Happened struct {
	Sums     int64 // additions into synaptic sums (Eq. 15)
	Gradient pe.GradientEvents
}

// Inputs are what a functional simulation starts with.
type Inputs struct {
	Tensors *tensors.Input
	// Datapath, if not nil, has the numbers computed in fixed point.
	Datapath *fixed.Datapath
	// Observe, if not nil, sees every neuron fire.
	Observe func(Observation)
}

// NewChip returns the values of a program's simulation.
func NewChip(p *schedule.Program, o Inputs) (*Chip, error) {
	if p.Traffic != schedule.All {
		return nil, fmt.Errorf("tensors need all traffic to move; leave out --traffic equations")
	}
	d := &Chip{
		program: p, workload: p.Workload(), neuron: pe.NewNeuron(p.Workload().ClassifierNeuron()), input: o.Tensors,
		observe: o.Observe,
		chip:    map[Copy]*part{}, spare: map[size][]pe.Values{}, seen: map[mapName]*gathered{},
	}
	for i := range d.workload.Net.Layers {
		d.cells = append(d.cells, pe.NewNeuron(d.workload.NeuronOf(&d.workload.Net.Layers[i])))
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

// OfGroup returns a PE group's part: its own registers and layer buffer, and what
// there is one of.
func (d *Chip) OfGroup() *Chip {
	own := *d
	own.chip, own.spare = map[Copy]*part{}, map[size][]pe.Values{}
	if d.fixed != nil {
		fixed := *d.fixed
		own.fixed = &fixed
	}
	return &own
}

// Receive copies a tensor from another group's layer buffer.
func (d *Chip) Receive(t role.Tensor, sender *Chip, copied Copy) error {
	from := sender.chip[copied]
	if from == nil || !from.region.All() || from.missing > 0 {
		return fmt.Errorf("%v is handed over, but not all of it is on chip", t)
	}
	to := &part{Values: d.allocate(t, from.region), region: from.region}
	to.Copy(from.Values)
	d.chip[Copy{t, Coming}] = to
	return nil
}

// Rename gives a copy another name.
func (d *Chip) Rename(old, key Copy) {
	if old != key {
		d.chip[key] = d.chip[old]
		delete(d.chip, old)
	}
}

// mapOf is a batch of maps.
func (d *Chip) mapOf(s network.Shape) role.Region {
	return role.Whole(d.workload.Batch, s.Height, s.Width, s.Channels)
}

// whole is all of a tensor.
func (d *Chip) whole(t role.Tensor) role.Region {
	return d.program.Sizes.Extents(t.Class, t.Index).Region()
}

func (d *Chip) classifier(block int) pe.Connection {
	net := d.workload.Net
	return pe.Full(net.Layer(d.program.Blocks[block-1].Last).Pooled, net.Classes)
}

// region is what a transfer or a product names of a tensor.
func (d *Chip) region(t role.Tensor, r role.Region) (role.Region, error) {
	whole := d.whole(t)
	if t.Class == role.PartialSum && r != (role.Region{}) {
		return r, nil // of the tile's own
	}
	if r == (role.Region{}) {
		return whole, nil
	}
	if _, ok := r.Within(whole); !ok {
		return r, fmt.Errorf("%v is %v, so there is no part %v of it", t, whole, r)
	}
	return r, nil
}

// Load copies a tensor, or a part of it, from its DRAM slot to the layer buffer.
func (d *Chip) Load(t schedule.Transfer, step int64, memory Memory) error {
	from, err := memory.Values(t.Tensor)
	if err != nil {
		return err
	}
	region, err := d.region(t.Tensor, t.Region)
	if err != nil {
		return err
	}
	to := &part{Values: d.allocate(t.Tensor, region), region: region}
	d.chip[Copy{t.Tensor, step}] = to
	switch {
	case from.Words() == 0: // zeros that were there before the iteration
		return nil
	case region.All():
		to.Copy(*from)
		return nil
	}
	return d.cut(t.Tensor, region, to.Values, d.whole(t.Tensor), *from)
}

// Store copies a copy of a tensor, or a part of it, from the layer buffer to its
// DRAM slot.
func (d *Chip) Store(t schedule.Transfer, from Copy, memory Memory) error {
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
	to, err := memory.Values(t.Tensor)
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

// Release drops what the layer buffer no longer holds.
func (d *Chip) Release(held func(Copy) bool) {
	for key, p := range d.chip {
		if !held(key) {
			d.free(p.Values)
			delete(d.chip, key)
		}
	}
}

// Begin starts a step: registers hold nothing.
func (d *Chip) Begin(step int64) {
	d.now, d.made, d.fired, d.passed, d.delta = step, d.made[:0], false, false, false
	d.sums, d.spikes, d.spatial = d.sums[:0], d.spikes[:0], d.spatial[:0]
}

// End finishes a step: packs a layer's spikes, puts boxes back where they belong,
// and renames what was computed in the place of something else.
func (d *Chip) End(s *schedule.Step) error {
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
			d.Rename(d.newest(p.Replaces, d.now), Copy{p.Tensor, d.now})
		}
	}
	return nil
}

// keepsFor tells whether a tensor stays on chip for later steps.
func keepsFor(s *schedule.Step, t role.Tensor) bool {
	for _, k := range s.Keeps {
		if k == t {
			return true
		}
	}
	return false
}

func (d *Chip) isMade(t role.Tensor) bool {
	for _, made := range d.made {
		if made == t {
			return true
		}
	}
	return false
}

// emit packs a layer's output.
func (d *Chip) emit(s *schedule.Step) error {
	net := d.workload.Net
	l, box := net.Layer(s.Layer), d.firedBox
	t := role.Tensor{Class: role.Spikes, Index: s.Layer, Step: s.Time}
	if net.OnlyAdded(s.Layer) {
		return nil // its spikes are an operand of the sum that the shortcut ends
	}
	box = d.pooled(l, box)
	to, err := d.product(s, t, box)
	if err != nil {
		return err
	}
	if err := need("spikes", d.spikes, box.Size()); err != nil {
		return err
	}
	pe.Pack(to.Bits, d.spikes, d.bits(t))
	n := nonzero(d.spikes)
	d.record.outputs[s.Layer-1] += n
	if s.Time == d.workload.Timesteps {
		d.record.late.outputs[s.Layer-1] += n
	}
	d.show(Observation{Time: s.Time, Layer: s.Layer, Block: s.Block, Output: true}, box, nil, d.spikes)
	return nil
}

// Measured returns the measured densities, as exact ratios.
func (d *Chip) Measured() (*network.Activity, error) { return d.record.activity() }

// Tensors returns what the simulation has to tell: CONTRACT.md's dump.
func (d *Chip) Tensors() tensors.Set { return d.record.set }
