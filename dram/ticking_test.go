package dram

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// ticking is the obvious form of [Controller]: it looks at every clock, at
// every bank and at every constraint, and remembers every command.
type ticking struct {
	d        Device
	table    []Constraint
	mapping  mapping
	requests []request
	next     int
	channels []tickingChannel
	end      units.Cycles
}

type tickingChannel struct {
	history       []Issued
	rows          []int // open row by bank, or -1
	hits          []int
	queues        [][]entry
	reads, writes []entry
	drain         int
	pending       [][]int // banks
	turn          int
}

// allowed holds a command against the whole table and history.
func (s *ticking) allowed(ch *tickingChannel, c Command, b int, now units.Cycles) bool {
	perRank, perGroup := s.d.Banks(), s.d.BanksPerGroup
	for _, k := range s.table {
		if k.After != c.timer() {
			continue
		}
		count := max(1, k.Window)
		for i := len(ch.history) - 1; i >= 0 && now-ch.history[i].At < k.Gap; i-- {
			p := ch.history[i]
			pb := p.Rank*perRank + p.Bank
			in := false
			switch k.Scope {
			case Bank:
				in = pb == b
			case Group:
				in = pb/perGroup == b/perGroup
			case Rank:
				in = p.Rank == b/perRank
			case OtherRanks:
				in = p.Rank != b/perRank
			}
			if !in || p.Command != k.Before {
				continue
			}
			if count--; count == 0 {
				return false
			}
		}
	}
	return true
}

// candidate is a command for the request of an age.
type candidate struct {
	c    Command
	b    int
	seq  int64
	slot int
}

func (s *ticking) candidates(ch *tickingChannel, now units.Cycles) (row, column *candidate) {
	var blocked []int
	if len(ch.pending) > 0 {
		blocked = ch.pending[0]
	}
	older := func(best **candidate, c candidate) {
		if s.allowed(ch, c.c, c.b, now) && (*best == nil || c.seq < (*best).seq) {
			*best = &c
		}
	}
	for b, queue := range ch.queues {
		if len(queue) == 0 || slices.Contains(blocked, b) {
			continue
		}
		if ch.rows[b] < 0 {
			older(&row, candidate{ACT, b, queue[0].seq, 0})
			continue
		}
		hit := false
		seen := map[bool]bool{}
		for i, e := range queue {
			conflict := slices.ContainsFunc(queue[:i], func(o entry) bool { return o.burst == e.burst && o.write != e.write })
			if int(e.row) != ch.rows[b] || seen[e.write] || conflict {
				continue
			}
			seen[e.write], hit = true, true
			c := RD
			if e.write {
				c = WR
			}
			older(&column, candidate{c, b, e.seq, i})
		}
		if int(queue[0].row) != ch.rows[b] && (!hit || ch.hits[b] >= hitLimit) {
			older(&row, candidate{PRE, b, queue[0].seq, 0})
		}
	}
	return row, column
}

func (s *ticking) issue(ch *tickingChannel, c candidate, now units.Cycles) {
	switch c.c {
	case ACT:
		ch.rows[c.b], ch.hits[c.b] = int(ch.queues[c.b][0].row), 0
	case PRE:
		ch.rows[c.b] = -1
	case RD, WR:
		ch.queues[c.b] = slices.Delete(ch.queues[c.b], c.slot, c.slot+1)
		ch.hits[c.b]++
		t := s.d.Timing
		latency := t.CL
		if c.c == WR {
			latency = t.CWL
		}
		s.end = max(s.end, now+t.AL+latency+s.d.BurstCycles())
		if s.d.ClosePage {
			c.c += RDA - RD
			ch.rows[c.b] = -1
		}
	}
	ch.history = append(ch.history, Issued{At: now, Command: c.c, Rank: c.b / s.d.Banks(), Bank: c.b % s.d.Banks()})
}

func (s *ticking) queued(ch *tickingChannel) (n int) {
	for _, q := range ch.queues {
		n += len(q)
	}
	return n
}

func (s *ticking) startDrain(ch *tickingChannel) {
	n := len(ch.writes)
	ended := s.next == len(s.requests)
	if ch.drain == 0 && n > 0 && (n == s.d.Transactions || n > 8 && s.queued(ch) == 0 || ended && len(ch.reads) == 0) {
		ch.drain = n
	}
}

func (s *ticking) move(ch *tickingChannel) {
	room := func(e entry) bool { return len(ch.queues[e.bank]) < s.d.CommandQueue }
	olderIn := func(queue []entry, e entry) int {
		at := -1
		for i, o := range queue {
			if o.burst == e.burst && o.seq < e.seq {
				at = i
			}
		}
		return at
	}
	from := ch.reads
	if ch.drain > 0 {
		from = ch.writes
	}
	if !slices.ContainsFunc(from, room) {
		return
	}
	if ch.drain > 0 {
		for i, e := range ch.writes {
			if room(e) && olderIn(ch.reads, e) < 0 {
				ch.queues[e.bank] = append(ch.queues[e.bank], e)
				ch.writes = slices.Delete(ch.writes, i, i+1)
				ch.drain--
				return
			}
		}
	}
	for i, e := range ch.reads {
		if !room(e) {
			continue
		}
		if j := olderIn(ch.writes, e); j >= 0 {
			ch.drain = max(ch.drain, j+1)
			continue
		}
		ch.queues[e.bank] = append(ch.queues[e.bank], e)
		ch.reads = slices.Delete(ch.reads, i, i+1)
		return
	}
}

