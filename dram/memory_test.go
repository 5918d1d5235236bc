package dram

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

func device(t testing.TB, name string) Device {
	t.Helper()
	d, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cases is how many of n random cases to run: the race detector, which finds
// nothing in code without goroutines, sees fewer.
func cases(n int) int {
	if raceEnabled {
		return n / 10
	}
	return n
}

func memory(t testing.TB, d Device, e Engine) *Memory {
	t.Helper()
	m, err := NewMemory(d, e)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDMAStreamsNearPeak(t *testing.T) {
	for _, name := range Names() {
		d := device(t, name)
		d = d.WithMapping(d.StreamMapping())
		m := memory(t, d, Fast)
		end, err := m.Transfer(units.Time{}, []Stream{{Bursts: 1 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		bytes := float64(int64(d.BurstBytes()) << 20)
		share := bytes / units.Seconds(end) / d.PeakBandwidth()
		t.Logf("%s: %.3f of peak, segment %d, sweep %d, %+v", name, share, m.segment, m.sweep, m.Stats())
		if share < 0.85 {
			t.Errorf("%s: a long read reaches %.2f of peak", name, share)
		}
	}
}

func benchmarkTransfer(b *testing.B, name string, e Engine, bursts int64) {
	d := device(b, name)
	m := memory(b, d.WithMapping(d.StreamMapping()), e)
	var at units.Time
	for b.Loop() {
		at, _ = m.Transfer(at, []Stream{{Bursts: bursts}})
	}
	b.ReportMetric(float64(bursts)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mbursts/s")
}

func BenchmarkTransferReferenceDDR4(b *testing.B) {
	benchmarkTransfer(b, "ddr4-2400", Reference, 1<<18)
}
func BenchmarkTransferFastDDR4(b *testing.B)      { benchmarkTransfer(b, "ddr4-2400", Fast, 1<<18) }
func BenchmarkTransferReferenceHBM2(b *testing.B) { benchmarkTransfer(b, "hbm2", Reference, 1<<18) }

// BenchmarkTransferShortRuns reads runs of a few bursts from all over a tensor, as the
// tiles of a small layer buffer do.
func BenchmarkTransferShortRuns(b *testing.B) {
	d := device(b, "lpddr4-3200")
	d = d.WithChannels(2)
	m := memory(b, d.WithMapping(d.StreamMapping()), Fast)
	at, from := units.Time{}, units.Bytes(0)
	for b.Loop() {
		at, _ = m.Transfer(at, []Stream{{Addr: from * d.BurstBytes(), Bursts: 8}})
		from = (from + 9973) % (1 << 20)
	}
}

// randomDevice varies a built-in device: organisation, mapping, timing.
func randomDevice(t testing.TB, r *rand.Rand) Device {
	names := Names()
	d := device(t, names[r.IntN(len(names))])
	fields := []string{"ch", "ra", "bg", "ba", "ro", "co"}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	d = d.WithMapping(strings.Join(fields, ""))
	switch r.IntN(4) {
	case 0:
		d.Mapping = d.StreamMapping()
	case 1:
		d.Mapping = "rochrababgco"
	}
	d = d.WithRanks(min(1<<r.IntN(3), maxBanks/d.Banks())).WithChannels(1 << r.IntN(3))
	d.Rows = 1 << (1 + r.IntN(6))
	d.Columns = d.BurstLength << r.IntN(6)
	vary := func(c *units.Cycles, n int) { *c = units.Cycles(r.IntN(n)) }
	for _, c := range []*units.Cycles{&d.Timing.RRDS, &d.Timing.WTRS, &d.Timing.RTRS, &d.Timing.RTP, &d.Timing.WR, &d.Timing.CWL} {
		if r.IntN(3) == 0 {
			vary(c, 12)
		}
	}
	d.Timing.RRDL = max(d.Timing.RRDL, d.Timing.RRDS)
	d.Timing.FAW = max(d.Timing.FAW, d.Timing.RRDS)
	d.Timing.WTRL = max(d.Timing.WTRL, d.Timing.WTRS)
	d.Timing.REFI = d.Timing.RFC + 700 + units.Cycles(r.IntN(4000))
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFastDMAEqualsReference sends the same random transfers to both engines, and
// to memories that move their base on whenever they can.
func TestFastDMAEqualsReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range cases(1200) {
		d := randomDevice(t, r)
		memories := []*Memory{memory(t, d, Fast), memory(t, d, Reference), memory(t, d, Fast), memory(t, d, Reference)}
		fast := memories[0]
		for _, m := range memories[2:] {
			m.horizon = 0
		}
		var at units.Time
		for range 25 {
			var streams []Stream
			for range r.IntN(4) {
				from := r.Int64N(fast.capacity)
				if r.IntN(2) == 0 {
					from &^= fast.sweep - 1
				}
				n := min(r.Int64N(1+r.Int64N(2000)), fast.capacity-from)
				streams = append(streams, Stream{Addr: units.Bytes(from) * d.BurstBytes(), Bursts: n, Write: r.IntN(2) == 0})
			}
			at.Add(units.Picoseconds(r.Int64N(1 << r.IntN(30))))
			ends := make([]units.Time, len(memories))
			for i, m := range memories {
				var err error
				if ends[i], err = m.Transfer(at, streams); err != nil {
					t.Fatal(err)
				}
				if ends[i] != ends[0] || m.Stats() != fast.Stats() || m.Elapsed() != fast.Elapsed() {
					t.Fatalf("%+v\n%+v\nfast ends at %d, %+v\nnumber %d at %d, %+v", d, streams, ends[0], fast.Stats(), i, ends[i], m.Stats())
				}
			}
			if r.IntN(3) > 0 {
				at = ends[0]
			}
		}
	}
}

// TestTimeHasNoEnd: a transfer takes as long after 300 years as at once, and all
// refreshes in between were issued.
func TestTimeHasNoEnd(t *testing.T) {
	const year = 365 * 86400
	d := device(t, "ddr4-2400")
	transfer := []Stream{{Bursts: 1 << 12}}
	after := func(start units.Time) (units.Time, Stats) {
		m := memory(t, d, Fast)
		end, err := m.Transfer(start, transfer)
		if err != nil {
			t.Fatal(err)
		}
		m.Finish(end.Plus(units.Second))
		return end.Minus(start), m.Stats()
	}
	interval := d.Timing.REFI * units.Cycles(d.Clock)
	start := units.TotalOf(units.Picoseconds(interval)).Times(int64(300 * year * units.Second.Seconds() / units.Picoseconds(interval).Seconds()))
	took, base := after(units.TotalOf(units.Picoseconds(interval)))
	late, stats := after(start)
	if took != late {
		t.Errorf("a transfer takes %d ps, after 300 years %d", took, late)
	}
	clocks, _ := start.DivMod(d.Clock)
	intervals := units.As[int64](clocks.CeilDiv(units.Picoseconds(d.Timing.REFI)))
	ranks := int64(d.Ranks * d.Channels)
	if got, want := stats.Refreshes.Minus(base.Refreshes), intervals.Plus(-1).Times(ranks); got != want {
		t.Errorf("%d refreshes in 300 years, want %d", got, want)
	}
	if got, want := stats.Active.PlusTotal(stats.Precharged).Minus(base.Active.PlusTotal(base.Precharged)), units.As[units.Cycles](clocks).Minus(units.TotalOf(d.Timing.REFI)).Times(ranks); got != want {
		t.Errorf("%d rank-clocks in 300 years, want %d", got, want)
	}
}

// TestBanksAreAlike places runs that start anywhere, and the same from where the
// address above their last carry is 0: the fast engine takes one for the other.
func TestBanksAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	moved := 0
	for range cases(600) {
		m := memory(t, randomDevice(t, r), Reference)
		for range 60 {
			n := 1 + r.Int64N(1<<r.IntN(7))
			from := r.Int64N(max(1, m.capacity-n))
			if head := from % m.sweep; head != 0 && head+n > m.sweep || !m.mapping.sameBeyondRows(from, n) {
				continue // a segment never does
			}
			write := r.IntN(2) == 0
			m.reset()
			want := m.place(0, from, n, write)
			low := m.mapping.alike(from, n)
			m.reset()
			if got := m.place(0, low, n, write); got != want {
				t.Fatalf("%+v\n%d bursts from %d: %+v\n from %d instead: %+v", m.device, n, from, want, low, got)
			}
			if low != from&(m.sweep-1) {
				moved++
			}
		}
	}
	t.Logf("%d runs moved within their sweep", moved)
	if moved < cases(600) {
		t.Error("too few to tell")
	}
}
