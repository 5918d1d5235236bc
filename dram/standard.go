package dram

import (
	"maps"
	"slices"

	"github.com/accelsim-dev/accelsim/units"
)

// standard is what a JEDEC standard fixes for all of its devices.
type standard struct {
	BeatsPerClock int  // data beats in one clock of the command bus
	ColumnScale   int  // how many DeviceWidth columns an .ini file's column stands for; 0: one per beat of a burst
	SplitRCD      bool // tRCDRD and tRCDWR instead of tRCD
	PPD           bool // tPPD separates precharges (DDR5, LPDDR4 and later, GDDR)
	AW32          bool // at most 32 ACTs in t32AW
	DualCommand   bool // row and column commands have buses of their own
	Postponed     int  // refreshes that may be postponed
}

// standards are the built-in ones. The columns of an .ini file mean device
// words in DDR and LPDDR, prefetches in HBM and bursts in GDDR, as DRAMsim3
// reads them. Postponed: eight in JESD79-3, JESD79-4, JESD209-4 and JESD209-5,
// four in normal refresh mode in JESD79-5; graphics and HBM are taken as DDR4.
var standards = map[string]standard{
	"DDR3":   {BeatsPerClock: 2, ColumnScale: 1, Postponed: 8},
	"DDR4":   {BeatsPerClock: 2, ColumnScale: 1, Postponed: 8},
	"DDR5":   {BeatsPerClock: 2, ColumnScale: 1, PPD: true, Postponed: 4},
	"LPDDR":  {BeatsPerClock: 2, ColumnScale: 1, Postponed: 8},
	"LPDDR3": {BeatsPerClock: 2, ColumnScale: 1, Postponed: 8},
	"LPDDR4": {BeatsPerClock: 2, ColumnScale: 1, PPD: true, Postponed: 8},
	"LPDDR5": {BeatsPerClock: 8, ColumnScale: 1, PPD: true, Postponed: 8},
	"GDDR5":  {BeatsPerClock: 4, SplitRCD: true, PPD: true, AW32: true, Postponed: 8},
	"GDDR5X": {BeatsPerClock: 8, SplitRCD: true, PPD: true, AW32: true, Postponed: 8},
	"GDDR6":  {BeatsPerClock: 16, SplitRCD: true, PPD: true, AW32: true, Postponed: 8},
	"HBM":    {BeatsPerClock: 2, ColumnScale: 2, SplitRCD: true, DualCommand: true, Postponed: 8},
	"HBM2":   {BeatsPerClock: 2, ColumnScale: 2, SplitRCD: true, DualCommand: true, Postponed: 8},
}

func standardNames() []string { return slices.Sorted(maps.Keys(standards)) }

// Command is a DRAM command.
type Command uint8

// The commands. RDA and WRA close the row by themselves.
const (
	ACT  Command = iota // open a row
	PRE                 // close a bank
	RD                  // read a burst
	WR                  // write a burst
	REF                 // refresh all banks of a rank
	REFB                // refresh one bank
	RDA                 // RD with auto-precharge
	WRA                 // WR with auto-precharge
	commands
	timed = RDA // commands below have timers; RDA and WRA wait for those of RD and WR
)

// String returns the command's JEDEC mnemonic.
func (c Command) String() string {
	return [...]string{"ACT", "PRE", "RD", "WR", "REF", "REFB", "RDA", "WRA"}[c]
}

// Column reports whether c moves a burst.
func (c Command) Column() bool { return c == RD || c == WR || c == RDA || c == WRA }

// timer is the command whose timers c waits for.
func (c Command) timer() Command {
	switch c {
	case RDA:
		return RD
	case WRA:
		return WR
	}
	return c
}

// Scope is the part of a channel that a constraint couples.
type Scope uint8

// The scopes. A constraint of scope Rank holds between any two banks of a
// rank, and so on; OtherRanks couples a rank with its siblings.
const (
	Bank Scope = iota
	Group
	Rank
	OtherRanks
	scopes
)

// Constraint keeps After at least Gap clocks behind the Window-th last Before
// in the same scope (a Window of 0 counts as 1, the last one).
type Constraint struct {
	Scope  Scope
	Before Command
	After  Command
	Gap    units.Cycles
	Window int
}

