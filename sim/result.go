package sim

import (
	"slices"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/units"
)

// Phase is a part of the iteration to which PE clocks are attributed.
type Phase uint8

// The phases.
const (
	Forward Phase = iota
	Backward
	Update
	numPhases
)

// String names the phase.
func (p Phase) String() string { return [...]string{"forward", "backward", "update"}[p] }

func phaseOf(s *schedule.Step) Phase {
	switch {
	case s.Kind.Forward():
		return Forward
	case s.Kind == schedule.UpdateLayer || s.Kind == schedule.UpdateClassifier:
		return Update
	}
	return Backward
}

// Footprint is the DRAM that tensors take.
type Footprint struct {
	Total    units.Bytes
	Class    [role.InMemory]units.Bytes
	Capacity units.Bytes
}

// Cycles is the time of an iteration in PE clocks, and what it went to. PE
// busy and the stalls add up to the total, to rounding; with several PE groups,
// to the total times the groups.
type Cycles struct {
	Total   units.Total[units.Cycles]
	PEBusy  units.Total[units.Cycles] // the array or its lanes compute
	Phase   [numPhases]units.Total[units.Cycles]
	DRAM    units.Total[units.Cycles] // a transfer is under way
	Overlap units.Total[units.Cycles] // both
	// PEs wait ..
	StallPorts units.Total[units.Cycles] // .. for ports of the layer buffer, while they execute a step
	StallLoad  units.Total[units.Cycles] // .. while data are loaded
	StallStore units.Total[units.Cycles] // .. while results are stored
	StallOther units.Total[units.Cycles] // .. for neither: with several groups, for another one
}

// Group is what one PE group executed.
type Group struct {
	First, Last int // its blocks
	Steps       int64
	OnChip      OnChip
	// With timing:
	PEBusy, StallPorts, StallLoad, StallStore, StallOther units.Total[units.Cycles]
}

// Energy of one iteration.
type Energy struct {
	DRAM, OnChip, PE, Static units.Picojoules
	Commands                 dram.Energy // DRAM by class
}

// Total is the sum of all parts.
func (e Energy) Total() units.Picojoules { return e.DRAM + e.OnChip + e.PE + e.Static }

// OnChip is the layer buffer's use; of several, the sums.
type OnChip struct {
	Capacity, Peak units.Bytes
	Reads, Writes  units.Words // accesses by PEs and DMA
	// Memories is what it consists of: one, or one for each kind of tensor, in
	// the order of [schedule.Buffer].
	Memories []Memory
}

// Memory is one memory of the layer buffer, and its use.
type Memory struct {
	hardware.Buffer
	Peak units.Bytes
	Traffic
	Energy units.Picojoules // of the accesses; 0 without timing
}

// energy returns what accesses cost.
func (m *Memory) energy(table energy.Table, p pe.Precision, t Traffic) units.Picojoules {
	return table.SRAM(m.Bank, p.Word(), t.Reads, t.Writes)
}

// Limited tells whether ports limit accesses.
func (o *OnChip) Limited() bool {
	for _, m := range o.Memories {
		if m.Ports > 0 {
			return true
		}
	}
	return false
}

// Timing is what a timed simulation adds to the counts.
type Timing struct {
	Cycles  Cycles
	Seconds float64
	Energy  Energy
	DRAM    dram.Stats
	// Shares[i] is the time and energy of the result's Shares[i].
	Shares []ShareTime
	// Utilisation is the share of DRAM clocks in which a data bus was busy.
	Utilisation float64
}

// Result is what one iteration moved, executed and took. It is plain data.
type Result struct {
	Workload  *network.Workload
	Hardware  *hardware.Hardware
	K, N      int
	Blocks    []network.Block
	Intervals int
	Steps     int64
	Order     schedule.Order
	Groups    []Group // those that were used

	Counts     Counts
	Beyond     BeyondTotals
	Words      [role.InMemory]Traffic // all words, by what they hold
	Operations [pe.NumOps]int64       // all operations, by kind
	OnChip     OnChip
	Footprint  Footprint
	// Unread counts values that were overwritten in DRAM before anything read
	// them, by class.
	Unread [role.InMemory]int64
	// Policy is what was pinned on chip and not stored, Saved what that left out.
	Policy schedule.Policy
	Pinned units.Bytes
	Saved  Savings

	// Shares is all of that by layer and phase, unless only totals were asked for.
	Shares []Share

	Timing *Timing // nil without timing

	// Of a functional simulation: the tensors that CONTRACT.md lists, and the
	// densities of the values that were there, which are Workload's too.
	Tensors  tensors.Set
	Measured *network.Activity
}

// groupOf returns the PE group that executed a block.
func (r *Result) groupOf(block int) *Group {
	i := slices.IndexFunc(r.Groups, func(g Group) bool { return block <= g.Last })
	return &r.Groups[i]
}

// inCycles converts time to PE clocks, rounding up.
func (m *machine) inCycles(t units.Time) units.Total[units.Cycles] { return units.Clocks(t, m.period) }

// after returns the time so many PE clocks after another.
func (m *machine) after(at units.Time, n units.Cycles) units.Time {
	return at.PlusTotal(units.TotalOf(m.period).Times(int64(n)))
}

