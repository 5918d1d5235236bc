package dram

import (
	"slices"

	"github.com/accelsim-dev/accelsim/units"
)

// skipper finds and skips the periods of a regular pattern.
//
// After each refresh of the first channel the controller's whole state is
// written down relative to the clock, the next request's index and the row
// that it goes to. Adding to all rows, or to all times, changes nothing that
// the controller does, so when such a state recurs exactly, so does all that
// followed it, for as long as there are requests: every full period left is
// then one multiplication. The state is compared with one kept from earlier,
// replaced after 1, 2, 4, ... refreshes (Brent, BIT 20, 1980), so a period is
// found within about three times its own length and the memory used is two
// states.
type skipper struct {
	kept, state []int64
	at          mark  // of kept
	age, limit  int   // refreshes since kept, and at which to replace it
	skipped     int64 // periods
	found       bool
}

// mark is how far a controller had come.
type mark struct {
	now      units.Cycles
	accepted int64
	stats    Stats
}

// base returns where the next request lies: its turn among the streams, the
// offset within a row's sweep, and the row. All streams move on together.
func (c *Controller) base() (turn, within, row uint64) {
	g := c.pattern
	_, position := g.turn(c.accepted)
	if n := int64(len(g.streams)); n > 1 {
		turn = uint64(c.accepted % (chunk * n))
		position -= position % chunk
	}
	sweep := uint64(c.mapping.sweep()) * g.burst
	offset := g.offset(position)
	return turn, offset % sweep, offset / sweep
}

// settle accounts for open banks up to now.
func (c *Controller) settle() {
	for i := range c.channels {
		ch := &c.channels[i]
		for rank := range c.device.Ranks {
			until := c.now
			if ch.openBanks[rank] == 0 {
				until = min(until, ch.lastClose[rank])
			}
			c.stats.Active.Add(until - ch.since[rank])
			ch.since[rank] = until
		}
	}
}

// snapshot appends all that decides what happens from now on. Times that have
// passed are equal: nothing can issue before the next clock.
func (c *Controller) snapshot(to []int64) []int64 {
	turn, within, row := c.base()
	mask := c.mapping.row.mask
	in := func(t units.Cycles) int64 { return int64(max(1, t-c.now)) }
	entries := func(queue []entry) {
		to = append(to, int64(len(queue)))
		for i := range queue {
			e := &queue[i]
			kind := int64(0)
			if e.write {
				kind = 1
			}
			to = append(to, e.seq-c.accepted, int64((uint64(e.row)-row)&mask), int64(e.bank)<<1|kind)
		}
	}
	to = append(to, int64(turn), int64(within), in(c.offer), in(c.end))
	for i := range c.channels {
		ch := &c.channels[i]
		t := &ch.timers
		banks := len(ch.banks)
		for command := range timed {
			for b := range banks {
				to = append(to, in(t.bank[command][b]))
			}
			for g := range c.device.Ranks * c.device.BankGroups {
				to = append(to, in(t.group[command][g]))
			}
			for r := range c.device.Ranks {
				to = append(to, in(t.rank[command][r]))
			}
		}
		for j := range t.acts {
			r := &t.acts[j]
			gap := t.rules.windows[j%len(t.rules.windows)].gap
			for k := range r.at {
				to = append(to, in(r.at[(r.next+k)%len(r.at)]+gap))
			}
		}
		for b := range ch.banks {
			k := &ch.banks[b]
			open := int64(closed)
			if k.row != closed {
				open = int64((uint64(k.row) - row) & mask)
			}
			to = append(to, open, int64(min(k.hits, hitLimit)), in(k.act+c.device.Timing.RAS))
			entries(k.queue)
		}
		entries(ch.reads)
		entries(ch.writes)
		for r := range c.device.Ranks {
			to = append(to, int64(ch.openBanks[r]), in(ch.lastClose[r]))
		}
		to = append(to, int64(ch.drain), in(ch.due), int64(ch.turn), int64(len(ch.pending)))
		for _, set := range ch.pending {
			to = append(to, int64(set))
		}
	}
	return to
}

