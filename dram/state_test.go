package dram

import (
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// TestStateHasEverythingThatDecides: the stream engine takes two equal states for
// the same future, so whatever the controller looks at must make states differ.
func TestStateHasEverythingThatDecides(t *testing.T) {
	d := device(t, "gddr6").WithRanks(2) // it has a window of 32 ACTs, too
	d.CommandQueue = 4
	// busy is always the same controller, in the middle of its work.
	busy := func() *Controller {
		c, err := NewPattern(d, Pattern{Kind: "layer", Requests: 100_000}, Reference)
		if err != nil {
			t.Fatal(err)
		}
		for {
			if more, err := c.step(); !more || err != nil {
				t.Fatal("never busy", err)
			}
			ch := &c.channels[0]
			waiting := slices.ContainsFunc(ch.banks, func(k bank) bool { return len(k.queue) > 1 && k.row != closed })
			if c.accepted > 1000 && waiting && len(ch.reads) > 1 && len(ch.writes) > 1 && ch.drain > 1 {
				return c
			}
		}
	}
	inQueue := func(c *Controller) *bank {
		ch := &c.channels[0]
		return &ch.banks[slices.IndexFunc(ch.banks, func(k bank) bool { return len(k.queue) > 1 && k.row != closed })]
	}
	const soon = 1000
	for what, change := range map[string]func(c *Controller, ch *channel){
		"when the next request may be taken": func(c *Controller, _ *channel) { c.offer = c.now + soon },
		"the end of the last burst":          func(c *Controller, _ *channel) { c.end = c.now + soon },
		"a bank's timer":                     func(c *Controller, ch *channel) { ch.timers.bank[ACT][3] = c.now + soon },
		"the last bank's timer":              func(c *Controller, ch *channel) { ch.timers.bank[WR][len(ch.banks)-1] = c.now + soon },
		"a bank group's timer":               func(c *Controller, ch *channel) { ch.timers.group[RD][1] = c.now + soon },
		"the last bank group's timer":        func(c *Controller, ch *channel) { ch.timers.group[RD][2*d.BankGroups-1] = c.now + soon },
		"a rank's timer":                     func(c *Controller, ch *channel) { ch.timers.rank[PRE][1] = c.now + soon },
		"a rank's timer for refresh":         func(c *Controller, ch *channel) { ch.timers.rank[REF][0] = c.now + soon },
		"the last four ACTs":                 func(c *Controller, ch *channel) { ch.timers.acts[0].at[0] = c.now },
		"the last 32 ACTs":                   func(c *Controller, ch *channel) { ch.timers.acts[1].at[31] = c.now },
		"the other rank's ACTs":              func(c *Controller, ch *channel) { ch.timers.acts[2].at[1] = c.now },
		"an open row":                        func(c *Controller, _ *channel) { inQueue(c).row ^= 1 },
		"a row that is closed":               func(c *Controller, _ *channel) { inQueue(c).row = closed },
		"what a row has served":              func(c *Controller, _ *channel) { k := inQueue(c); k.hits = (k.hits + 1) % hitLimit },
		"when a row was opened":              func(c *Controller, _ *channel) { inQueue(c).act = c.now },
		"a queue's length":                   func(c *Controller, _ *channel) { k := inQueue(c); k.queue = k.queue[:1] },
		"a queued request's age":             func(c *Controller, _ *channel) { inQueue(c).queue[1].seq-- },
		"a queued request's row":             func(c *Controller, _ *channel) { inQueue(c).queue[1].row ^= 1 },
		"a queued request's kind":            func(c *Controller, _ *channel) { e := &inQueue(c).queue[1]; e.write = !e.write },
		"a waiting read's bank":              func(_ *Controller, ch *channel) { ch.reads[1].bank ^= 1 },
		"a waiting read's row":               func(_ *Controller, ch *channel) { ch.reads[0].row ^= 1 },
		"how many reads wait":                func(_ *Controller, ch *channel) { ch.reads = ch.reads[1:] },
		"a waiting write's age":              func(_ *Controller, ch *channel) { ch.writes[1].seq-- },
		"how many writes wait":               func(_ *Controller, ch *channel) { ch.writes = ch.writes[:len(ch.writes)-1] },
		"how many banks of a rank are open":  func(_ *Controller, ch *channel) { ch.openBanks[1]++ },
		"when a rank's last bank closes":     func(c *Controller, ch *channel) { ch.lastClose[1] = c.now + soon },
		"how many writes are to be drained":  func(_ *Controller, ch *channel) { ch.drain-- },
		"when the next refresh is due":       func(_ *Controller, ch *channel) { ch.due-- },
		"which rank is refreshed next":       func(_ *Controller, ch *channel) { ch.turn ^= 1 },
		"a refresh that waits":               func(_ *Controller, ch *channel) { ch.pending = append(ch.pending, 1) },
		"the position in the streams":        func(c *Controller, _ *channel) { later(c, 1) },
		"whose turn it is":                   func(c *Controller, _ *channel) { later(c, chunk) },
		"another channel":                    func(c *Controller, _ *channel) { c.channels[len(c.channels)-1].due-- },
	} {
		c := busy()
		before := c.snapshot(nil)
		change(c, &c.channels[0])
		if slices.Equal(before, c.snapshot(nil)) {
			t.Errorf("%s: not in the state", what)
		}
	}
	// Which of two refreshes waits is more than that one does.
	c := busy()
	c.channels[0].pending = append(c.channels[0].pending[:0], 1)
	one := c.snapshot(nil)
	c.channels[0].pending[0] = 2
	if slices.Equal(one, c.snapshot(nil)) {
		t.Error("which bank waits for a refresh: not in the state")
	}
}

// later makes the next request a later one, and all that wait as much younger.
func later(c *Controller, by int64) {
	c.accepted += by
	younger := func(queue []entry) {
		for i := range queue {
			queue[i].seq += by
		}
	}
	for i := range c.channels {
		ch := &c.channels[i]
		for b := range ch.banks {
			younger(ch.banks[b].queue)
		}
		younger(ch.reads)
		younger(ch.writes)
	}
}

// TestStateForgetsWhatIsPast: times, ages and rows count from now, the next
// request and the row that it goes to; a later period of the same work is the same.
func TestStateForgetsWhatIsPast(t *testing.T) {
	d := device(t, "ddr4-2400")
	c, err := NewPattern(d, Pattern{Kind: "seqread", Requests: 1 << 30}, Fast)
	if err != nil {
		t.Fatal(err)
	}
	for !c.skip.found {
		if _, err := c.step(); err != nil {
			t.Fatal(err)
		}
	}
	if c.skip.skipped == 0 {
		t.Fatal("no period was found")
	}
	// Before the skip, and after all periods but the last requests.
	if before, after := c.skip.kept, c.snapshot(nil); !slices.Equal(before, after) {
		t.Errorf("the state after %d periods differs from the one before", c.skip.skipped)
	}
	if c.now < units.Cycles(c.accepted) {
		t.Errorf("%d requests in %d clocks", c.accepted, c.now)
	}
}
