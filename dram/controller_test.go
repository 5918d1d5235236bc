package dram

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accelsim-dev/accelsim/units"
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
	d.Power.IDD5PB = d.Power.IDD5AB
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

// TestBetterPlanIsTheObviousOne compares plans of random banks, times and ages.
func TestBetterPlanIsTheObviousOne(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range cases(4000) {
		d, p := randomPattern(t, r, 1)
		if r.IntN(8) == 0 {
			d.Timing.FAW = maxTiming // more than better can put into one number
		}
		c, err := NewPattern(d, p, Reference)
		if err != nil {
			t.Fatal(err)
		}
		ch := &c.channels[0]
		from, banks := units.Cycles(1+r.Int64N(1<<40)), d.Ranks*d.Banks()
		command := Command(r.IntN(int(kinds)))
		near := func() units.Cycles { return from + units.Cycles(r.Int64N(1<<r.IntN(24))) - 3 }
		for b := range banks {
			ch.timers.bank[command][b], ch.timers.group[command][b], ch.timers.rank[command][b] = near(), near(), near()
			ch.age[command][b] = r.Int64N(1 << r.IntN(ageBits))
		}
		fast := plan{at: eternity, command: command}
		if r.IntN(2) == 0 {
			fast.at, fast.seq, fast.bank = max(from, near()), r.Int64N(1<<ageBits), r.IntN(banks)
		}
		slow := fast
		set := (r.Uint64()&r.Uint64() | 1<<r.IntN(banks)) & (1<<banks - 1)
		ch.better(&fast, set, from)
		ch.obviouslyBetter(&slow, set, from)
		if fast != slow {
			t.Fatalf("%+v, obviously %+v", fast, slow)
		}
	}
}

// TestStateKnowsWhatARowHasServed: a row that has served four lets an older
// request to another row close it, one that has served fewer does not. So two
// controllers that differ only in that go on differently, and their states must
// not be taken for the same; beyond four it makes no difference.
func TestStateKnowsWhatARowHasServed(t *testing.T) {
	// Every burst goes to another bank, so that the three streams of layer meet in
	// all of them.
	d := device(t, "ddr4-2400")
	d = d.WithRanks(chunk / d.Banks()).WithMapping("rocorababgch")
	// contended is a controller with an open row that has hits to come although the
	// oldest request of its bank is to another row.
	contended := func(hits int32) *Controller {
		c, err := NewPattern(d, Pattern{Kind: "layer", Requests: 10_000}, Reference)
		if err != nil {
			t.Fatal(err)
		}
		for range 10_000 {
			if _, err := c.step(); err != nil {
				t.Fatal(err)
			}
			ch := &c.channels[0]
			for b := range ch.banks {
				if k := &ch.banks[b]; k.row != closed && len(k.queue) > 0 && k.queue[0].row != k.row && k.column != [2]int8{-1, -1} {
					k.hits = hits
					ch.choose(b)
					ch.stale = 1<<kinds - 1
					c.plan(ch, c.now+1)
					return c
				}
			}
		}
		t.Fatal("no row with hits to come has an older request waiting")
		return nil
	}
	next := func(c *Controller) (list []Issued) {
		c.log = &list
		if _, err := c.Advance(100); err != nil {
			t.Fatal(err)
		}
		return list
	}
	few, enough, more := contended(hitLimit-1), contended(hitLimit), contended(hitLimit+5)
	if slices.Equal(few.snapshot(nil), enough.snapshot(nil)) {
		t.Errorf("the state is the same after %d and %d column commands to a row", hitLimit-1, hitLimit)
	}
	if !slices.Equal(enough.snapshot(nil), more.snapshot(nil)) {
		t.Errorf("the state differs after %d and %d column commands to a row", hitLimit, hitLimit+5)
	}
	a, b, c := next(few), next(enough), next(more)
	if slices.Equal(a, b) {
		t.Errorf("%d and %d column commands to a row are followed by the same", hitLimit-1, hitLimit)
	}
	if !slices.Equal(b, c) {
		t.Errorf("%d and %d column commands to a row are not followed by the same", hitLimit, hitLimit+5)
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
