package dram

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"

	"github.com/accelsim-dev/accelsim/units"
)

// ReadINI reads a device in DRAMsim3's .ini format. A key that is absent takes
// DRAMsim3's default; protocol, rows, columns, device_width, tCK, CL, tRP and
// tRAS have none. An error names filename and line; what a file may ask for
// without getting it is in the [Remarks].
//
// Beyond DRAMsim3's keys, [dram_structure] takes beats_per_clock, and [power]
// takes VPP, IPP0, IPP3N and IPP5 (V, mA) and io_read and io_write (pJ per
// bit), all 0 when absent.
func ReadINI(r io.Reader, filename string) (Device, Remarks, error) {
	f, err := scanINI(r, filename)
	if err != nil {
		return Device{}, Remarks{}, err
	}
	d := f.device()
	if f.err == nil {
		f.refuse(d.validate())
	}
	if f.err != nil {
		return Device{}, Remarks{}, f.err
	}
	f.unknown()
	return d, f.remarks, nil
}

// Remarks is what the reader of a device's file should know beside the device.
type Remarks struct {
	// Defaults are the values taken for keys that are absent, "key = value".
	Defaults []string
	// Notes are what the file asks for and does not get, and keys that nothing
	// knows, each with file and line.
	Notes []string
}

// refuse turns what makes a device invalid into the error of the line with the
// first of the keys that decide it.
func (f *ini) refuse(err error) {
	var why *invalid
	if !errors.As(err, &why) {
		f.err = err
		return
	}
	line, text := f.sections[sectionOf(why.keys[0])], why.message
	for _, key := range why.keys {
		v, ok := f.value(sectionOf(key), key)
		if ok {
			line = v.line
			break
		}
		text += fmt.Sprintf(" (%s is not given; this is its default)", key)
	}
	f.fail(max(1, line), "%s", text)
}

// device turns the file into a Device with DRAMsim3's defaults.
func (f *ini) device() Device {
	const structure, system = "dram_structure", "system"
	d := Device{
		Name:          f.name[strings.LastIndexByte(f.name, '/')+1:],
		BankGroups:    f.count(structure, "bankgroups", 2),
		BanksPerGroup: f.count(structure, "banks_per_group", 2),
		Rows:          f.count(structure, "rows", required),
		Columns:       f.count(structure, "columns", required),
		DeviceWidth:   f.count(structure, "device_width", required),
		BurstLength:   f.count(structure, "BL", 8),
		Channels:      f.count(system, "channels", 1),
		BusWidth:      f.count(system, "bus_width", 64),
		Mapping:       f.text(system, "address_mapping", "chrobabgraco"),
		CommandQueue:  f.integer(system, "cmd_queue_size", 16),
		Transactions:  f.integer(system, "trans_queue_size", 32),
		ClosePage:     f.choice(system, "row_buf_policy", "OPEN_PAGE", "CLOSE_PAGE") == 1,
		Refresh:       RefreshPolicy(f.choice(system, "refresh_policy", "RANK_LEVEL_STAGGERED", "RANK_LEVEL_SIMULTANEOUS", "BANK_LEVEL_STAGGERED")),
	}
	d.Name = strings.TrimSuffix(d.Name, ".ini")
	if v, ok := f.value(system, "name"); ok {
		d.Name = v.text
	}
	if _, ok := f.value(structure, "beats_per_clock"); ok {
		d.BeatsPerClock = f.integer(structure, "beats_per_clock", 0)
	}
	v, ok := f.value(structure, "protocol")
	if !ok {
		f.missing(structure, "protocol")
		return d
	}
	d.Standard = v.text
	std, ok := standards[d.Standard]
	if !ok {
		f.fail(v.line, "protocol %q is not built in; have %s", d.Standard, strings.Join(standardNames(), ", "))
		return d
	}
	if !f.flag(structure, "bankgroup_enable", true) {
		d.BanksPerGroup = product(d.BanksPerGroup, d.BankGroups)
		d.BankGroups = 1
	}
	if scale := std.ColumnScale; scale > 0 {
		d.Columns = product(d.Columns, scale)
	} else {
		d.Columns = product(d.Columns, d.BurstLength)
	}
	f.timing(&d, std)
	f.power(&d)
	f.ranks(&d)
	f.unmodelled(std)
	return d
}

