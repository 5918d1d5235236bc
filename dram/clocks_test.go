package dram

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// far is a trace of two reads, the second at a clock.
func far(clock units.Cycles) string { return fmt.Sprintf("0x0 READ 0\n0x40 READ %d\n", int64(clock)) }

// TestPausesHaveNoEnd: seconds, counters and energy of a pause for as many clocks as
// can be written down, on a slow clock, in proportion to a short one.
func TestPausesHaveNoEnd(t *testing.T) {
	text, err := os.ReadFile("testdata/slowck.ini")
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := ReadINI(strings.NewReader(string(text)), "slowck.ini")
	if err != nil {
		t.Fatal(err)
	}
	many := d.WithRanks(2).WithChannels(64)
	for _, d := range []Device{d, device(t, "hbm2"), many} {
		for _, clock := range []units.Cycles{281474976710000, 1 << 60, maxCycle} {
			c, err := NewTrace(d, strings.NewReader(far(clock)), "far.trc")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Run(); err != nil {
				t.Fatal(err)
			}
			s, end := c.Stats(), c.Elapsed()
			if end < clock || end > clock+1000 {
				t.Errorf("%s ends at %d, asked for a read at %d", d.Name, end, clock)
			}
			ranks := int64(d.Ranks * d.Channels)
			if got, want := s.Active.PlusTotal(s.Precharged), units.TotalOf(end).Times(ranks); got != want {
				t.Errorf("%s: %v rank-clocks, want %v", d.Name, got, want)
			}
			// A refresh of every rank each tREFI.
			refreshes, of := s.Refreshes.Float64(), float64(end)/float64(d.Timing.REFI)*float64(ranks)
			if math.Abs(refreshes-of) > 1e-9*of {
				t.Errorf("%s: %v refreshes, want %v", d.Name, refreshes, of)
			}
			e := d.Energy(s)
			standby := d.Energy(Stats{Precharged: units.TotalOf[units.Cycles](1)}).Background
			if got, want := float64(e.Background), float64(standby)*float64(end)*float64(ranks); math.Abs(got-want) > 1e-6*want {
				t.Errorf("%s: %v pJ in the background, want %v", d.Name, got, want)
			}
			if total := float64(e.Total()); !(total > float64(e.Background)) || math.IsInf(total, 0) {
				t.Errorf("%s: %v pJ", d.Name, total)
			}
		}
	}
}

// TestClocksThatCannotBeCountedAreRefused: at the trace's line; of a pattern, as
// soon as its period is known.
func TestClocksThatCannotBeCountedAreRefused(t *testing.T) {
	d := device(t, "ddr4-2400")
	for _, clock := range []string{"2305843009213693953", "9223372036854775807", "9223372036854775808", "1e30"} {
		c, err := NewTrace(d, strings.NewReader("0x0 READ 0\n0x40 READ "+clock+"\n"), "far.trc")
		if err != nil {
			t.Fatal(err)
		}
		want := `far.trc:2: cycle "` + clock + `" is not a whole number in 0..2305843009213693952`
		if err := c.Run(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// One bank, and another row for each read: three in a refresh interval.
	slow := d.WithRanks(1)
	slow.BankGroups, slow.BanksPerGroup = 1, 1
	slow.Timing.RAS, slow.Timing.RP, slow.Timing.RFC, slow.Timing.REFI = 2_400_000, 2_400_000, 2_400_000, 14_400_000
	slow.Power.IDD0 = slow.Power.IDD3N
	everyRow := Pattern{Kind: "seqread", Requests: maxRequests, Step: slow.WithMapping("rorabgbacoch").PageBytes()}
	c, err := NewPattern(slow.WithMapping("rorabgbacoch"), everyRow, Fast)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); !errors.Is(err, errClocks) {
		t.Errorf("%v after %d requests and %d clocks, want %v", err, c.Done(), c.Elapsed(), errClocks)
	}
	everyRow.Requests /= 2
	if c, err = NewPattern(slow.WithMapping("rorabgbacoch"), everyRow, Fast); err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); err != nil || c.Stats().Reads != maxRequests/2 {
		t.Errorf("%v after %d requests and %d clocks", err, c.Done(), c.Elapsed())
	}
}
