package sim

import (
	"errors"
	"fmt"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// plan is how a program runs on hardware: which PE group executes what, on how
// large a layer buffer.
type plan struct {
	program *schedule.Program // with the hardware's words
	parts   []assignment
	extents []schedule.Extent
}

// assignment is what a PE group executes, and on what.
type assignment struct {
	own      *schedule.Program
	source   Source
	tiles    *tiling.Planner   // nil if the buffer is as large as it takes
	memories []hardware.Buffer // on chip
	room     tiling.Room       // in them
	paper    units.Words       // what the paper's policy needs, if the buffer is as large as that
	// handOver is the words of a time step of the group before's spikes; so
	// many places for them are in the layer buffer.
	handOver units.Words
	places   int
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

// planFor deals the program's blocks out to PE groups and fits each group's part
// into its layer buffer. With only the equations' traffic the buffer is the
// paper's, as large as it takes: what does not fit would have to be fetched
// again, which the equations leave out. The paper's buffer is as large as its
// policy needs, and no larger where more stays on chip. Plans of programs that
// pin other tensors may share a memo.
func planFor(p *schedule.Program, hw *hardware.Hardware, order schedule.Order, memo tiling.Memo) (plan, error) {
	p = p.WithWord(hw.PE.Precision.Word())
	if memo == nil {
		memo = tiling.Memo{}
	}
	first, err := deal(p, hw, order)
	if err != nil {
		return plan{}, err
	}
	layer, err := p.With(schedule.Policy{})
	if err != nil {
		return plan{}, err
	}
	made := plan{program: p}
	cut := hw.OnChip != 0 && p.Traffic == schedule.All
	for i := range first {
		last := len(p.Blocks)
		if i+1 < len(first) {
			last = first[i+1] - 1
		}
		x, paper := assignment{own: p, memories: hw.Memories(), room: roomOf(hw)}, layer
		if len(first) > 1 {
			x.own, paper = p.Group(first[i], last), layer.Group(first[i], last)
		}
		if l := x.own.Received(); l != 0 {
			x.places, x.handOver = places, p.Words(schedule.Spikes, l)
		}
		if hw.OnChip == 0 || p.Traffic == schedule.Equations {
			x.paper = paper.WorkingSet()
			capacity := x.paper + x.handOver*units.Words(x.places)
			x.memories = []hardware.Buffer{{Capacity: capacity.Of(p.Sizes.Word), Bank: hw.Bank, Ports: hw.Ports}}
			x.room = tiling.Room{Shared: true, Words: tiling.Words{capacity}, Word: x.room.Word}
			cut = cut || x.own.WorkingSet() > x.paper
		}
		made.parts = append(made.parts, x)
	}
	for i := range made.parts {
		x := &made.parts[i]
		if !cut {
			x.source = x.own.Start()
			continue
		}
		if i > 0 && !made.parts[i-1].tiles.Hands() {
			x.places = 0
		}
		if x.tiles, err = memo.New(x.own, x.room, x.places, hw.PE); err != nil {
			return plan{}, err
		}
		if x.places > 0 && !x.tiles.Receives() {
			x.places = 0
		}
		if i > 0 && x.places == 0 {
			made.parts[i-1].tiles.HandThroughMemory()
		}
		x.source = x.tiles
	}
	made.extents = p.Extents()
	for _, x := range made.parts {
		if x.tiles != nil {
			made.extents = append(made.extents, x.tiles.Spilled()...)
		}
	}
	p.Share(made.extents, first)
	return made, nil
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
	pes.ledger = &ledger{}
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
