// Package dram is the external memory: devices as data, address mapping, the
// timing of commands, two controllers and the energy of what they did. It
// knows bursts and commands, nothing of layers or tensors.
//
// A [Device] is plain data, found by name ([Lookup]) or read from an .ini file
// ([ReadINI]). Its timing is one table of constraints ([Device.Constraints])
// that every engine here obeys.
//
// Two controllers use it:
//
//   - [Memory] stands behind the accelerator's DMA. A transfer of any length
//     is one call. It cuts transfers into segments that begin and end with all
//     banks closed and refresh caught up, so that equal segments take equal
//     time wherever they lie.
//   - [Controller] is the general one: FR-FCFS over per-bank queues, a write
//     buffer, open pages and staggered refresh, fed by a trace or a [Pattern].
//
// Each has a reference engine, which places every command, and a fast engine
// that gives exactly the same result. Times inside this package are in clocks
// of the memory's command bus, written units.Cycles.
package dram

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/units"
)

// Device is one memory system: a standard, its organisation, timing, currents
// and the controller's sizes. It is plain data; copies are independent.
type Device struct {
	Name     string
	Standard string // a key of the table in standard.go, such as "DDR4"

	// Organisation. Every count is a power of two.
	Channels      int
	Ranks         int // per channel
	BankGroups    int // per rank
	BanksPerGroup int
	Rows          int // per bank
	Columns       int // per row, each DeviceWidth bits
	DeviceWidth   int // bits
	BusWidth      int // bits per channel
	BurstLength   int // beats
	BeatsPerClock int // on a data pin; 0: the standard's

	Clock  units.Picoseconds // tCK, of the command bus
	Timing Timing
	Power  Power

	Mapping      string // six two-letter fields, most significant first: "rochrababgco"
	CommandQueue int    // entries per bank
	Transactions int    // entries of the read queue, and of the write buffer
	ClosePage    bool   // close a row with each column command
	Refresh      RefreshPolicy
}

// RefreshPolicy says what one refresh covers and when each is due.
type RefreshPolicy int

// The refresh policies of [Controller]; [Memory] refreshes all ranks of a
// channel between segments.
const (
	RankStaggered    RefreshPolicy = iota // one rank after the other, a REF every tREFI/ranks
	RankSimultaneous                      // every rank each tREFI
	BankStaggered                         // one bank after the other, a per-bank REF every tREFIb
)

// Timing holds a device's timing parameters in clocks, by their JEDEC names
// without the "t".
type Timing struct {
	AL, CL, CWL  units.Cycles
	RCDRD, RCDWR units.Cycles // ACT to RD and to WR
	RP, RAS      units.Cycles // tRC is their sum
	RFC, REFI    units.Cycles
	RFCb, REFIb  units.Cycles // per-bank refresh
	RRDS, RRDL   units.Cycles
	FAW          units.Cycles
	AW32         units.Cycles // GDDR: window of 32 ACTs
	CCDS, CCDL   units.Cycles
	WTRS, WTRL   units.Cycles
	WR, RTP      units.Cycles
	RTRS         units.Cycles // rank to rank, and the bus turnaround
	PPD          units.Cycles // PRE to PRE, LPDDR and GDDR
}

// RC is the least time from ACT to ACT of one bank.
func (t Timing) RC() units.Cycles { return t.RAS + t.RP }

// Power holds supply voltages in volts and currents in milliamperes per chip,
// by their datasheet names, and I/O energy in picojoules per bit.
type Power struct {
	VDD                         float64
	IDD0                        float64 // one bank ACT-PRE
	IDD2P, IDD2N                float64 // precharged power-down, standby
	IDD3P, IDD3N                float64 // active power-down, standby
	IDD4W, IDD4R                float64
	IDD5AB, IDD5PB              float64 // refresh, all-bank and per-bank
	IDD6                        float64 // self refresh
	VPP, IPP0, IPP3N, IPP5      float64 // wordline supply; 0 V where the standard has none
	ReadPJPerBit, WritePJPerBit float64 // I/O and termination
}

// BurstBytes is the size of one burst, the unit of every transfer.
func (d Device) BurstBytes() units.Bytes {
	return units.Bytes(d.BusWidth/8) * units.Bytes(d.BurstLength)
}

