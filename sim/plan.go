package sim

import (
	"errors"
	"fmt"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// Plan is how a program runs on hardware: which PE group executes what, what
// stays on chip, what each step is cut into and where tensors are in DRAM. It is
// made once, by [NewPlan] or [Residency.Plan], and never changes: any number of
// simulations may execute it at the same time, and decide nothing.
type Plan struct {
	program  *schedule.Program // with the hardware's words
	hardware *hardware.Hardware
	order    schedule.Order
	memo     *tiling.Memo
	parts    []part
	extents  []schedule.Extent
	layout   layout
}

// part is what a PE group executes, and in what layer buffer.
type part struct {
	own   *schedule.Program
	tiles *tiling.Plan // nil if the buffer is as large as it takes
	room  tiling.Room
	paper units.Words // what the paper's policy needs, if the buffer is as large as that
	// handOver is the words of a time step of the group before's spikes; so
	// many places for them are in the layer buffer.
	handOver units.Words
	places   int
}

// basis is all of the hardware that what executes where, what stays on chip and
// what steps are cut into depends on. Where tensors are in DRAM depends on the
// DRAM.
type basis struct {
	array    pe.Array // but for its clock: tiles are weighed in clocks
	separate bool
	onChip   units.Bytes
	buffers  [role.Buffers]units.Bytes
	groups   int
}

func basisOf(hw *hardware.Hardware) basis {
	b := basis{array: hw.PE, separate: hw.Separate, onChip: hw.OnChip, groups: hw.Groups}
	b.array.Clock = 0
	for i := range hw.Buffers {
		b.buffers[i] = hw.Buffers[i].Capacity
	}
	return b
}

// ErrOneGroup says that there is nothing to pipeline on.
var ErrOneGroup = errors.New("one PE group, and the pipelined schedule needs several; set pe.groups in the hardware file to their number, or to block for one for every local block")

// places is how many time steps of spikes a group has room for, in use or
// waiting.
const places = 2

// CheckOrder refuses the pipelined order where only one group could work.
func CheckOrder(o schedule.Order, hw *hardware.Hardware, blocks int) error {
	if o == schedule.Pipelined && blocks > 1 && hw.Groups == 1 {
		return fmt.Errorf("%s has %w", hw.Name, ErrOneGroup)
	}
	return nil
}

// NewPlan deals the program's blocks out to PE groups and fits each group's part
// into its layer buffer. With only the equations' traffic the buffer is the
// paper's, as large as it takes: what does not fit would have to be fetched
// again, which the equations leave out. The paper's buffer is as large as its
// policy needs, and no larger where more stays on chip. Plans that share a memo
// work out no tiling twice; nil remembers nothing. The hardware is not to change
// as long as the plan is used.
func NewPlan(p *schedule.Program, hw *hardware.Hardware, order schedule.Order, memo *tiling.Memo) (*Plan, error) {
	if memo == nil {
		memo = new(tiling.Memo)
	}
	p = p.WithWord(hw.PE.Precision.Word())
	first, err := deal(p, hw, order)
	if err != nil {
		return nil, err
	}
	if err := checkHandOver(p, first); err != nil {
		return nil, err
	}
	pl := &Plan{program: p, hardware: hw, order: order, memo: memo}
	cut, err := pl.dealOut(first)
	if err != nil {
		return nil, err
	}
	if cut {
		if err := pl.cut(); err != nil {
			return nil, err
		}
	}
	return pl.lay(first)
}

// ErrAcross says that a network cannot be pipelined.
var ErrAcross = errors.New("it is in another local block, and PE groups hand on only the output of the layer before a block; use the sequential schedule")

// checkHandOver refuses several PE groups for a network in which a layer reads, over a
// block's border, what is not the output of the layer before the block at the same
// step: that alone is handed on.
func checkHandOver(p *schedule.Program, first []int) error {
	if len(first) == 1 {
		return nil
	}
	net := p.Workload().Net
	for _, b := range p.Blocks {
		for _, n := range b.Layers() {
			l := net.Layer(n)
			for _, in := range append([]network.Projection{{From: max(l.Add, 0)}}, l.Inputs...) {
				if !b.Has(in.From) && in.From != network.InputLayer && (in.From != b.First-1 || in.Delay > 0) {
					return fmt.Errorf("layer %d reads layer %d: %w", n, in.From, ErrAcross)
				}
			}
		}
	}
	return nil
}

// dealOut gives each PE group the part of the program that starts with a block,
// and tells whether steps may have to be cut.
func (pl *Plan) dealOut(first []int) (cut bool, err error) {
	p, hw := pl.program, pl.hardware
	layer, err := p.With(schedule.Policy{})
	if err != nil {
		return false, err
	}
	cut = hw.OnChip != 0 && p.Traffic == schedule.All
	for i := range first {
		last := len(p.Blocks)
		if i+1 < len(first) {
			last = first[i+1] - 1
		}
		x, paper := part{own: p, room: roomOf(hw)}, layer
		if len(first) > 1 {
			x.own, paper = p.Group(first[i], last), layer.Group(first[i], last)
		}
		if l := x.own.Received(); l != 0 {
			x.places, x.handOver = places, p.Words(role.Spikes, l)
		}
		if hw.OnChip == 0 || p.Traffic == schedule.Equations {
			x.paper = paper.WorkingSet()
			capacity := x.paper + x.handOver*units.Words(x.places)
			x.room = tiling.Room{Shared: true, Words: tiling.Words{capacity}, Word: x.room.Word}
			cut = cut || x.own.WorkingSet() > x.paper
		}
		pl.parts = append(pl.parts, x)
	}
	return cut, nil
}

// cut fits each group's part into its layer buffer. What a group hands on goes
// through DRAM where it, or the next one, has no room for it.
func (pl *Plan) cut() error {
	for i := range pl.parts {
		x := &pl.parts[i]
		if i > 0 && !pl.parts[i-1].tiles.Hands() {
			x.places = 0
		}
		if err := x.fit(pl); err != nil {
			return err
		}
		if x.places > 0 && !x.tiles.Receives() {
			x.places = 0
		}
		if i > 0 && x.places == 0 {
			pl.parts[i-1].tiles = pl.parts[i-1].tiles.ThroughMemory()
		}
	}
	return nil
}

// fit cuts the part's steps to its room.
func (x *part) fit(pl *Plan) (err error) {
	x.tiles, err = tiling.New(x.own, x.room, x.places, pl.hardware.PE, pl.memo)
	return err
}

// lay gives tensors their addresses.
func (pl *Plan) lay(first []int) (*Plan, error) {
	pl.extents = pl.program.Extents()
	for _, x := range pl.parts {
		if x.tiles != nil {
			pl.extents = append(pl.extents, x.tiles.Spilled()...)
		}
	}
	pl.program.Share(pl.extents, first)
	return pl.layIn(pl.hardware)
}

// layIn is the same plan with tensors in the DRAM of other hardware.
func (pl *Plan) layIn(hw *hardware.Hardware) (_ *Plan, err error) {
	p := *pl
	p.hardware = hw
	p.layout, err = layOut(p.extents, hw.DRAM, p.program.Sizes.Word)
	return &p, err
}

// On returns the plan of the same program on other hardware. Where the two differ
// in nothing that it depends on, but for DRAM, it is this one.
func (pl *Plan) On(hw *hardware.Hardware) (*Plan, error) {
	if basisOf(hw) == basisOf(pl.hardware) {
		return pl.layIn(hw)
	}
	return NewPlan(pl.program, hw, pl.order, pl.memo)
}

// WithRanks returns the plan with as many DRAM ranks more, doubling their number up
// to a most, as its tensors take, and a [NotFit] error if those do not do.
func (pl *Plan) WithRanks(most int) (*Plan, error) {
	for {
		_, err := pl.Footprint()
		hw := *pl.hardware
		if err == nil || hw.DRAM.Ranks >= most {
			return pl, err
		}
		hw.DRAM = hw.DRAM.WithRanks(2 * hw.DRAM.Ranks)
		if pl, err = pl.On(&hw); err != nil {
			return nil, err
		}
	}
}

// Program returns the planned program, with the hardware's words.
func (pl *Plan) Program() *schedule.Program { return pl.program }

// Hardware returns what it is planned for. It is not to change.
func (pl *Plan) Hardware() *hardware.Hardware { return pl.hardware }

// Footprint returns the footprint of the program's tensors by class, and a
// [NotFit] error if the hardware's DRAM cannot hold them.
func (pl *Plan) Footprint() (Footprint, error) {
	f := Footprint{Total: pl.layout.footprint(), Class: pl.layout.bytes, Capacity: pl.hardware.DRAM.Capacity()}
	return f, pl.layout.fits(pl.hardware.DRAM)
}

// Addresses returns the map by which the plan moves tensors, ascending, and a
// [NotFit] error if the hardware's DRAM cannot hold them. What goes to DRAM only
// because layer buffers are small has addresses, too.
func (pl *Plan) Addresses() ([]Address, error) {
	return pl.layout.addresses, pl.layout.fits(pl.hardware.DRAM)
}

// source yields the steps of a group's part.
func (x *part) source() Source {
	if x.tiles != nil {
		return x.tiles.Start()
	}
	return x.own.Start()
}

// memories are what is on chip of a group.
func (x *part) memories(hw *hardware.Hardware) []hardware.Buffer {
	if x.paper > 0 {
		return []hardware.Buffer{{Capacity: x.room.Words[0].Of(x.room.Word), Bank: hw.Bank, Ports: hw.Ports}}
	}
	return hw.Memories()
}

// roomOf returns the layer buffer of one PE group.
func roomOf(hw *hardware.Hardware) tiling.Room {
	word := hw.PE.Precision.Word()
	room := tiling.Room{Shared: true, Words: tiling.Words{units.Words(hw.OnChip / word)}, Word: word}
	if hw.Separate {
		room.Shared = false
		for b, buffer := range hw.Buffers {
			room.Words[b] = units.Words(buffer.Capacity / word)
		}
	}
	return room
}

// deal returns the first block of each PE group: runs of blocks such that the
// group with most to do has as little as possible.
func deal(p *schedule.Program, hw *hardware.Hardware, order schedule.Order) ([]int, error) {
	blocks := len(p.Blocks)
	if err := CheckOrder(order, hw, blocks); err != nil {
		return nil, err
	}
	if order == schedule.Sequential {
		return []int{1}, nil
	}
	groups := blocks
	if hw.Groups > 0 {
		groups = min(groups, hw.Groups)
	}
	work := make([]units.Cycles, blocks)
	for b := range work {
		var err error
		if work[b], err = clocks(p.Group(b+1, b+1), hw); err != nil {
			return nil, err
		}
	}
	// least[g][b] is the most that any of g groups has to do if they have blocks
	// b, b+1 ..; cut[g][b] the block with which the second of them begins.
	least, cut := make([][]units.Cycles, groups+1), make([][]int, groups+1)
	for g := range least {
		least[g], cut[g] = make([]units.Cycles, blocks+1), make([]int, blocks+1)
	}
	for b := blocks - 1; b >= 0; b-- {
		least[1][b] = least[1][b+1] + work[b]
	}
	for g := 2; g <= groups; g++ {
		for b := blocks - g; b >= 0; b-- {
			var own units.Cycles
			for next := b + 1; next <= blocks-g+1; next++ {
				own += work[next-1]
				if most := max(own, least[g-1][next]); cut[g][b] == 0 || most < least[g][b] {
					least[g][b], cut[g][b] = most, next
				}
			}
		}
	}
	first := []int{1}
	for g, b := groups, 0; g > 1; g-- {
		b = cut[g][b]
		first = append(first, b+1)
	}
	return first, nil
}

// clocks returns what one interval of a program takes PEs.
func clocks(p *schedule.Program, hw *hardware.Hardware) (sum units.Cycles, err error) {
	w := p.Workload()
	pes := newProcessor(hw.PE, w, p)
	most := 1 // inputs of a layer
	for i := range w.Net.Layers {
		most = max(most, len(w.Net.Layers[i].Inputs))
	}
	counted := newLedger(make([]units.Density, most))
	pes.ledger = &counted
	var s schedule.Step
	for c := p.Start(); c.Next(&s) && s.Interval == 1; {
		for j := range s.Kernels {
			cost, err := pes.execute(&s, &s.Kernels[j])
			if err != nil {
				return 0, err
			}
			sum += cost.Cycles
		}
	}
	return sum, nil
}
