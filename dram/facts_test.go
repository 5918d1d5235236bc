package dram

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// unequal is ddr4-2400 with figures that all differ: no two can take each
// other's place unnoticed.
func unequal(t testing.TB) Device {
	d := device(t, "ddr4-2400")
	d.Power = Power{
		VDD: 1.21, IDD0: 48.7, IDD2N: 34.3, IDD3N: 43.1, IDD4R: 135.9, IDD4W: 123.3, IDD5AB: 250.7, IDD5PB: 61.3,
		VPP: 2.53, IPP0: 3.7, IPP3N: 3.1, IPP5: 5.3, ReadPJPerBit: 4.7, WritePJPerBit: 7.9,
	}
	d.Timing.RFCb = 211
	return d
}

// TestEachCommandHasItsPrice: one of each, by hand: V x mA x ns, times the eight
// chips of a rank.
func TestEachCommandHasItsPrice(t *testing.T) {
	d := unequal(t)
	const (
		core = 1.21 * 0.83 * 8
		vpp  = 2.53 * 0.83 * 8
	)
	clocks := func(n units.Cycles) units.Total[units.Cycles] { return units.TotalOf(n) }
	once := units.TotalOf[int64](1)
	for _, c := range []struct {
		what  string
		stats Stats
		want  Energy
	}{
		{"ACT and PRE", Stats{Activates: 1, Precharges: 1}, Energy{Activate: core * (48.7*56 - 43.1*39 - 34.3*17), VPP: vpp * (3.7 - 3.1) * 56}},
		{"RD", Stats{Reads: 1}, Energy{Read: core * (135.9 - 43.1) * 4, IO: 512 * 4.7}},
		{"WR", Stats{Writes: 1}, Energy{Write: core * (123.3 - 43.1) * 4, IO: 512 * 7.9}},
		{"REF", Stats{Refreshes: once}, Energy{Refresh: core * (250.7 - 43.1) * 420, VPP: vpp * (5.3 - 3.1) * 420}},
		{"REFB", Stats{BankRefreshes: once}, Energy{Refresh: core * (61.3 - 43.1) * 211}},
		{"a clock with a bank open", Stats{Active: clocks(1)}, Energy{Background: core * 43.1, VPP: vpp * 3.1}},
		{"a clock with all banks closed", Stats{Precharged: clocks(1)}, Energy{Background: core * 34.3, VPP: vpp * 3.1}},
	} {
		got := d.Energy(c.stats)
		for _, class := range []struct {
			name      string
			got, want units.Picojoules
		}{
			{"activate", got.Activate, c.want.Activate},
			{"read", got.Read, c.want.Read},
			{"write", got.Write, c.want.Write},
			{"refresh", got.Refresh, c.want.Refresh},
			{"background", got.Background, c.want.Background},
			{"VPP", got.VPP, c.want.VPP},
			{"I/O", got.IO, c.want.IO},
		} {
			if math.Abs(float64(class.got-class.want)) > 1e-9*math.Abs(float64(class.want)) {
				t.Errorf("%s takes %v pJ of %s, want %v", c.what, class.got, class.name, class.want)
			}
		}
		if total := c.want.Activate + c.want.Read + c.want.Write + c.want.Refresh + c.want.Background + c.want.VPP + c.want.IO; math.Abs(float64(got.Total()-total)) > 1e-9*float64(total) {
			t.Errorf("%s takes %v pJ in all, want %v", c.what, got.Total(), total)
		}
	}
}

// TestEnergyHasTheSameBitsOnEveryProcessor: one that rounds once where another
// rounds twice would be off in the last ones.
func TestEnergyHasTheSameBitsOnEveryProcessor(t *testing.T) {
	e := unequal(t).Energy(Stats{
		Reads: 1234567, Writes: 7654321, Activates: 345678, Precharges: 345678,
		Refreshes: units.TotalOf[int64](4321), BankRefreshes: units.TotalOf[int64](87654),
		Active: units.TotalOf[units.Cycles](123456789), Precharged: units.TotalOf[units.Cycles](98765432),
	})
	for _, c := range []struct {
		class string
		got   units.Picojoules
		want  uint64
	}{
		{"activate", e.Activate, 0x41d32b6d3a6d330c},
		{"refresh", e.Refresh, 0x41f559f33146262c},
		{"background", e.Background, 0x42304a75d3de2b1c},
		{"VPP", e.VPP, 0x42060b5af14a6ec2},
		{"I/O", e.IO, 0x421f99cb86666667},
		{"all", e.Total(), 0x4241040013d8792e},
	} {
		if got := math.Float64bits(float64(c.got)); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.class, got, c.want)
		}
	}
}

// commandsOf runs a trace and returns the commands by their names.
func commandsOf(t *testing.T, d Device, trace string) []Issued {
	t.Helper()
	c, err := NewTrace(d, strings.NewReader(trace), "t.trace")
	if err != nil {
		t.Fatal(err)
	}
	var log []Issued
	c.Record(&log)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	return log
}

// rowBytes is how far apart two rows of a bank are with the row number on top.
func rowBytes(d Device) units.Bytes { return d.Alignment() }