// Constraints is the timing of d as one table: the minimum times between
// commands of the JEDEC standards (JESD79-4 for DDR4 and so on).
func (d Device) Constraints() []Constraint {
	t, burst, std := d.Timing, d.BurstCycles(), standards[d.Standard]
	rl, wl := t.AL+t.CL, t.AL+t.CWL
	ccdL, wtrL, rrdL := t.CCDL, t.WTRL, t.RRDL
	if d.BankGroups == 1 { // without bank groups, only the short ones exist
		ccdL, wtrL, rrdL = t.CCDS, t.WTRS, t.RRDS
	}
	readToWrite := rl + burst + t.RTRS - wl
	readClose := t.AL + t.RTP
	writeClose := wl + burst + t.WR
	table := []Constraint{
		{Scope: Bank, Before: ACT, After: RD, Gap: max(1, t.RCDRD-t.AL)},
		{Scope: Bank, Before: ACT, After: WR, Gap: max(1, t.RCDWR-t.AL)},
		{Scope: Bank, Before: ACT, After: PRE, Gap: t.RAS},
		{Scope: Bank, Before: ACT, After: ACT, Gap: t.RC()},
		{Scope: Bank, Before: PRE, After: ACT, Gap: t.RP},
		{Scope: Group, Before: ACT, After: ACT, Gap: rrdL},
		{Scope: Rank, Before: ACT, After: ACT, Gap: t.RRDS},
		{Scope: Rank, Before: ACT, After: ACT, Gap: t.FAW, Window: 4},
		{Scope: Rank, Before: ACT, After: REF, Gap: t.RC()},
		{Scope: Rank, Before: PRE, After: REF, Gap: t.RP},
		{Scope: Bank, Before: ACT, After: REFB, Gap: t.RC()},
		{Scope: Bank, Before: PRE, After: REFB, Gap: t.RP},
		{Scope: Rank, Before: ACT, After: REFB, Gap: t.RRDS},
		{Scope: Rank, Before: REF, After: ACT, Gap: t.RFC},
		{Scope: Rank, Before: REF, After: REF, Gap: t.RFC},
		{Scope: Rank, Before: REF, After: REFB, Gap: t.RFC},
		{Scope: Bank, Before: REFB, After: ACT, Gap: t.RFCb},
		{Scope: Rank, Before: REFB, After: ACT, Gap: t.RRDS},
		{Scope: Rank, Before: REFB, After: REFB, Gap: t.RFCb},
		{Scope: Rank, Before: REFB, After: REF, Gap: t.RFCb},
	}
	if std.PPD {
		table = append(table, Constraint{Scope: Rank, Before: PRE, After: PRE, Gap: t.PPD})
	}
	if std.AW32 {
		table = append(table, Constraint{Scope: Rank, Before: ACT, After: ACT, Gap: t.AW32, Window: 32})
	}
	for _, read := range []Command{RD, RDA} {
		table = append(table,
			Constraint{Scope: Group, Before: read, After: RD, Gap: max(burst, ccdL)},
			Constraint{Scope: Rank, Before: read, After: RD, Gap: max(burst, t.CCDS)},
			Constraint{Scope: OtherRanks, Before: read, After: RD, Gap: burst + t.RTRS},
			Constraint{Scope: Rank, Before: read, After: WR, Gap: readToWrite},
			Constraint{Scope: OtherRanks, Before: read, After: WR, Gap: readToWrite},
		)
	}
	for _, write := range []Command{WR, WRA} {
		table = append(table,
			Constraint{Scope: Group, Before: write, After: WR, Gap: max(burst, ccdL)},
			Constraint{Scope: Rank, Before: write, After: WR, Gap: max(burst, t.CCDS)},
			Constraint{Scope: OtherRanks, Before: write, After: WR, Gap: burst + t.RTRS},
			Constraint{Scope: Group, Before: write, After: RD, Gap: wl + burst + wtrL},
			Constraint{Scope: Rank, Before: write, After: RD, Gap: wl + burst + t.WTRS},
			Constraint{Scope: OtherRanks, Before: write, After: RD, Gap: wl + burst + t.RTRS - rl},
		)
	}
	return append(table,
		Constraint{Scope: Bank, Before: RD, After: PRE, Gap: readClose},
		Constraint{Scope: Bank, Before: WR, After: PRE, Gap: writeClose},
		Constraint{Scope: Bank, Before: RDA, After: ACT, Gap: readClose + t.RP},
		Constraint{Scope: Bank, Before: WRA, After: ACT, Gap: writeClose + t.RP},
		Constraint{Scope: Rank, Before: RDA, After: REF, Gap: readClose + t.RP},
		Constraint{Scope: Rank, Before: WRA, After: REF, Gap: writeClose + t.RP},
		Constraint{Scope: Bank, Before: RDA, After: REFB, Gap: readClose + t.RP},
		Constraint{Scope: Bank, Before: WRA, After: REFB, Gap: writeClose + t.RP},
	)
}

// validate reports a timing that is negative, absurd or contradicts another.
func (t Timing) validate(std standard) error {
	for _, n := range t.named() {
		if *n.value < 0 || *n.value > maxTiming {
			return wrong(n.key, "%s = %d must be in 0..%d clocks", n.key, *n.value, maxTiming)
		}
	}
	for _, positive := range []struct {
		key   string
		value units.Cycles
	}{
		{"CL", t.CL},
		{"tRP", t.RP},
		{"tRAS", t.RAS},
		{"tRFC", t.RFC},
		{"tREFI", t.REFI},
	} {
		if positive.value < 1 {
			return wrong(positive.key, "%s must be at least 1 clock", positive.key)
		}
	}
	rcd := "tRCD"
	if std.SplitRCD {
		rcd = "tRCDRD"
	}
	for _, order := range []struct {
		less, more           string
		lessValue, moreValue units.Cycles
	}{
		{rcd, "tRAS", t.RCDRD, t.RAS},
		{"tRCDWR", "tRAS", t.RCDWR, t.RAS},
		{"AL", rcd, t.AL, min(t.RCDRD, t.RCDWR)},
		{"tRRD_S", "tRRD_L", t.RRDS, t.RRDL},
		{"tRRD_S", "tFAW", t.RRDS, t.FAW},
		{"tCCD_S", "tCCD_L", t.CCDS, t.CCDL},
		{"tWTR_S", "tWTR_L", t.WTRS, t.WTRL},
	} {
		if order.lessValue > order.moreValue {
			return contradiction([]string{order.less, order.more}, "%s (%d clocks) contradicts %s (%d): it must not exceed it", order.less, order.lessValue, order.more, order.moreValue)
		}
	}
	if least := t.RFC + t.work(); t.REFI < least {
		return contradiction([]string{"tREFI", "tRFC"}, "tREFI (%d clocks) leaves no time for requests after tRFC (%d): it must be at least %d", t.REFI, t.RFC, least)
	}
	return nil
}

// work is the time that must lie between two refreshes of a bank: enough to
// close what was open, open a row and use it, or nothing else would ever be
// served.
func (t Timing) work() units.Cycles {
	return 2*(t.RC()+max(t.RCDRD, t.RCDWR)+t.CWL+t.AL+t.WR) + 2*maxBanks
}
