// Package accelsim tells what it costs to train a spiking neural network on
// chip: it simulates an accelerator, cycle by cycle, that trains with temporally
// truncated local backpropagation through time (Guo et al. 2023).
//
// A [Design] is a network at (k, n) on some hardware. It can be planned, which
// tells what fits and where, and run, which simulates one training iteration.
// Results are plain data, the same as those of accelsim run --format json;
// [Compare] puts several beside each other.
//
// What a network and a machine are is in the packages network and hardware, and
// the DRAM model alone in dram.
package accelsim

import (
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// OpenNetwork returns a built-in network by its name, or the one that a workload
// file describes.
func OpenNetwork(name string) (*network.Workload, error) { return network.Open(name) }

// OpenHardware returns a built-in machine by its name, or the one that a
// hardware file describes.
func OpenHardware(name string) (*hardware.Hardware, error) { return hardware.Open(name) }

// Design is what to simulate.
type Design struct {
	Network  *network.Workload
	Hardware *hardware.Hardware
	// K is the steps of an interval and N the layers of a local block; 0 is all of
	// them. K must divide the time steps. Both 0 is standard BPTT.
	K, N int
	// Pipelined has several PE groups train blocks of their own at the same time.
	Pipelined bool
	// Resident keeps on chip what saves traffic there; SkipUnread leaves out stores
	// that nothing reads.
	Resident, SkipUnread bool
	// Untimed counts words and operations only: no cycles, no energy.
	Untimed bool
	// Alone leaves out the comparison with standard BPTT on the same hardware.
	Alone bool
	// Stop, if not nil, ends a run early once it is closed.
	Stop <-chan struct{}
}

// Result is what one training iteration moved, executed and took.
type Result = report.Run

// Comparison is several results beside each other, measured by the first.
type Comparison = report.CompareRecord

// Plan is what is known of a design before it runs.
type Plan struct {
	Blocks    [][]int // all layer numbers of each local block
	Intervals int     // T/k
	Steps     int64   // of the schedule, in an iteration
	// Footprint is the bytes of DRAM of every tensor that has an address, by name.
	Footprint map[string]units.Bytes
	Total     units.Bytes // of them
	Capacity  units.Bytes // of the DRAM
}

// point is the design as the simulator's own.
func (d Design) point() design.Point {
	p := design.Point{
		Workload: d.Network, Hardware: d.Hardware, K: d.K, N: d.N,
		Residency:  sim.Residency{Resident: d.Resident, SkipUnread: d.SkipUnread},
		Options:    sim.Options{Untimed: d.Untimed, Stop: d.Stop},
		NoBaseline: d.Alone,
	}
	if d.K == 0 {
		p.K = d.Network.Timesteps
	}
	if d.N == 0 {
		p.N = d.Network.Net.N()
	}
	if d.Pipelined {
		p.Options.Order = schedule.Pipelined
	}
	return p
}

// Plan fits the design onto its hardware. Its errors say what does not fit and
// what would.
func (d Design) Plan() (*Plan, error) {
	fitted, footprint, err := d.point().Plan()
	if err != nil {
		return nil, err
	}
	program := fitted.Program()
	plan := &Plan{
		Intervals: program.Intervals(), Steps: program.Steps(),
		Footprint: map[string]units.Bytes{}, Total: footprint.Total, Capacity: footprint.Capacity,
	}
	for _, b := range program.Blocks {
		plan.Blocks = append(plan.Blocks, b.Layers())
	}
	for c, bytes := range footprint.Class {
		if bytes > 0 {
			plan.Footprint[role.Role(c).String()] = bytes
		}
	}
	return plan, nil
}

// Run simulates one training iteration.
func (d Design) Run() (*Result, error) {
	evaluation, err := design.Evaluate(d.point())
	if err != nil {
		return nil, err
	}
	return report.NewRun(evaluation), nil
}

// Compare puts results beside each other under the given names.
func Compare(names []string, results ...*Result) Comparison {
	c := report.Comparison{}
	for i, r := range results {
		c.Add(names[i], r)
	}
	return c.Data()
}
