package sim

import (
	"math/big"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// Share is what one layer, or the classifier of one block, took in one phase.
// All shares together are the whole result: words, operations, accesses,
// commands and time to the last one, energy to rounding.
type Share struct {
	Block int
	Layer int // 0 is the block's classifier
	Phase Phase

	Words      [role.InMemory]Traffic // across the DRAM port, by what they hold
	Operations [pe.NumOps]int64
	OnChip     Traffic                   // accesses to the layer buffer by PEs and DMA
	Memories   [role.Buffers]Traffic     // of them, by memory, in the order of [OnChip.Memories]
	PE         units.Total[units.Cycles] // the array or its lanes compute
	Ports      units.Total[units.Cycles] // the ports of the layer buffer serve them
	Stall      units.Total[units.Cycles] // the PEs wait for the ports
	Kernels    [schedule.NumOps]units.Total[units.Cycles]
}

// ShareTime is the time and energy of a share. Every moment belongs to the step
// that PEs execute or, when they wait, to the one whose load or store they wait
// for.
type ShareTime struct {
	Busy, WaitPorts, WaitLoad, WaitStore, WaitOther units.Time
	Moved                                           [role.InMemory]Moved
	Idle                                            dram.Stats // refresh and standby while no transfer was under way
	Energy                                          Energy
}

// Moved is what the DRAM did for tensors of one class.
type Moved struct {
	Time   units.Time // its transfers were under way
	Stats  dram.Stats
	Energy dram.Energy
}

// Time returns all time of the share.
func (s *ShareTime) Time() units.Time {
	return units.Sum(s.Busy, s.WaitPorts, s.WaitLoad, s.WaitStore, s.WaitOther)
}

// DRAM returns how long the share's transfers were under way, and what the
// DRAM did for it, while idle too.
func (s *ShareTime) DRAM() (t units.Time, stats dram.Stats) {
	stats = s.Idle
	for _, m := range s.Moved {
		t.AddTotal(m.Time)
		stats.Add(m.Stats, 1)
	}
	return t, stats
}

// account is a share in the making, with its ledger.
type account struct {
	Share
	*ShareTime // nil without timing; everybody's where only totals are wanted
	ledger     ledger
}

// accounts books what the machine does to the layer, or classifier, and phase
// that it does it for.
type accounts struct {
	net       *network.Network
	timed     bool
	together  *ShareTime        // nil unless only totals are wanted
	list      []*account        // by part and phase; nil until something is booked
	densities [][]units.Density // of parts' inputs
}

// booked is how far a group's counters have been booked. What they gain until
// another account is entered belongs to the one that is.
type booked struct {
	account *account
	onChip  accesses // by memory
	busy    units.Total[units.Cycles]
}

func newAccounts(p *schedule.Program, o *Options) *accounts {
	a := &accounts{timed: !o.Untimed, net: p.Workload().Net, densities: densities(p.Workload(), p.Blocks)}
	a.list = make([]*account, len(a.densities)*int(numPhases))
	if o.Totals {
		a.together = new(ShareTime)
	}
	return a
}

// of returns the account of a step.
func (a *accounts) of(s *schedule.Step) *account {
	part, phase := partOf(a.net, false, s.Layer), phaseOf(s)
	if s.Layer == 0 {
		part = partOf(a.net, true, s.Block)
	}
	at := &a.list[part*int(numPhases)+int(phase)]
	if *at == nil {
		*at = &account{
			Share:  Share{Block: s.Block, Layer: s.Layer, Phase: phase},
			ledger: newLedger(a.densities[part]),
		}
		switch {
		case a.timed && a.together != nil:
			(*at).ShareTime = a.together
		case a.timed:
			(*at).ShareTime = new(ShareTime)
		}
	}
	return *at
}

// enter makes a step's account the one that the group's work belongs to, and
// its ledger the one that counts.
func (g *group) enter(s *schedule.Step) {
	c := g.accounts.of(s)
	if c == g.booked.account {
		return // as for the tile before
	}
	g.settle()
	g.booked.account = c
	g.pes.ledger = &g.booked.account.ledger
}

// settle books what the counters of buffer and PEs have gained since the
// account was entered.
func (g *group) settle() {
	at := &g.booked
	counted := g.buffer.counted()
	busy := units.Sum(g.busy[:]...)
	if c := at.account; c != nil {
		for i, now := range counted {
			reads, writes := now.Reads-at.onChip[i].Reads, now.Writes-at.onChip[i].Writes
			c.OnChip.Reads += reads
			c.OnChip.Writes += writes
			c.Memories[i].Reads += reads
			c.Memories[i].Writes += writes
		}
		c.PE.AddTotal(busy.Minus(at.busy))
	}
	at.onChip, at.busy = counted, busy
}

// spend books the time since the last event, and returns the account.
func (g *group) spend(t units.Time, peBusy bool, transfer transferKind) *account {
	var c *account
	switch {
	case peBusy:
		c = g.accounts.of(g.step(g.executed))
		c.Busy.AddTotal(t)
	case transfer == loadTransfer:
		c = g.accounts.of(g.step(g.loading - 1))
		c.WaitLoad.AddTotal(t)
	case transfer == storeTransfer:
		c = g.accounts.of(g.step(g.storing - 1))
		c.WaitStore.AddTotal(t)
	default:
		c = g.waitingFor()
		c.WaitOther.AddTotal(t)
	}
	return c
}

// waitingFor returns the account that a group's waiting belongs to when nothing
// of its own is under way: of the step that waits for another group.
func (g *group) waitingFor() *account {
	if len(g.groups) > 1 {
		if s := g.stuck(); s != nil {
			return g.accounts.of(s)
		}
	}
	return g.booked.account
}

// ledgers returns those of all accounts.
func (a *accounts) ledgers() (list ledgers) {
	for _, c := range a.list {
		if c != nil {
			list = append(list, c.ledger.all()...)
		}
	}
	return list
}

// stalled returns the clocks in which PEs wait for ports.
func (a *accounts) stalled() (sum units.Total[units.Cycles]) {
	for _, c := range a.list {
		if c != nil {
			sum.AddTotal(c.Stall)
		}
	}
	return sum
}

// shares closes the accounts. Operations are exact fractions, of which the
// whole is rounded once; a share is what rounding the sum up to it adds, so
// that all shares make the whole.
func (a *accounts) shares() ([]Share, error) {
	var upTo [pe.NumOps]*big.Rat
	var rounded [pe.NumOps]int64
	for op := range upTo {
		upTo[op] = new(big.Rat)
	}
	var list []Share
	for _, c := range a.list {
		if c == nil {
			continue
		}
		c.Words = c.ledger.class
		for op, sum := range upTo {
			for _, l := range c.ledger.all() {
				l.addOperations(sum, pe.Op(op))
			}
			n, err := units.RoundHalfEven(sum)
			if err != nil {
				return nil, err
			}
			c.Operations[op] = n - rounded[op]
			rounded[op] = n
		}
		list = append(list, c.Share)
	}
	return list, nil
}

// usage is what energy is spent on.
type usage struct {
	operations [pe.NumOps]int64
	onChip     [role.Buffers]Traffic // by memory
	commands   dram.Stats
	time       units.Time
}

// price returns the energy of a usage on so many PE groups with that memory on
// chip. It is linear: shares cost what the whole does.
func price(hw *hardware.Hardware, table energy.Table, groups int, onChip *OnChip, u usage) Energy {
	e := Energy{Commands: hw.DRAM.Energy(u.commands)}
	e.DRAM = e.Commands.Total()
	for i, m := range onChip.Memories {
		e.OnChip += m.energy(table, hw.PE.Precision, u.onChip[i])
	}
	for op, n := range u.operations {
		e.PE += units.Picojoules(table.PE(hw.PE.Precision, pe.Op(op)) * units.Picojoules(n))
	}
	e.Static = table.Static(groups*hw.PE.PEs(), hw.PE.Precision, onChip.Capacity).Over(u.time)
	return e
}

// times returns the time of every share, priced.
func (a *accounts) times(r *Result, hw *hardware.Hardware, table energy.Table) []ShareTime {
	list := make([]ShareTime, 0, len(r.Shares))
	for _, c := range a.list {
		if c == nil {
			continue
		}
		t := *c.ShareTime
		_, commands := t.DRAM()
		t.WaitPorts = units.As[units.Picoseconds](c.Stall).Times(int64(hw.PE.Clock.Period())) // a part of its steps' execution
		t.Busy = t.Busy.Minus(t.WaitPorts)
		t.Energy = price(hw, table, 1, &r.groupOf(c.Block).OnChip, usage{c.Operations, c.Memories, commands, t.Time()})
		for class := range t.Moved {
			t.Moved[class].Energy = hw.DRAM.Energy(t.Moved[class].Stats)
		}
		list = append(list, t)
	}
	return list
}
