package dram

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"accelsim/units"
)

func run(t testing.TB, d Device, p Pattern, e Engine) *Controller {
	t.Helper()
	c, err := NewPattern(d, p, e)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	return c
}

func benchmarkPattern(b *testing.B, kind string) {
	d := device(b, "ddr4-2400")
	const requests = 1_000_000
	for b.Loop() {
		run(b, d, Pattern{Kind: kind, Requests: requests}, Reference)
	}
	b.ReportMetric(requests*float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func BenchmarkSeqread(b *testing.B) { benchmarkPattern(b, "seqread") }
func BenchmarkCopy(b *testing.B)    { benchmarkPattern(b, "copy") }
func BenchmarkRandom(b *testing.B)  { benchmarkPattern(b, "random") }

// randomPattern varies a device's controller and a pattern for it.
func randomPattern(t testing.TB, r *rand.Rand, requests int64) (Device, Pattern) {
	d := randomDevice(t, r)
	if r.IntN(4) > 0 {
		low := []string{"ch", "ra", "bg", "ba", "co"}
		r.Shuffle(len(low), func(i, j int) { low[i], low[j] = low[j], low[i] })
		d.Mapping = "ro" + strings.Join(low, "")
	}
	if r.IntN(4) > 0 { // small enough for periods to be short
		d.BankGroups, d.BanksPerGroup = 1<<r.IntN(2), 1<<r.IntN(2)
		d.Ranks, d.Channels = 1<<r.IntN(2), 1<<r.IntN(2)
		d.Columns = d.BurstLength << r.IntN(3)
	}
	d.Timing.REFI = d.Timing.RFC + 700 + units.Cycles(r.IntN(800))
	d.Timing.RFCb = units.Cycles(20 + r.IntN(60))
	d.Timing.REFIb = d.Timing.RFCb + units.Cycles(50+r.IntN(300)) + d.Timing.work()/units.Cycles(d.Ranks*d.Banks())
	d.ClosePage = r.IntN(4) == 0
	d.Refresh = RefreshPolicy(r.IntN(3))
	d.CommandQueue, d.Transactions = 1+r.IntN(16), 1+r.IntN(40)
	kinds := PatternKinds()
	p := Pattern{Kind: kinds[r.IntN(len(kinds))], Requests: 1 + r.Int64N(requests), Seed: r.Uint64()}
	if r.IntN(4) == 0 {
		p.Step = units.Bytes(1 + r.IntN(4*int(d.BurstBytes())))
	}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	return d, p
}

// TestSkippingEqualsReference runs regular patterns on both engines: the end,
// every counter and the state left behind must be equal.
func TestSkippingEqualsReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	total := cases(2000)
	skipped := 0
	for range total {
		d, p := randomPattern(t, r, 30_000)
		if regular[p.Kind] == nil {
			p.Kind = "seqread"
		}
		if p.Step%d.BurstBytes() != 0 {
			p.Step -= p.Step % d.BurstBytes() * units.Bytes(r.IntN(2))
		}
		fast, slow := run(t, d, p, Fast), run(t, d, p, Reference)
		if fast.skip != nil && fast.skip.skipped > 0 {
			skipped++
		}
		if fast.Elapsed() != slow.Elapsed() || fast.Stats() != slow.Stats() {
			t.Fatalf("%+v\n%+v\nfast ends at %d, %+v\nreference  %d, %+v", d, p, fast.Elapsed(), fast.Stats(), slow.Elapsed(), slow.Stats())
		}
		fast.settle()
		slow.settle()
		if a, b := fast.snapshot(nil), slow.snapshot(nil); !slices.Equal(a, b) {
			t.Fatalf("%+v\n%+v\nleaves state\n%v\nreference\n%v", d, p, a, b)
		}
	}
	if skipped < total/10 {
		t.Errorf("only %d of %d cases skipped a period", skipped, total)
	}
}

func TestBillionSequentialReadsTakeUnderASecond(t *testing.T) {
	const requests = 1_000_000_000
	began := time.Now()
	c := run(t, device(t, "ddr4-2400"), Pattern{Kind: "seqread", Requests: requests}, Fast)
	if took := time.Since(began); took > time.Second && !raceEnabled {
		t.Errorf("took %v", took)
	}
	if c.Stats().Reads != requests {
		t.Errorf("%d reads of %d", c.Stats().Reads, int64(requests))
	}
}