func (s *ticking) dueRefresh(ch *tickingChannel) {
	ranks, banks := s.d.Ranks, s.d.Banks()
	whole := func(rank int) (set []int) {
		for b := range banks {
			set = append(set, rank*banks+b)
		}
		return set
	}
	switch s.d.Refresh {
	case RankStaggered:
		ch.pending = append(ch.pending, whole(ch.turn%ranks))
	case RankSimultaneous:
		for r := range ranks {
			ch.pending = append(ch.pending, whole(r))
		}
	case BankStaggered:
		i := ch.turn % (ranks * banks)
		ch.pending = append(ch.pending, []int{i/banks*banks + i%s.d.BankGroups*s.d.BanksPerGroup + i/s.d.BankGroups%s.d.BanksPerGroup})
	}
	ch.turn++
}

func (s *ticking) refresh(ch *tickingChannel, now units.Cycles) (busy bool) {
	if len(ch.pending) == 0 {
		return false
	}
	set, open := ch.pending[0], false
	for _, b := range set {
		if ch.rows[b] >= 0 {
			open = true
		}
	}
	if open {
		for _, b := range set {
			if ch.rows[b] >= 0 && s.allowed(ch, PRE, b, now) {
				s.issue(ch, candidate{c: PRE, b: b}, now)
				return true
			}
		}
		return false
	}
	c := REF
	if s.d.Refresh == BankStaggered {
		c = REFB
	}
	if !s.allowed(ch, c, set[0], now) {
		return false
	}
	s.issue(ch, candidate{c: c, b: set[0]}, now)
	ch.pending = ch.pending[1:]
	return true
}

// run ticks until all is done, and returns the commands of all channels.
func (s *ticking) run() []Issued {
	every := s.d.Timing.REFI
	switch s.d.Refresh {
	case RankStaggered:
		every /= units.Cycles(s.d.Ranks)
	case BankStaggered:
		every = s.d.Timing.REFIb
	}
	twoBuses := standards[s.d.Standard].DualCommand
	for now := units.Cycles(0); ; now++ {
		busy := s.next < len(s.requests)
		for i := range s.channels {
			ch := &s.channels[i]
			busy = busy || len(ch.reads)+len(ch.writes)+s.queued(ch) > 0
		}
		if !busy {
			break
		}
		for i := range s.channels {
			ch := &s.channels[i]
			if now > 0 && now%every == 0 {
				s.dueRefresh(ch)
			}
			row, column := s.candidates(ch, now)
			if s.refresh(ch, now) {
				row = nil
				if !twoBuses {
					column = nil
				}
			}
			if row != nil {
				s.issue(ch, *row, now)
				if !twoBuses || column != nil && column.b == row.b {
					column = nil
				}
			}
			if column != nil {
				s.issue(ch, *column, now)
			}
			s.startDrain(ch)
			s.move(ch)
			s.startDrain(ch)
		}
		if s.next < len(s.requests) && s.requests[s.next].cycle <= now {
			q := s.requests[s.next]
			ch := &s.channels[s.mapping.channel.of(q.burst)]
			e := entry{burst: q.burst, seq: int64(s.next), row: int32(s.mapping.row.of(q.burst)), bank: uint8(s.mapping.bankOf(q.burst)), write: q.write}
			switch {
			case q.write && len(ch.writes) < s.d.Transactions:
				ch.writes = append(ch.writes, e)
				s.next++
			case !q.write && len(ch.reads) < s.d.Transactions:
				ch.reads = append(ch.reads, e)
				s.next++
			}
			for i := range s.channels {
				s.startDrain(&s.channels[i])
			}
		}
	}
	var all []Issued
	for i := range s.channels {
		for _, c := range s.channels[i].history {
			c.Channel = i
			all = append(all, c)
		}
	}
	return all
}

// TestEventDrivenEqualsTicking compares every command of both controllers.
func TestEventDrivenEqualsTicking(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range cases(600) {
		d, p := randomPattern(t, r, 400)
		c, err := NewPattern(d, p, Reference)
		if err != nil {
			t.Fatal(err)
		}
		s := &ticking{d: d, table: d.Constraints(), mapping: c.mapping, requests: make([]request, p.Requests)}
		g, err := newGenerator(p, d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.fill(s.requests); err != nil {
			t.Fatal(err)
		}
		for range d.Channels {
			ch := tickingChannel{
				rows:   make([]int, d.Ranks*d.Banks()),
				hits:   make([]int, d.Ranks*d.Banks()),
				queues: make([][]entry, d.Ranks*d.Banks()),
			}
			for b := range ch.rows {
				ch.rows[b] = -1
			}
			s.channels = append(s.channels, ch)
		}
		want := s.run()

		var log []Issued
		c.Record(&log)
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		slices.SortStableFunc(log, func(a, b Issued) int { return a.Channel - b.Channel })
		for i := range min(len(log), len(want)) {
			got := log[i]
			got.Row, got.Column = 0, 0
			if got != want[i] {
				t.Fatalf("%+v\n%+v\ncommand %d is %+v, ticking has %+v", d, p, i, got, want[i])
			}
		}
		if len(log) != len(want) || c.end != s.end {
			t.Fatalf("%+v\n%+v\n%d commands until %d, ticking has %d until %d", d, p, len(log), c.end, len(want), s.end)
		}
	}
}