// skipPeriods looks for a recurrence and skips what repeats, unless it would end
// beyond all clocks.
func (c *Controller) skipPeriods() error {
	s := c.skip
	if c.dry || s.found {
		return nil
	}
	c.settle()
	s.state = c.snapshot(s.state[:0])
	if s.limit > 0 && slices.Equal(s.state, s.kept) {
		// One request is left over, so that the input has not ended by then.
		period := c.accepted - s.at.accepted
		if n := (c.pattern.requests - c.accepted - 1) / max(1, period); n > 0 && period > 0 {
			if n > int64((lastClock-c.now)/(c.now-s.at.now)) {
				return errClocks
			}
			c.repeat(s.at, n)
			s.skipped = n
		}
		s.found = true
		return nil
	}
	if s.age == s.limit {
		s.kept, s.state = s.state, s.kept
		s.at = mark{c.now, c.accepted, c.stats}
		s.age, s.limit = 0, max(1, 2*s.limit)
	}
	s.age++
	return nil
}

// repeat lets n more periods pass like the one since a mark. As the clocks do not
// overflow, nor do the counters: in a clock a channel issues two commands at most.
func (c *Controller) repeat(since mark, n int64) {
	_, _, rowBefore := c.base()
	requests := n * (c.accepted - since.accepted)
	c.accepted += requests
	_, _, rowAfter := c.base()
	once := c.stats
	once.Add(since.stats, -1)
	c.stats.Add(once, n)
	later := units.Cycles(n) * (c.now - since.now)
	c.now += later
	c.end += later
	c.offer += later
	c.pattern.next = c.accepted
	c.batch, c.head = c.batch[:0], 0
	for i := range c.channels {
		c.channels[i].shift(c, later, requests, rowAfter-rowBefore)
		c.plan(&c.channels[i], c.now+1)
	}
}

// shift moves a channel's state on by a time, a number of requests and rows.
func (ch *channel) shift(c *Controller, later units.Cycles, requests int64, rows uint64) {
	ch.timers.shift(later)
	row := c.mapping.row
	move := func(queue []entry) {
		for i := range queue {
			e := &queue[i]
			to := (uint64(e.row) + rows) & row.mask
			e.burst = e.burst&^(row.mask<<row.shift) | to<<row.shift
			e.row = int32(to)
			e.seq += requests
		}
	}
	for b := range ch.banks {
		k := &ch.banks[b]
		if k.row != closed {
			k.row = int32((uint64(k.row) + rows) & row.mask)
		}
		k.act += later
		move(k.queue)
	}
	move(ch.reads)
	move(ch.writes)
	ch.sameRead, ch.sameWrite = [256]uint8{}, [256]uint8{}
	for i := range ch.reads {
		ch.sameRead[uint8(ch.reads[i].burst)]++
	}
	for i := range ch.writes {
		ch.sameWrite[uint8(ch.writes[i].burst)]++
	}
	for r := range ch.since {
		ch.since[r] += later
		ch.lastClose[r] += later
	}
	ch.due += later
	for b := range ch.banks {
		ch.choose(b)
	}
	ch.stale = 1<<kinds - 1
}

// pass skips whole rounds of refreshes while nothing else is to be done until
// a clock, leaving the last few to be issued one by one, and returns the clock
// of the next event. With all banks closed each refresh is issued when due.
func (c *Controller) pass(until units.Cycles) units.Cycles {
	next := eternity
	for i := range c.channels {
		ch := &c.channels[i]
		next = min(next, ch.next)
		if len(ch.reads)+ch.queued+ch.drain+len(ch.pending) > 0 || ch.open != 0 {
			return eternity
		}
	}
	d := c.device
	ranks, banks := int64(d.Ranks), int64(d.Ranks*d.Banks())
	round, refreshes := c.every, ranks
	switch d.Refresh {
	case RankStaggered:
		round *= units.Cycles(ranks)
	case BankStaggered:
		round *= units.Cycles(banks)
		refreshes = 0
	}
	n := int64((until-c.now)/round) - 2
	if n <= 0 {
		return next
	}
	for i := range c.channels {
		ch := &c.channels[i]
		ch.due += units.Cycles(n) * round
		ch.next += units.Cycles(n) * round
		c.stats.Refreshes.AddTotal(units.TotalOf(refreshes).Times(n))
		if d.Refresh == BankStaggered {
			c.stats.BankRefreshes.AddTotal(units.TotalOf(banks).Times(n))
		}
	}
	return next + units.Cycles(n)*round
}
