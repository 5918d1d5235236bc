package checker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/units"
)

func device(t testing.TB, name string) dram.Device {
	t.Helper()
	d, err := dram.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func expectClean(t *testing.T, d dram.Device, log []dram.Issued) {
	t.Helper()
	if len(log) == 0 {
		t.Fatal("no command was logged")
	}
	violations := Check(d, log)
	for i, v := range violations {
		if i == 5 {
			break
		}
		t.Error(v)
	}
	if len(violations) > 0 {
		t.Fatalf("%d violations in %d commands of %+v", len(violations), len(log), d)
	}
}

// varied changes a device's organisation, mapping and policy.
func varied(t *testing.T, d dram.Device, r *rand.Rand) dram.Device {
	fields := []string{"ch", "ra", "bg", "ba", "ro", "co"}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	if r.IntN(2) == 0 {
		d = d.WithMapping(strings.Join(fields, ""))
	}
	d = d.WithRanks(1 << r.IntN(2)).WithChannels(1 << r.IntN(2))
	d.Rows = 1 << (2 + r.IntN(8))
	d.ClosePage = r.IntN(3) == 0
	if d.Refresh = dram.RefreshPolicy(r.IntN(3)); d.Refresh == dram.BankStaggered {
		d.Power.IDD5PB = d.Power.IDD5AB
		d.Timing.RFCb = d.Timing.RFC / 4
		d.Timing.REFIb = d.Timing.RFCb + 200
	}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestControllerKeepsEveryRule(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 6 {
		for _, name := range dram.Names() {
			for _, kind := range dram.PatternKinds() {
				d := varied(t, device(t, name), r)
				c, err := dram.NewPattern(d, dram.Pattern{Kind: kind, Requests: 1500, Seed: r.Uint64()}, dram.Reference)
				if err != nil {
					t.Fatal(err)
				}
				var log []dram.Issued
				c.Record(&log)
				if err := c.Run(); err != nil {
					t.Fatal(err)
				}
				// Per-bank refresh has no bound per rank, and all ranks in
				// turn share one bound with all banks.
				expectClean(t, d, log)
			}
		}
	}
}

func TestDMAKeepsEveryRule(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 10 {
		for _, name := range dram.Names() {
			d := varied(t, device(t, name), r)
			m, err := dram.NewMemory(d, dram.Reference)
			if err != nil {
				t.Fatal(err)
			}
			var log []dram.Issued
			m.Record(&log)
			var at units.Time
			capacity := int64(d.Capacity() / d.BurstBytes())
			for range 5 {
				var streams []dram.Stream
				for range 1 + r.IntN(3) {
					n := 1 + r.Int64N(min(capacity, 1500))
					from := r.Int64N(capacity - n + 1)
					streams = append(streams, dram.Stream{Addr: units.Bytes(from) * d.BurstBytes(), Bursts: n, Write: r.IntN(2) == 0})
				}
				if at, err = m.Transfer(at.Plus(units.Picoseconds(r.IntN(20_000_000))), streams); err != nil {
					t.Fatal(err)
				}
			}
			expectClean(t, d, log)
		}
	}
}

// TestLongTransferKeepsRefreshWithinEightIntervals covers whole segments.
func TestLongTransferKeepsRefreshWithinEightIntervals(t *testing.T) {
	for _, name := range dram.Names() {
		d := device(t, name)
		for _, mapping := range []string{d.Mapping, d.StreamMapping()} {
			d := d.WithMapping(mapping)
			m, err := dram.NewMemory(d, dram.Reference)
			if err != nil {
				t.Fatal(err)
			}
			var log []dram.Issued
			m.Record(&log)
			if _, err := m.Transfer(units.Time{}, []dram.Stream{{Addr: d.BurstBytes(), Bursts: 60_000}, {Bursts: 40_000, Write: true}}); err != nil {
				t.Fatal(err)
			}
			expectClean(t, d, log)
		}
	}
}

// TestEveryRuleIsNoticed breaks one rule at a time by one clock.
func TestEveryRuleIsNoticed(t *testing.T) {
	d := device(t, "ddr4-2400")
	x := d.Timing
	burst := d.BurstCycles()
	at := func(c dram.Command, bank int, clock units.Cycles) dram.Issued {
		return dram.Issued{At: clock, Command: c, Bank: bank}
	}
	rank1 := func(c dram.Issued) dram.Issued { c.Rank = 1; return c }
	turn := x.CL + burst + x.RTRS - x.CWL
	for _, c := range []struct {
		rule  string
		log   []dram.Issued
		moves int // the command that is at its earliest clock
	}{
		{"tRCD", []dram.Issued{at(dram.ACT, 0, 0), at(dram.RD, 0, x.RCDRD)}, 1},
		{"tRCD", []dram.Issued{at(dram.ACT, 0, 0), at(dram.WR, 0, x.RCDWR)}, 1},
		{"tRAS", []dram.Issued{at(dram.ACT, 0, 0), at(dram.PRE, 0, x.RAS)}, 1},
		{"tRP", []dram.Issued{at(dram.ACT, 0, 0), at(dram.PRE, 0, x.RAS+9), at(dram.ACT, 0, x.RC()+9)}, 2},
		{"tRC", []dram.Issued{at(dram.ACT, 0, 0), at(dram.PRE, 0, x.RAS), at(dram.ACT, 0, x.RC())}, 2},
		{"tRRD_L", []dram.Issued{at(dram.ACT, 0, 0), at(dram.ACT, 1, x.RRDL)}, 1},
		{"tRRD_S", []dram.Issued{at(dram.ACT, 0, 0), at(dram.ACT, 4, x.RRDS)}, 1},
		{"tFAW", []dram.Issued{at(dram.ACT, 0, 0), at(dram.ACT, 4, 6), at(dram.ACT, 8, 12), at(dram.ACT, 12, 18), at(dram.ACT, 1, x.FAW)}, 4},
		{"tCCD_L", []dram.Issued{at(dram.ACT, 0, 0), at(dram.RD, 0, 50), at(dram.RD, 0, 50+x.CCDL)}, 2},
		{"tCCD_S", []dram.Issued{at(dram.ACT, 0, 0), at(dram.ACT, 4, 9), at(dram.RD, 0, 50), at(dram.RD, 4, 50+x.CCDS)}, 3},
		{"tWTR_L", []dram.Issued{at(dram.ACT, 0, 0), at(dram.WR, 0, 50), at(dram.RD, 0, 50+x.CWL+burst+x.WTRL)}, 2},
		{"tWTR_S", []dram.Issued{at(dram.ACT, 0, 0), at(dram.ACT, 4, 9), at(dram.WR, 0, 50), at(dram.RD, 4, 50+x.CWL+burst+x.WTRS)}, 3},
		{"tRTRS", []dram.Issued{at(dram.ACT, 0, 0), at(dram.RD, 0, 50), at(dram.WR, 0, 50+turn)}, 2},
		{"tRTRS", []dram.Issued{at(dram.ACT, 0, 0), rank1(at(dram.ACT, 0, 1)), at(dram.RD, 0, 50), rank1(at(dram.RD, 0, 50+burst+x.RTRS))}, 3},
		{"tRTP", []dram.Issued{at(dram.ACT, 0, 0), at(dram.RD, 0, 50), at(dram.PRE, 0, 50+x.RTP)}, 2},
		{"tWR", []dram.Issued{at(dram.ACT, 0, 0), at(dram.WR, 0, 50), at(dram.PRE, 0, 50+x.CWL+burst+x.WR)}, 2},
		{"tRP", []dram.Issued{at(dram.ACT, 0, 0), at(dram.RDA, 0, 50), at(dram.ACT, 0, 50+x.RTP+x.RP)}, 2},
		{"tRP", []dram.Issued{at(dram.ACT, 0, 0), at(dram.WRA, 0, 50), at(dram.ACT, 0, 50+x.CWL+burst+x.WR+x.RP)}, 2},
		{"tRP before refresh", []dram.Issued{at(dram.ACT, 0, 0), at(dram.PRE, 0, x.RAS+9), at(dram.REF, 0, x.RC()+9)}, 2},
		{"tRFC", []dram.Issued{at(dram.REF, 0, 0), at(dram.ACT, 0, x.RFC)}, 1},
		{"one command a clock", []dram.Issued{at(dram.ACT, 0, 0), rank1(at(dram.ACT, 0, 1))}, 1},
	} {
		if v := Check(d, c.log); len(v) > 0 {
			t.Errorf("%s: kept to the clock, yet: %v", c.rule, v)
		}
		c.log[c.moves].At--
		if v := Check(d, c.log); !slices.ContainsFunc(v, func(v Violation) bool { return strings.HasPrefix(v.Rule, c.rule) }) {
			t.Errorf("%s: broken by one clock, yet: %v", c.rule, v)
		}
	}
	for _, c := range []struct {
		rule string
		log  []dram.Issued
	}{
		{"ACT to an open bank", []dram.Issued{at(dram.ACT, 0, 0), at(dram.ACT, 0, 99)}},
		{"PRE to a closed bank", []dram.Issued{at(dram.PRE, 0, 99)}},
		{"column command to a closed bank", []dram.Issued{at(dram.RD, 0, 99)}},
		{"column command to another row", []dram.Issued{at(dram.ACT, 0, 0), {At: 99, Command: dram.RD, Row: 3}}},
		{"refresh of an open bank", []dram.Issued{at(dram.ACT, 0, 0), at(dram.REF, 0, 99)}},
		{"address outside", []dram.Issued{at(dram.ACT, 99, 0)}},
		{"column outside", []dram.Issued{at(dram.ACT, 0, 0), {At: 99, Command: dram.RD, Column: 128}}},
		{"refresh later than 9 tREFI", []dram.Issued{at(dram.REF, 0, 9*x.REFI+1)}},
	} {
		if v := Check(d, c.log); len(v) == 0 || !strings.HasPrefix(v[0].Rule, c.rule) {
			t.Errorf("%s: not noticed: %v", c.rule, v)
		}
	}
}
