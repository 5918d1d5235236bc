package sim

import (
	"accelsim/dram"
	"accelsim/energy"
	"accelsim/hardware"
	"accelsim/network"
	"accelsim/pe"
	"accelsim/schedule"
	"accelsim/tensors"
	"accelsim/units"
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
	Class    [schedule.MemoryClasses]units.Bytes
	Capacity units.Bytes
}

// Cycles is the time of an iteration in PE clocks, and what it went to. PE
// busy and the stalls add up to the total, to rounding.
type Cycles struct {
	Total   units.Cycles
	PEBusy  units.Cycles // the array or its lanes compute
	Phase   [numPhases]units.Cycles
	DRAM    units.Cycles // a transfer is under way
	Overlap units.Cycles // both
	// PEs wait ..
	StallLoad  units.Cycles // .. while data are loaded
	StallStore units.Cycles // .. while results are stored
	StallOther units.Cycles // .. for neither
}

// Energy of one iteration.
type Energy struct {
	DRAM, OnChip, PE, Static units.Picojoules
	Commands                 dram.Energy // DRAM by class
}

// Total is the sum of all parts.
func (e Energy) Total() units.Picojoules { return e.DRAM + e.OnChip + e.PE + e.Static }

// OnChip is the layer buffer's use.
type OnChip struct {
	Capacity, Peak units.Bytes
	Reads, Writes  units.Words // accesses by PEs and DMA
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

	Counts     Counts
	Beyond     BeyondTotals
	Words      [schedule.MemoryClasses]Traffic // all words, by what they hold
	Operations [pe.NumOps]int64                // all operations, by kind
	OnChip     OnChip
	Footprint  Footprint
	// Unread counts values that were overwritten in DRAM before anything read
	// them, by class.
	Unread [schedule.MemoryClasses]int64
	// Policy is what was pinned on chip and not stored, Saved what that left out.
	Policy schedule.Policy
	Pinned units.Bytes
	Saved  Savings

	// Shares is all of that by layer and phase.
	Shares []Share

	Timing *Timing // nil without timing

	// Of a functional simulation: the tensors that CONTRACT.md lists, and the
	// densities of the values that were there, which are Workload's too.
	Tensors  tensors.Set
	Measured *network.Activity
}

// inCycles converts time to PE clocks, rounding up.
func (m *machine) inCycles(t units.Picoseconds) units.Cycles {
	return units.Cycles(units.CeilDiv(t, m.period))
}

func (m *machine) result(hw *hardware.Hardware, o Options) (*Result, error) {
	p, g := m.program, m.groups[0]
	g.settle()
	total := m.accounts.total()
	r := &Result{
		Workload: p.Workload(), Hardware: hw, K: p.K, N: p.N, Blocks: p.Blocks, Intervals: p.Intervals(),
		Steps: g.stored,
		Words: total.class,
		Footprint: Footprint{
			Total: m.memory.footprint(), Class: m.memory.bytes, Capacity: hw.DRAM.Capacity(),
		},
		Unread: m.memory.unread,
		Policy: p.Policy(), Pinned: p.PinnedWords().Bytes(), Saved: total.saved,
	}
	var err error
	if r.Counts, err = total.counts(); err != nil {
		return nil, err
	}
	if r.Beyond, err = total.beyondTotals(); err != nil {
		return nil, err
	}
	if r.Operations, err = total.operations(); err != nil {
		return nil, err
	}
	r.OnChip = OnChip{Capacity: g.buffer.Capacity().Bytes(), Peak: g.buffer.Peak().Bytes()}
	r.OnChip.Reads, r.OnChip.Writes = g.buffer.Accesses()
	if data := g.pes.data; data != nil {
		if err = data.finish(m.memory); err != nil {
			return nil, err
		}
		if r.Measured, err = data.record.activity(); err != nil {
			return nil, err
		}
		r.Tensors = data.record.set
		measured := *r.Workload
		measured.Activity = *r.Measured
		r.Workload = &measured
	}
	if r.Shares, err = m.accounts.shares(); err != nil {
		return nil, err
	}
	if !o.Untimed {
		r.Timing = m.timing(r, hw, o.Energy)
		r.Timing.Shares = m.accounts.times(r, hw, o.Energy)
	}
	if m.trace != nil {
		m.trace.Total = g.stored
	}
	return r, nil
}

func (m *machine) timing(r *Result, hw *hardware.Hardware, table energy.Table) *Timing {
	end, g := m.kernel.now, m.groups[0]
	m.dram.Finish(end)
	t := &Timing{Seconds: end.Seconds(), DRAM: m.dram.Stats()}
	g.booked.account.Idle.Add(m.commands(), 1)

	at, c := g.attended.time, &t.Cycles
	c.Total = m.inCycles(end)
	for phase, busy := range g.busy {
		c.Phase[phase] = busy
		c.PEBusy += busy
	}
	c.DRAM = m.inCycles(at[0][loadTransfer] + at[0][storeTransfer] + at[1][loadTransfer] + at[1][storeTransfer])
	c.Overlap = m.inCycles(at[1][loadTransfer] + at[1][storeTransfer])
	c.StallLoad = m.inCycles(at[0][loadTransfer])
	c.StallStore = m.inCycles(at[0][storeTransfer])
	c.StallOther = m.inCycles(at[0][noTransfer])

	if clocks := m.dram.Elapsed() * units.Cycles(hw.DRAM.Channels); clocks > 0 {
		t.Utilisation = float64(t.DRAM.DataBusy) / float64(clocks)
	}
	t.Energy = price(hw, table, r.OnChip.Capacity, usage{r.Operations, Traffic{r.OnChip.Reads, r.OnChip.Writes}, t.DRAM, end})
	return t
}
