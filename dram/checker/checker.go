// Package checker replays a log of DRAM commands and reports every rule of the
// standards that it breaks.
//
// It is written from the rules as JESD79-4 and its siblings state them, one
// after the other and without regard to speed, and shares nothing with the
// controllers but the device's figures: it knows no constraint table and keeps
// no timers, it looks back at the commands themselves. Where the standards
// speak of the data bus, it looks at the data bus.
package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/units"
)

// Violation is a rule that a command breaks.
type Violation struct {
	Rule     string // "tRCD", "one command a clock", ...
	Command  dram.Issued
	Earliest units.Cycles // when the rule would have been kept; 0 where no time would do
}

// String says what is wrong in one line.
func (v Violation) String() string {
	c := v.Command
	where := fmt.Sprintf("%v at clock %d to channel %d rank %d bank %d row %d", c.Command, c.At, c.Channel, c.Rank, c.Bank, c.Row)
	if v.Earliest > 0 {
		return fmt.Sprintf("%s: %s (not before %d)", where, v.Rule, v.Earliest)
	}
	return fmt.Sprintf("%s: %s", where, v.Rule)
}

// Check returns the violations in a log, in order of time within a channel.
// The log may be in any order; all banks are closed before it begins.
func Check(d dram.Device, log []dram.Issued) []Violation {
	var all []Violation
	for channel := range d.Channels {
		var commands []dram.Issued
		for _, c := range log {
			if c.Channel == channel {
				commands = append(commands, c)
			}
		}
		slices.SortStableFunc(commands, func(a, b dram.Issued) int { return cmp.Compare(a.At, b.At) })
		r := replay{d: d, commands: commands, banks: make([]bank, d.Ranks*d.Banks()), lastREF: make([]refresh, d.Ranks)}
		for i := range commands {
			r.check(i)
		}
		all = append(all, r.violations...)
	}
	return all
}

// replay is the state of one channel while its log is read.
type replay struct {
	d          dram.Device
	commands   []dram.Issued
	banks      []bank
	lastREF    []refresh // per rank
	violations []Violation
}

// bank is what the log so far has done to a bank.
type bank struct {
	open      bool
	row       int
	used      bool
	acted     units.Cycles
	shut      units.Cycles // when the last precharge began
	wasShut   bool
	refresh   units.Cycles // last REFB
	refreshed bool
}

// refresh is the last all-bank REF of a rank.
type refresh struct {
	at  units.Cycles
	had bool
}

// burst is how long data of one column command is on the bus.
func (r *replay) burst() units.Cycles { return r.d.BurstCycles() }

func reads(c dram.Command) bool  { return c == dram.RD || c == dram.RDA }
func writes(c dram.Command) bool { return c == dram.WR || c == dram.WRA }

// data is the first clock at which a column command's data is on the bus.
func (r *replay) data(c dram.Issued) units.Cycles {
	if reads(c.Command) {
		return c.At + r.d.Timing.AL + r.d.Timing.CL
	}
	return c.At + r.d.Timing.AL + r.d.Timing.CWL
}

// precharge is when a bank may be closed after a column command.
func (r *replay) precharge(c dram.Issued) units.Cycles {
	t := r.d.Timing
	if reads(c.Command) {
		return c.At + t.AL + t.RTP
	}
	return r.data(c) + r.burst() + t.WR
}

// need reports a command that comes before a rule allows it.
func (r *replay) need(c dram.Issued, rule string, earliest units.Cycles) {
	if c.At < earliest {
		r.violations = append(r.violations, Violation{rule, c, earliest})
	}
}

// forbid reports a command that is wrong at any time.
func (r *replay) forbid(c dram.Issued, rule string) {
	r.violations = append(r.violations, Violation{Rule: rule, Command: c})
}

