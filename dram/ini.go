package dram

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"accelsim/units"
)

// ReadINI reads a device in DRAMsim3's .ini format, as those files are: keys
// that a device does not need are skipped, and a timing, power or system key
// that is absent takes DRAMsim3's default. The second result names the
// defaults taken among timings and currents, "key = value" each, and queue
// options that [Controller] replaces by its own. Protocol,
// rows, columns, device_width, tCK, CL, tRP and tRAS have no default. An
// error names filename and line.
//
// Beyond DRAMsim3's keys, [dram_structure] takes beats_per_clock, and [power]
// takes VPP, IPP0, IPP3N and IPP5 (V, mA) and io_read and io_write (pJ per
// bit), all 0 when absent.
func ReadINI(r io.Reader, filename string) (Device, []string, error) {
	f, err := scanINI(r, filename)
	if err != nil {
		return Device{}, nil, err
	}
	d := f.device()
	if f.err != nil {
		return Device{}, nil, f.err
	}
	if err := d.Validate(); err != nil {
		return Device{}, nil, fmt.Errorf("%s:%d: %w", filename, f.lineOf(err.Error()), err)
	}
	return d, f.defaults, nil
}

// ini is a scanned file: values by section and key in lower case.
type ini struct {
	name     string
	values   map[string]iniValue // "section.key"
	sections map[string]int      // line of each section
	lines    int
	defaults []string
	err      error // the first one
}

type iniValue struct {
	text string
	line int
}

func scanINI(r io.Reader, name string) (*ini, error) {
	f := &ini{name: name, values: map[string]iniValue{}, sections: map[string]int{}}
	section := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f.lines++
		text := lines.Text()
		if f.lines == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if cut := strings.IndexAny(text, ";#"); cut >= 0 {
			text = text[:cut]
		}
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if text[0] == '[' {
			if text[len(text)-1] != ']' {
				return nil, fmt.Errorf("%s:%d: section %q is not closed; write %s]", name, f.lines, text, text)
			}
			section = strings.ToLower(strings.TrimSpace(text[1 : len(text)-1]))
			if _, again := f.sections[section]; !again {
				f.sections[section] = f.lines
			}
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			key, value, ok = strings.Cut(text, ":")
		}
		if !ok {
			return nil, fmt.Errorf("%s:%d: %q is neither a [section] nor key = value", name, f.lines, text)
		}
		if value = strings.TrimSpace(value); value == "" {
			continue // as if absent
		}
		key = section + "." + strings.ToLower(strings.TrimSpace(key))
		if before, again := f.values[key]; again {
			return nil, fmt.Errorf("%s:%d: %s is already set on line %d; keep one", name, f.lines, key[len(section)+1:], before.line)
		}
		f.values[key] = iniValue{value, f.lines}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, f.lines+1, err)
	}
	return f, nil
}

// lineOf finds the line of the key that a validation error names first.
func (f *ini) lineOf(message string) int {
	best, line := len(message)+1, max(1, f.lines)
	for key, v := range f.values {
		_, key, _ = strings.Cut(key, ".")
		for at := 0; ; {
			i := strings.Index(strings.ToLower(message[at:]), key)
			if i < 0 {
				break
			}
			i += at
			at = i + len(key)
			word := func(j int) bool {
				return j >= 0 && j < len(message) && (message[j] == '_' || message[j] >= '0' && message[j] <= '9' || message[j]|32 >= 'a' && message[j]|32 <= 'z')
			}
			if !word(i-1) && !word(at) && i < best {
				best, line = i, v.line
			}
		}
	}
	return line
}

func (f *ini) fail(line int, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%s:%d: %s", f.name, line, fmt.Sprintf(format, args...))
	}
}

// missing records that a required key is absent.
func (f *ini) missing(section, key string) {
	line, ok := f.sections[section]
	if !ok {
		f.fail(max(1, f.lines), "section [%s] is missing; it must give %s", section, key)
		return
	}
	f.fail(line, "[%s] must give %s", section, key)
}

func (f *ini) text(section, key, absent string) string {
	if v, ok := f.values[section+"."+strings.ToLower(key)]; ok {
		return v.text
	}
	return absent
}

// number reads a decimal; NaN stands for an absent key.
func (f *ini) number(section, key string) (float64, int) {
	v, ok := f.values[section+"."+strings.ToLower(key)]
	if !ok {
		return math.NaN(), 0
	}
	// A remark may follow the number: tCK = 0.666 (1/1.5)
	x, err := strconv.ParseFloat(strings.Fields(v.text)[0], 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		f.fail(v.line, "%s = %q is not a number", key, v.text)
		return 0, v.line
	}
	if x < 0 {
		f.fail(v.line, "%s = %s must not be negative", key, v.text)
	}
	return x, v.line
}

// integer reads a whole number, or returns absent.
func (f *ini) integer(section, key string, absent int) int {
	x, line := f.number(section, key)
	switch {
	case line == 0:
		return absent
	case x != math.Trunc(x) || x > math.MaxInt32:
		f.fail(line, "%s = %v must be a whole number below 2^31", key, x)
		return absent
	}
	return int(x)
}

// clocks reads a timing; a negative default means that the key is required.
func (f *ini) clocks(key string, absent int) units.Cycles {
	if _, ok := f.values["timing."+strings.ToLower(key)]; !ok {
		if absent < 0 {
			f.missing("timing", key)
			return 0
		}
		f.defaults = append(f.defaults, fmt.Sprintf("%s = %d", key, absent))
	}
	return units.Cycles(f.integer("timing", key, absent))
}