// BurstCycles is how long one burst occupies a channel's data bus.
func (d Device) BurstCycles() units.Cycles {
	return max(1, units.Cycles(d.BurstLength/d.Beats()))
}

// Beats is the transfers on a data pin in one clock of the command bus.
func (d Device) Beats() int {
	if d.BeatsPerClock > 0 {
		return d.BeatsPerClock
	}
	return max(1, standards[d.Standard].BeatsPerClock)
}

// PageBytes is the size of one open row across the chips of a rank.
func (d Device) PageBytes() units.Bytes {
	return units.Bytes(d.Columns) * units.Bytes(d.BusWidth) / 8
}

// RankBytes is the capacity of one rank.
func (d Device) RankBytes() units.Bytes {
	return d.PageBytes() * units.Bytes(d.Rows) * units.Bytes(d.Banks())
}

// Capacity is the size of the whole memory system.
func (d Device) Capacity() units.Bytes {
	return d.RankBytes() * units.Bytes(d.Ranks) * units.Bytes(d.Channels)
}

// Banks is the number of banks in a rank.
func (d Device) Banks() int { return product(d.BankGroups, d.BanksPerGroup) }

// Chips is the number of chips that work together in a rank.
func (d Device) Chips() int { return max(1, d.BusWidth/max(1, d.DeviceWidth)) }

// PeakBandwidth is the data rate of all channels in bytes per second.
func (d Device) PeakBandwidth() float64 {
	return float64(d.BurstBytes()) * float64(d.Channels) / (units.Picoseconds(d.BurstCycles()) * d.Clock).Seconds()
}

// WithRanks returns d with n ranks per channel (a power of two).
func (d Device) WithRanks(n int) Device { d.Ranks = n; return d }

// WithChannels returns d with n channels (a power of two).
func (d Device) WithChannels(n int) Device { d.Channels = n; return d }

// WithMapping returns d with another address mapping.
func (d Device) WithMapping(mapping string) Device { d.Mapping = mapping; return d }

// invalid says what makes a device unusable, and the keys of an .ini file that
// decide it, the one to mend first.
type invalid struct {
	keys    []string
	message string
}

func (e *invalid) Error() string { return e.message }

// wrong says what is wrong with one key.
func wrong(key, format string, args ...any) error {
	return contradiction([]string{key}, format, args...)
}

// contradiction says how the values of several keys contradict each other.
func contradiction(keys []string, format string, args ...any) error {
	return &invalid{keys, fmt.Sprintf(format, args...)}
}

// Validate reports what makes d unusable: a count that is not a power of two,
// a timing that contradicts another, currents that make an energy negative, a
// mapping that lacks a field.
func (d Device) Validate() error {
	if err := d.validate(); err != nil {
		return fmt.Errorf("device %s: %w", d.Name, err)
	}
	return nil
}

func (d Device) validate() error {
	std, ok := standards[d.Standard]
	if !ok {
		return wrong("protocol", "protocol %q is not built in; have %s", d.Standard, strings.Join(standardNames(), ", "))
	}
	if err := d.validateSizes(); err != nil {
		return err
	}
	if err := d.Timing.validate(std); err != nil {
		return err
	}
	if d.Refresh == BankStaggered {
		banks := units.Cycles(d.Banks() * d.Ranks)
		if least := max(d.Timing.RFCb+1, units.CeilDiv(d.Timing.RFCb+d.Timing.work(), banks)); d.Timing.REFIb < least {
			return contradiction([]string{"tREFIb", "tRFCb"}, "tREFIb (%d clocks) leaves no time for requests between the per-bank refreshes of %d banks: it must be at least %d", d.Timing.REFIb, banks, least)
		}
	}
	if err := d.Power.validate(d.Timing, d.Refresh); err != nil {
		return err
	}
	_, err := newMapping(d)
	return err
}