// TestRowServesFourWhileAnotherWaits: column commands that find their row open
// pass an older request to another row, until the row has served four; then it
// is closed for the older one.
func TestRowServesFourWhileAnotherWaits(t *testing.T) {
	d := device(t, "ddr4-2400").WithRanks(1).WithMapping("rorabgbacoch")
	// A PRE could come before the next column command, tCCD_L later.
	d.Timing.RTP, d.Timing.RAS = 4, d.Timing.RCDRD
	var trace strings.Builder
	trace.WriteString("0x0 READ 0\n")
	writeHex(&trace, rowBytes(d), "READ 1")
	for column := units.Bytes(1); column <= 6; column++ {
		writeHex(&trace, column*d.BurstBytes(), "READ 2")
	}
	var got []string
	for _, i := range commandsOf(t, d, trace.String()) {
		got = append(got, i.Command.String())
	}
	want := strings.Fields("ACT RD RD RD RD PRE ACT RD PRE ACT RD RD RD")
	if !slices.Equal(got, want) {
		t.Errorf("commands\n%v, want\n%v", got, want)
	}
}

func writeHex(to *strings.Builder, address units.Bytes, rest string) {
	const digits = "0123456789abcdef"
	var hex []byte
	for ; address > 0; address /= 16 {
		hex = append([]byte{digits[address%16]}, hex...)
	}
	to.WriteString("0x0" + string(hex) + " " + rest + "\n")
}

// TestWritesAreDrainedTogether: a buffer that is full, or that holds more than
// eight while nothing else is to be done, is emptied; one with eight waits.
func TestWritesAreDrainedTogether(t *testing.T) {
	d := device(t, "ddr4-2400").WithRanks(1)
	first := func(writes int) units.Cycles {
		var trace strings.Builder
		for range writes {
			trace.WriteString("0x1000 WRITE 0\n")
		}
		trace.WriteString("0x2000 READ 2000\n") // so that the input has not ended
		for _, i := range commandsOf(t, d, trace.String()) {
			if i.Command == WR {
				return i.At
			}
		}
		t.Fatal("nothing is written")
		return 0
	}
	if at := first(8); at < 2000 {
		t.Errorf("eight writes begin at %d", at)
	}
	if at := first(9); at > 100 {
		t.Errorf("nine writes begin only at %d", at)
	}
}

// TestOnlyTheFirstColumnCommandIsNoHit: after each ACT.
func TestOnlyTheFirstColumnCommandIsNoHit(t *testing.T) {
	d := device(t, "ddr4-2400").WithRanks(1).WithMapping("rorabgbacoch")
	var trace strings.Builder
	for _, burst := range []units.Bytes{0, 1, 2} {
		writeHex(&trace, burst*d.BurstBytes(), "READ 0")
	}
	writeHex(&trace, rowBytes(d), "READ 1000")
	writeHex(&trace, rowBytes(d)+d.BurstBytes(), "WRITE 1000")
	c, err := NewTrace(d, strings.NewReader(trace.String()), "t.trace")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if s := c.Stats(); s.RowHits != 3 || s.Activates != 2 || s.RowHitRate() != 3./5 {
		t.Errorf("%d hits, %d ACTs, %v of five", s.RowHits, s.Activates, s.RowHitRate())
	}
}

// TestTimeWithABankOpenIsCountedOnce: however many banks of a rank are open.
func TestTimeWithABankOpenIsCountedOnce(t *testing.T) {
	for _, c := range []struct {
		spans []span
		want  units.Cycles
	}{
		{nil, 0},
		{[]span{{0, 10}}, 10},
		{[]span{{0, 10}, {5, 12}}, 12},
		{[]span{{0, 10}, {2, 4}, {20, 30}}, 20},
		{[]span{{0, 10}, {10, 12}, {11, 15}, {11, 13}}, 15},
	} {
		if got := union(c.spans); got != c.want {
			t.Errorf("%v: %d clocks, want %d", c.spans, got, c.want)
		}
	}
}

// TestRowsAreOpenedAtMost32BurstsAhead: no ACT while more bursts than the DMA
// looks ahead are still to be moved before it.
func TestRowsAreOpenedAtMost32BurstsAhead(t *testing.T) {
	d := device(t, "ddr4-2400")
	m := memory(t, d.WithMapping("rorabgbacoch"), Reference)
	var log []Issued
	m.Record(&log)
	if _, err := m.Transfer(units.Total[units.Picoseconds]{}, []Stream{{Bursts: 2000}}); err != nil {
		t.Fatal(err)
	}
	var moved []units.Cycles
	rows, most := 0, 0
	for _, i := range log {
		switch {
		case i.Command.Column():
			moved = append(moved, i.At)
		case i.Command == ACT:
			rows++
			before, _ := slices.BinarySearch(moved, i.At+1)
			most = max(most, len(moved)-before)
		}
	}
	if rows < 2000/128 || most != lookahead-1 {
		t.Errorf("%d rows, opened up to %d bursts ahead of the next one, want %d", rows, most, lookahead-1)
	}
}