func (f *ini) current(key string, absent float64) float64 {
	x, line := f.number("power", key)
	if line == 0 {
		f.defaults = append(f.defaults, fmt.Sprintf("%s = %g", key, absent))
		return absent
	}
	return x
}

func (f *ini) optional(key string) float64 {
	x, line := f.number("power", key)
	if line == 0 {
		return 0
	}
	return x
}

func (f *ini) flag(section, key string, absent bool) bool {
	v, ok := f.values[section+"."+strings.ToLower(key)]
	if !ok {
		return absent
	}
	switch strings.ToLower(v.text) {
	case "true", "yes", "on", "1":
		return true
	case "false", "no", "off", "0":
		return false
	}
	f.fail(v.line, "%s = %q is neither true nor false", key, v.text)
	return absent
}

// choice reads one of several words and returns its index.
func (f *ini) choice(section, key string, words ...string) int {
	v, ok := f.values[section+"."+strings.ToLower(key)]
	if !ok {
		return 0
	}
	for i, w := range words {
		if v.text == w {
			return i
		}
	}
	f.fail(v.line, "%s = %q is not supported; have %s", key, v.text, strings.Join(words, ", "))
	return 0
}

// required reads a positive whole number that has no default.
func (f *ini) required(section, key string) int {
	if _, ok := f.values[section+"."+strings.ToLower(key)]; !ok {
		f.missing(section, key)
		return 0
	}
	return f.integer(section, key, 0)
}

// device turns the file into a Device with DRAMsim3's defaults.
func (f *ini) device() Device {
	const structure, system = "dram_structure", "system"
	d := Device{
		Name:          f.text(system, "name", strings.TrimSuffix(f.name[strings.LastIndexByte(f.name, '/')+1:], ".ini")),
		Standard:      f.text(structure, "protocol", ""),
		BankGroups:    f.integer(structure, "bankgroups", 2),
		BanksPerGroup: f.integer(structure, "banks_per_group", 2),
		Rows:          f.required(structure, "rows"),
		Columns:       f.required(structure, "columns"),
		DeviceWidth:   f.required(structure, "device_width"),
		BurstLength:   f.integer(structure, "BL", 8),
		BeatsPerClock: f.integer(structure, "beats_per_clock", 0),
		Channels:      f.integer(system, "channels", 1),
		BusWidth:      f.integer(system, "bus_width", 64),
		Mapping:       f.text(system, "address_mapping", "chrobabgraco"),
		CommandQueue:  f.integer(system, "cmd_queue_size", 16),
		Transactions:  f.integer(system, "trans_queue_size", 32),
		ClosePage:     f.choice(system, "row_buf_policy", "OPEN_PAGE", "CLOSE_PAGE") == 1,
		Refresh:       RefreshPolicy(f.choice(system, "refresh_policy", "RANK_LEVEL_STAGGERED", "RANK_LEVEL_SIMULTANEOUS", "BANK_LEVEL_STAGGERED")),
	}
	if f.choice(system, "queue_structure", "PER_BANK", "PER_RANK") == 1 {
		f.defaults = append(f.defaults, "queue_structure = PER_BANK (PER_RANK is not modelled)")
	}
	std, ok := standards[d.Standard]
	if !ok {
		if d.Standard == "" {
			f.missing(structure, "protocol")
		} else {
			f.fail(f.values[structure+".protocol"].line, "protocol %q is not built in; have %s", d.Standard, strings.Join(standardNames(), ", "))
		}
		return d
	}
	if !f.flag(structure, "bankgroup_enable", true) {
		d.BanksPerGroup *= d.BankGroups
		d.BankGroups = 1
	}
	if f.flag(system, "unified_queue", false) {
		f.defaults = append(f.defaults, "unified_queue = False (True is not modelled)")
	}
	if scale := std.ColumnScale; scale > 0 {
		d.Columns *= scale
	} else {
		d.Columns *= d.BurstLength
	}
	f.ranks(&d)
	f.timing(&d, std)
	f.power(&d)
	return d
}

// ranks derives the ranks from channel_size, as DRAMsim3 does: as many as fit,
// at least one.
func (f *ini) ranks(d *Device) {
	const system = "system"
	megabytes := f.integer(system, "channel_size", 1024)
	d.Ranks = 1
	if f.err != nil {
		return
	}
	rank, err := units.Mul(units.Bytes(d.Columns), units.Bytes(d.BusWidth), units.Bytes(d.Rows), units.Bytes(d.BankGroups), units.Bytes(d.BanksPerGroup))
	if err != nil || rank == 0 {
		return // Validate says which count is wrong
	}
	d.Ranks = int(max(1, units.Bytes(megabytes)*units.MiB/max(1, rank/8)))
}

func (f *ini) timing(d *Device, std standard) {
	const required = -1
	if _, ok := f.values["timing.tck"]; !ok {
		f.missing("timing", "tCK")
	}
	ns, line := f.number("timing", "tCK")
	d.Clock = units.Picoseconds(math.Round(ns * 1000))
	if line > 0 && (ns*1000 < 1 || ns > 1e6) {
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
	if _, given := f.values["timing.trfcb"]; given || d.Refresh == BankStaggered {
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
	if _, given := f.values["power.idd5pb"]; given || d.Refresh == BankStaggered {
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