// check holds the i-th command against those before it.
func (r *replay) check(i int) {
	c := r.commands[i]
	if c.Rank < 0 || c.Rank >= r.d.Ranks || c.Bank < 0 || c.Bank >= r.d.Banks() || c.Row < 0 || c.Row >= r.d.Rows {
		r.forbid(c, "address outside the device")
		return
	}
	b := &r.banks[c.Rank*r.d.Banks()+c.Bank]
	r.commandBus(i)
	if f := r.lastREF[c.Rank]; f.had {
		r.need(c, "tRFC", f.at+r.d.Timing.RFC)
	}
	switch c.Command {
	case dram.ACT:
		r.activate(i, b)
	case dram.PRE:
		r.close(i, b)
	case dram.RD, dram.RDA, dram.WR, dram.WRA:
		r.column(i, b)
	case dram.REF:
		for j := range r.d.Banks() {
			r.beforeRefresh(c, &r.banks[c.Rank*r.d.Banks()+j])
		}
		r.interval(c)
		r.lastREF[c.Rank] = refresh{c.At, true}
	case dram.REFB:
		r.refreshBank(c, b)
	}
}

// commandBus: one command a clock; with two buses one row and one column
// command (JESD235).
func (r *replay) commandBus(i int) {
	c := r.commands[i]
	for j := i - 1; j >= 0 && r.commands[j].At == c.At; j-- {
		twoBuses := r.d.Standard == "HBM" || r.d.Standard == "HBM2"
		if !twoBuses || r.commands[j].Command.Column() == c.Command.Column() {
			r.forbid(c, "one command a clock")
		}
	}
}

func (r *replay) sameGroup(a, b dram.Issued) bool {
	return a.Rank == b.Rank && a.Bank/r.d.BanksPerGroup == b.Bank/r.d.BanksPerGroup && r.d.BankGroups > 1
}

func (r *replay) activate(i int, b *bank) {
	c, t := r.commands[i], r.d.Timing
	if b.open {
		r.forbid(c, "ACT to an open bank")
	}
	if b.used {
		r.need(c, "tRC", b.acted+t.RAS+t.RP)
	}
	if b.wasShut {
		r.need(c, "tRP", b.shut+t.RP)
	}
	if b.refreshed {
		r.need(c, "tRFCb", b.refresh+t.RFCb)
	}
	inFour, in32 := 0, 0 // ACTs within the windows that c would end
	for j := i - 1; j >= 0; j-- {
		p := r.commands[j]
		if c.At-p.At >= max(t.RRDL, t.FAW, t.AW32, t.RRDS, 1) {
			break
		}
		if p.Rank != c.Rank || p.Command != dram.ACT {
			continue
		}
		if r.sameGroup(p, c) {
			r.need(c, "tRRD_L", p.At+t.RRDL)
		}
		r.need(c, "tRRD_S", p.At+t.RRDS)
		if c.At-p.At < t.FAW {
			inFour++
		}
		if c.At-p.At < t.AW32 {
			in32++
		}
		if inFour == 4 {
			r.need(c, "tFAW", p.At+t.FAW)
		}
		if in32 == 32 {
			r.need(c, "t32AW", p.At+t.AW32)
		}
	}
	b.open, b.row, b.used, b.acted = true, c.Row, true, c.At
}

func (r *replay) close(i int, b *bank) {
	c, t := r.commands[i], r.d.Timing
	if !b.open {
		r.forbid(c, "PRE to a closed bank")
	}
	r.need(c, "tRAS", b.acted+t.RAS)
	for j := i - 1; j >= 0 && r.commands[j].At >= b.acted; j-- {
		p := r.commands[j]
		if p.Rank != c.Rank || p.Bank != c.Bank {
			continue
		}
		if reads(p.Command) {
			r.need(c, "tRTP", r.precharge(p))
		}
		if writes(p.Command) {
			r.need(c, "tWR", r.precharge(p))
		}
	}
	switch r.d.Standard {
	case "DDR5", "LPDDR4", "LPDDR5", "GDDR5", "GDDR5X", "GDDR6":
		for j := i - 1; j >= 0 && c.At-r.commands[j].At < t.PPD; j-- {
			if p := r.commands[j]; p.Rank == c.Rank && p.Command == dram.PRE {
				r.need(c, "tPPD", p.At+t.PPD)
			}
		}
	}
	b.open, b.shut, b.wasShut = false, c.At, true
}