func (m *machine) result(pl *Plan, o Options) (*Result, error) {
	p, hw := pl.program, pl.hardware
	for _, g := range m.groups {
		g.settle()
	}
	counted := m.accounts.ledgers()
	r := &Result{
		Workload: p.Workload(), Hardware: hw, K: p.K, N: p.N, Blocks: p.Blocks, Intervals: p.Intervals(),
		Order: o.Order,
		Footprint: Footprint{
			Total: pl.layout.footprint(), Class: pl.layout.bytes, Capacity: hw.DRAM.Capacity(),
		},
		Unread: m.memory.unread,
		Policy: p.Policy(), Pinned: p.PinnedWords().Of(p.Sizes.Word),
	}
	r.Words, r.Saved = counted.words()
	for _, g := range m.groups {
		group := g.result()
		r.Groups = append(r.Groups, group)
		r.Steps += group.Steps
		r.OnChip.add(group.OnChip)
	}
	var err error
	if r.Counts, err = counted.counts(); err != nil {
		return nil, err
	}
	if r.Beyond, err = counted.beyond(); err != nil {
		return nil, err
	}
	if r.Operations, err = counted.operations(); err != nil {
		return nil, err
	}
	if data := m.groups[0].pes.data; data != nil {
		if err = data.Finish(m.memory); err != nil {
			return nil, err
		}
		if r.Measured, err = data.Measured(); err != nil {
			return nil, err
		}
		r.Tensors = data.Tensors()
		measured := *r.Workload
		measured.Activity = *r.Measured
		r.Workload = &measured
	}
	if !o.Untimed {
		for i := range r.OnChip.Memories {
			of := &r.OnChip.Memories[i]
			of.Energy = of.energy(o.Energy, hw.PE.Precision, of.Traffic)
		}
	}
	if !o.Totals {
		if r.Shares, err = m.accounts.shares(); err != nil {
			return nil, err
		}
	}
	if !o.Untimed {
		r.Timing = m.timing(r, hw, o.Energy)
		if !o.Totals {
			r.Timing.Shares = m.accounts.times(r, hw, o.Energy)
		}
	}
	if m.trace != nil {
		m.trace.Total = r.Steps
	}
	return r, nil
}

// result returns what the group executed.
func (g *group) result() Group {
	own := g.own.Own()
	r := Group{First: own[0].Index, Last: own[len(own)-1].Index, Steps: g.stored, OnChip: g.bufferUse(), StallPorts: g.stalled}
	r.PEBusy = units.Sum(g.busy[:]...)
	r.StallLoad, r.StallStore = g.inCycles(g.time[0][loadTransfer]), g.inCycles(g.time[0][storeTransfer])
	r.StallOther = g.inCycles(g.time[0][noTransfer])
	return r
}

// bufferUse returns the use of the group's layer buffer.
func (g *group) bufferUse() OnChip {
	o := OnChip{Capacity: g.buffer.Capacity().Of(g.memory.word), Peak: g.buffer.Peak().Of(g.memory.word)}
	o.Reads, o.Writes = g.buffer.Accesses()
	for i, b := range g.buffer.Buffers() {
		of := Memory{Buffer: g.buffer.built[i], Peak: b.Peak().Of(g.memory.word)}
		of.Reads, of.Writes = b.Accesses()
		o.Memories = append(o.Memories, of)
	}
	return o
}

// add adds what another group's layer buffer has and was used for.
func (o *OnChip) add(other OnChip) {
	o.Capacity += other.Capacity
	o.Peak += other.Peak
	o.Reads += other.Reads
	o.Writes += other.Writes
	if o.Memories == nil {
		o.Memories = slices.Clone(other.Memories)
		return
	}
	for i, b := range other.Memories {
		m := &o.Memories[i]
		m.Capacity += b.Capacity
		m.Peak += b.Peak
		m.Reads += b.Reads
		m.Writes += b.Writes
	}
}

func (m *machine) timing(r *Result, hw *hardware.Hardware, table energy.Table) *Timing {
	end := m.kernel.now
	m.dram.Finish(end)
	t := &Timing{Seconds: units.Seconds(end), DRAM: m.dram.Stats()}
	m.dram.Book(&m.groups[0].booked.account.Idle)

	c := &t.Cycles
	c.Total, c.DRAM, c.Overlap = m.inCycles(end), m.inCycles(m.attended.dram), m.inCycles(m.attended.overlap)
	for i, g := range m.groups {
		for phase, busy := range g.busy {
			c.Phase[phase].AddTotal(busy)
		}
		c.PEBusy.AddTotal(r.Groups[i].PEBusy)
		c.StallLoad.AddTotal(r.Groups[i].StallLoad)
		c.StallStore.AddTotal(r.Groups[i].StallStore)
		c.StallOther.AddTotal(r.Groups[i].StallOther)
	}
	if clocks := m.dram.Elapsed().Times(int64(hw.DRAM.Channels)); clocks.Sign() > 0 {
		t.Utilisation = t.DRAM.DataBusy.Float64() / clocks.Float64()
	}
	c.StallPorts = m.accounts.stalled()
	all := usage{operations: r.Operations, commands: t.DRAM, time: end}
	for i, m := range r.OnChip.Memories {
		all.onChip[i] = m.Traffic
	}
	t.Energy = price(hw, table, len(m.groups), &r.OnChip, all)
	return t
}

// Moved returns all words that crossed the DRAM port, whatever they were for.
func (r *Result) Moved() (t Traffic) {
	for _, words := range r.Words {
		t.Reads += words.Reads
		t.Writes += words.Writes
	}
	return t
}