// validateSizes checks the organisation and the controller's queues.
func (d Device) validateSizes() error {
	for _, c := range []struct {
		name string
		n    int
	}{
		{"channels", d.Channels},
		{"ranks", d.Ranks},
		{"bankgroups", d.BankGroups},
		{"banks_per_group", d.BanksPerGroup},
		{"rows", d.Rows},
		{"columns", d.Columns},
		{"device_width", d.DeviceWidth},
		{"bus_width", d.BusWidth},
		{"BL", d.BurstLength},
	} {
		if !powerOfTwo(c.n) {
			return wrong(c.name, "%s = %d must be a power of two", c.name, c.n)
		}
	}
	switch {
	case d.BusWidth < 8 || d.DeviceWidth > d.BusWidth:
		return contradiction([]string{"device_width", "bus_width"}, "device_width %d does not fit a bus_width of %d bits", d.DeviceWidth, d.BusWidth)
	case d.Columns < d.BurstLength:
		return contradiction([]string{"columns", "BL"}, "a row of %d columns is shorter than a burst of %d", d.Columns, d.BurstLength)
	case d.BurstLength > maxBurst:
		return wrong("BL", "BL = %d must be at most %d", d.BurstLength, maxBurst)
	case d.Banks() > maxBanks:
		return contradiction([]string{"bankgroups", "banks_per_group"}, "bankgroups x banks_per_group makes %d banks in a rank; at most %d", d.Banks(), maxBanks)
	case d.Channels > maxChannels:
		return wrong("channels", "%d channels; at most %d", d.Channels, maxChannels)
	case d.BeatsPerClock < 0 || d.BeatsPerClock > maxBeats:
		return wrong("beats_per_clock", "beats_per_clock = %d must be in 1..%d", d.BeatsPerClock, maxBeats)
	case d.Clock <= 0:
		return wrong("tCK", "tCK must be above 0")
	case d.CommandQueue < 1 || d.CommandQueue > maxQueue:
		return wrong("cmd_queue_size", "cmd_queue_size = %d must be in 1..%d", d.CommandQueue, maxQueue)
	case d.Transactions < 1 || d.Transactions > maxQueue:
		return wrong("trans_queue_size", "trans_queue_size = %d must be in 1..%d", d.Transactions, maxQueue)
	}
	if capacity, err := units.Mul(units.Bytes(d.Channels), units.Bytes(d.Ranks), units.Bytes(d.Banks()), units.Bytes(d.Rows), d.PageBytes()); err != nil || capacity > 1<<50 {
		return contradiction([]string{"rows", "columns", "bus_width", "channels"}, "its capacity exceeds 1 PiB: bus_width / 8 x columns x rows x banks x ranks x channels")
	}
	return nil
}

func powerOfTwo[T ~int | ~int64](n T) bool { return n > 0 && n&(n-1) == 0 }

// Sizes that bound every state to something small.
const (
	maxBanks    = 64 // of all ranks in a channel: a set of banks is one word
	maxChannels = 64
	maxQueue    = 64
	maxBurst    = 1 << 10 // beats
	maxBeats    = 1 << 10 // on a data pin in one clock
	maxTiming   = 1 << 24 // clocks
)

// named pairs each timing with its key in an .ini file.
func (t *Timing) named() []struct {
	key   string
	value *units.Cycles
} {
	return []struct {
		key   string
		value *units.Cycles
	}{
		{"AL", &t.AL},
		{"CL", &t.CL},
		{"CWL", &t.CWL},
		{"tRCDRD", &t.RCDRD},
		{"tRCDWR", &t.RCDWR},
		{"tRP", &t.RP},
		{"tRAS", &t.RAS},
		{"tRFC", &t.RFC},
		{"tREFI", &t.REFI},
		{"tRFCb", &t.RFCb},
		{"tREFIb", &t.REFIb},
		{"tRRD_S", &t.RRDS},
		{"tRRD_L", &t.RRDL},
		{"tFAW", &t.FAW},
		{"t32AW", &t.AW32},
		{"tCCD_S", &t.CCDS},
		{"tCCD_L", &t.CCDL},
		{"tWTR_S", &t.WTRS},
		{"tWTR_L", &t.WTRL},
		{"tWR", &t.WR},
		{"tRTP", &t.RTP},
		{"tRTRS", &t.RTRS},
		{"tPPD", &t.PPD},
	}
}