func (r *replay) column(i int, b *bank) {
	c, t := r.commands[i], r.d.Timing
	switch {
	case !b.open:
		r.forbid(c, "column command to a closed bank")
	case b.row != c.Row:
		r.forbid(c, "column command to another row than the open one")
	}
	if c.Column < 0 || c.Column >= r.d.Columns/r.d.BurstLength {
		r.forbid(c, "column outside the row")
	}
	rcd := t.RCDRD
	if writes(c.Command) {
		rcd = t.RCDWR
	}
	r.need(c, "tRCD", b.acted+rcd-t.AL)
	reach := t.CL + t.CWL + 2*t.AL + 2*r.burst() + t.CCDL + t.WTRL + t.WTRS + t.RTRS
	for j := i - 1; j >= 0 && c.At-r.commands[j].At < reach; j-- {
		if p := r.commands[j]; p.Command.Column() {
			r.columns(p, c)
		}
	}
	if c.Command == dram.RDA || c.Command == dram.WRA {
		// The bank precharges itself once tRTP or tWR, and tRAS, have passed.
		b.open, b.shut, b.wasShut = false, max(r.precharge(c), b.acted+t.RAS), true
	}
}

// columns holds two column commands of a channel against each other.
func (r *replay) columns(p, c dram.Issued) {
	t := r.d.Timing
	turn := p.Rank != c.Rank || reads(p.Command) != reads(c.Command)
	if gap := r.data(c) - r.data(p) - r.burst(); turn && r.data(c) >= r.data(p) && gap < t.RTRS {
		r.need(c, "tRTRS between bursts of two ranks or directions", c.At+t.RTRS-gap)
	}
	if start, end := r.data(p), r.data(p)+r.burst(); r.data(c) < end && r.data(c)+r.burst() > start {
		r.need(c, "two bursts on the data bus", c.At+end-r.data(c))
	}
	if p.Rank != c.Rank {
		return
	}
	if reads(p.Command) == reads(c.Command) {
		r.need(c, "tCCD_S", p.At+t.CCDS)
		if r.sameGroup(p, c) {
			r.need(c, "tCCD_L", p.At+t.CCDL)
		}
	}
	if writes(p.Command) && reads(c.Command) {
		r.need(c, "tWTR_S", r.data(p)+r.burst()+t.WTRS)
		if r.sameGroup(p, c) {
			r.need(c, "tWTR_L", r.data(p)+r.burst()+t.WTRL)
		}
	}
}

// beforeRefresh: a bank to be refreshed has been closed for tRP.
func (r *replay) beforeRefresh(c dram.Issued, b *bank) {
	t := r.d.Timing
	if b.open {
		r.forbid(c, "refresh of an open bank")
	}
	if b.wasShut {
		r.need(c, "tRP before refresh", b.shut+t.RP)
	}
	if b.used {
		r.need(c, "tRC before refresh", b.acted+t.RAS+t.RP)
	}
	if b.refreshed {
		r.need(c, "tRFCb", b.refresh+t.RFCb)
	}
}

// interval: as many refreshes may be postponed as the standard says, eight or,
// with DDR5, four; the next then follows at the latest.
func (r *replay) interval(c dram.Issued) {
	postponed := units.Cycles(8)
	if r.d.Standard == "DDR5" {
		postponed = 4
	}
	last := r.lastREF[c.Rank].at // 0 before the first
	if late := last + (postponed+1)*r.d.Timing.REFI; c.At > late {
		r.forbid(c, fmt.Sprintf("refresh later than %d tREFI after the last", postponed+1))
	}
}

func (r *replay) refreshBank(c dram.Issued, b *bank) {
	r.beforeRefresh(c, b)
	for j := range r.d.Banks() {
		if other := &r.banks[c.Rank*r.d.Banks()+j]; other.refreshed {
			r.need(c, "tRFCb between refreshes", other.refresh+r.d.Timing.RFCb)
		}
	}
	b.refresh, b.refreshed = c.At, true
}