// ranks derives the ranks from channel_size, as DRAMsim3 does: as many as fit,
// at least one.
func (f *ini) ranks(d *Device) {
	megabytes := f.integer("system", "channel_size", 1024)
	d.Ranks = 1
	if f.err == nil {
		f.refuse(d.validateSizes())
	}
	if f.err != nil {
		return
	}
	rank, channel := d.RankBytes(), units.Bytes(megabytes)*units.MiB
	n := max(1, channel/rank)
	v, given := f.value("system", "channel_size")
	if !given {
		v.line = f.sections["system"]
	}
	most := max(1, units.Bytes(maxBanks/max(1, d.Banks())))
	if !powerOfTwo(n) || n > most {
		below := min(most, units.Bytes(1)<<(bits.Len64(uint64(n))-1))
		accepted := megabytesText(below * rank)
		if above := 2 * below; above <= most {
			accepted += " or " + megabytesText(above*rank)
		}
		f.fail(max(1, v.line), "channel_size = %d MB holds %d ranks of %s MB; a channel has a power of two of them, at most %d of %d banks each: write channel_size = %s",
			megabytes, n, megabytesText(rank), most, d.Banks(), accepted)
		return
	}
	if given && n*rank != channel {
		f.note(v.line, "channel_size = %d MB is no whole number of ranks of %s MB; %s MB are taken", megabytes, megabytesText(rank), megabytesText(n*rank))
	}
	d.Ranks = int(n)
}

// megabytesText prints a size in channel_size's unit.
func megabytesText(b units.Bytes) string {
	return fmt.Sprintf("%g", float64(b)/float64(units.MiB))
}

func (f *ini) timing(d *Device, std standard) {
	ns, line := f.number("timing", "tCK")
	if line == 0 {
		f.missing("timing", "tCK")
		return
	}
	d.Clock = units.Picoseconds(math.Round(ns * 1000))
	if ns*1000 < 1 || ns > 1e6 {
		f.fail(line, "tCK = %g must be in 0.001..1000000 ns", ns)
	}
	t := &d.Timing
	t.AL = f.clocks("AL", 0)
	t.CL = f.clocks("CL", required)
	t.CWL = f.clocks("CWL", 12)
	t.RP = f.clocks("tRP", required)
	t.RAS = f.clocks("tRAS", required)
	if std.SplitRCD {
		t.RCDRD = f.clocks("tRCDRD", 24)
		t.RCDWR = f.clocks("tRCDWR", 20)
	} else {
		t.RCDRD = f.clocks("tRCD", 10)
		t.RCDWR = t.RCDRD
	}
	t.RFC = f.clocks("tRFC", 74)
	t.REFI = f.clocks("tREFI", 7800)
	if _, given := f.value("timing", "tRFCb"); given || d.Refresh == BankStaggered {
		t.RFCb = f.clocks("tRFCb", 20)
		t.REFIb = f.clocks("tREFIb", 1950)
	}
	t.RRDS = f.clocks("tRRD_S", 4)
	t.CCDS = f.clocks("tCCD_S", 4)
	t.WTRS = f.clocks("tWTR_S", 5)
	t.RRDL, t.CCDL, t.WTRL = t.RRDS, t.CCDS, t.WTRS
	if d.BankGroups > 1 {
		t.RRDL = f.clocks("tRRD_L", 4)
		t.CCDL = f.clocks("tCCD_L", 6)
		t.WTRL = f.clocks("tWTR_L", 5)
	}
	t.FAW = f.clocks("tFAW", 50)
	t.WR = f.clocks("tWR", 10)
	t.RTP = f.clocks("tRTP", 5)
	t.RTRS = f.clocks("tRTRS", 2)
	if std.PPD {
		t.PPD = f.clocks("tPPD", 0)
	}
	if std.AW32 {
		t.AW32 = f.clocks("t32AW", 330)
	}
}

func (f *ini) power(d *Device) {
	p := &d.Power
	p.VDD = f.current("VDD", 1.2)
	p.IDD0 = f.current("IDD0", 48)
	p.IDD2P = f.current("IDD2P", 25)
	p.IDD2N = f.current("IDD2N", 34)
	p.IDD3N = f.current("IDD3N", 43)
	p.IDD4W = f.current("IDD4W", 123)
	p.IDD4R = f.current("IDD4R", 135)
	p.IDD5AB = f.current("IDD5AB", 250)
	if _, given := f.value("power", "IDD5PB"); given || d.Refresh == BankStaggered {
		p.IDD5PB = f.current("IDD5PB", 5)
	}
	p.IDD3P = f.optional("IDD3P")
	p.IDD6 = f.optional("IDD6x")
	p.VPP = f.optional("VPP")
	p.IPP0 = f.optional("IPP0")
	p.IPP3N = f.optional("IPP3N")
	p.IPP5 = f.optional("IPP5")
	p.ReadPJPerBit = f.optional("io_read")
	p.WritePJPerBit = f.optional("io_write")
}
