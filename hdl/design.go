package hdl

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// Options say what to write.
type Options struct {
	Workload *network.Workload
	Hardware *hardware.Hardware
	K, N     int
	Formats  fixed.Formats
	Vectors  int // random vectors for each unit
	Seed     uint64
	// Version of accelsim, and the command that makes the same files again:
	// they are written into every generated file.
	Version, Command string
}

// Design is an accelerator to be built: the simulator's numbers for one
// workload, schedule and hardware, and the fixed-point datapath.
type Design struct {
	Options
	Program   *schedule.Program
	Datapath  *fixed.Datapath
	Addresses []sim.Address
	OnChip    units.Bytes // the layer buffer
	// Block is the test of the workload's local block on the array; nil where
	// the controller cannot execute it, NoBlock says why.
	Block   *BlockTest
	NoBlock error

	groups []group
}

// Latencies of the RTL's pipelines, in clocks from operand to result: the
// hardware's pipeline is at least as long as a lane's.
const (
	cellLatency = 2
	laneLatency = 4
)

// New works out a design. Its errors are the user's to mend.
func New(o Options) (*Design, error) {
	a := o.Hardware.PE
	beyond := o.Workload.Beyond()
	switch {
	case len(beyond) > 0:
		return nil, fmt.Errorf("the RTL trains the paper's neuron by its rule, in layers that Table 2's notation can write; %s has %s", o.Workload.Name, strings.Join(beyond, "; "))
	case a.Dataflow != pe.Gated:
		return nil, fmt.Errorf("hardware %s is %s; the RTL is %s", o.Hardware.Name, a.Dataflow, pe.Gated)
	case a.Precision.Word() != units.WordBytes:
		return nil, fmt.Errorf("hardware %s: pe.precision is %s; words in the RTL's address map have %d bytes, write %s or %s",
			o.Hardware.Name, a.Precision, units.WordBytes, pe.FP32, pe.Fixed32)
	case a.Pipeline < laneLatency:
		return nil, fmt.Errorf("hardware %s: pe.pipeline is %d; the RTL's lanes have %d stages, write at least that", o.Hardware.Name, a.Pipeline, laneLatency)
	case a.Lanes > a.PEs():
		return nil, fmt.Errorf("hardware %s: %d lanes for %d PEs; in the RTL a lane is part of a PE, write at most as many", o.Hardware.Name, a.Lanes, a.PEs())
	}
	program, err := schedule.New(o.Workload, o.K, o.N, schedule.All)
	if err != nil {
		return nil, err
	}
	d := &Design{Options: o, Program: program, OnChip: o.Hardware.OnChip}
	if d.Datapath, err = fixed.New(o.Workload, o.K, o.Formats); err != nil {
		return nil, fmt.Errorf("--datapath: %w", err)
	}
	if d.Addresses, err = sim.Addresses(program, o.Hardware.DRAM); err != nil {
		return nil, fmt.Errorf("the address map of %s at batch %d, k = %d, n = %d does not fit on %s: %w; choose a smaller batch or k, or more DRAM",
			o.Workload.Name, o.Workload.Batch, o.K, o.N, o.Hardware.Name, err)
	}
	if d.OnChip == 0 {
		d.OnChip = program.WorkingSet().Bytes()
	}
	d.NoBlock = d.makeBlock()
	d.groups = d.parameters()
	return d, nil
}

// Bounds of what the register files of accelsim_block are for.
const (
	maxBlockAddressBits = 12
	maxBlockPEs         = 64
	blockIntervals      = 2
	blockSeeds          = 32
)

// makeBlock makes the test of the workload's local block.
func (d *Design) makeBlock() error {
	if len(d.Program.Blocks) != 1 {
		return fmt.Errorf("it has %d local blocks", len(d.Program.Blocks))
	}
	b, err := fixed.NewBlock(d.Workload, d.K, d.Formats)
	if err != nil {
		return err
	}
	a := d.Hardware.PE
	if bits := layOutBlock(b, a).addressBits; bits > maxBlockAddressBits || a.PEs() > maxBlockPEs {
		return fmt.Errorf("its buffers take %d address bits and its array %d PEs; register files serve up to %d and %d",
			bits, a.PEs(), maxBlockAddressBits, maxBlockPEs)
	}
	// Random weights may leave neurons far from the surrogate's window, and then
	// nothing is learnt: of some seeds the one that moves most weights is taken.
	for i := range uint64(blockSeeds) {
		if b, err = fixed.NewBlock(d.Workload, d.K, d.Formats); err != nil {
			return err
		}
		if test := NewBlockTest(d.Workload, b, a, blockIntervals, d.Seed+i); d.Block == nil || test.Moved > d.Block.Moved {
			d.Block = test
		}
	}
	return nil
}

// MapEnd returns the first address behind the last tensor.
func (d *Design) MapEnd() units.Bytes {
	last := d.Addresses[len(d.Addresses)-1]
	return last.Base + last.Stride*units.Bytes(last.Slots)
}
