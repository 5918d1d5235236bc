package dram

import (
	"fmt"
	"math/bits"

	"github.com/accelsim-dev/accelsim/units"
)

// Stream is a run of consecutive bursts.
type Stream struct {
	Addr   units.Bytes
	Bursts int64
	Write  bool
}

// Engine selects how a controller computes its result. Both give the same
// counters, times and state to the last bit.
type Engine int

// The engines. Fast is the default.
const (
	Fast      Engine = iota // remembers and repeats what it has seen
	Reference               // places every command
)

// lookahead is how many bursts ahead of the data the DMA may open a row: the
// depth of its command queue, per channel. A power of two.
const lookahead = 32

// Memory is a device behind the accelerator's DMA engine.
//
// The DMA serves one transfer at a time, its streams one after the other in
// address order, and knows where each row ends, so that it closes a row with
// the last burst it needs (auto-precharge) and opens the next up to 32 bursts
// ahead. It cuts streams into segments. A segment ends when every bank is
// closed and every timing constraint has expired; the refreshes that came due
// meanwhile, at most as many as the standard allows to postpone, are then made
// up, on all ranks and channels together. So each segment starts from the same
// state, and what it takes depends only on its length, its direction and where
// it goes from one bank to the next: the fast engine keeps a bounded table of
// that. Between transfers, refreshes are issued when due.
//
// Time has no end: clocks are counted from a base, which moves on by whole
// refresh intervals. Only a single transfer of more than 2^62 clocks is more than a
// memory can do.
type Memory struct {
	device   Device // with the ranks that are told apart
	whole    Device // with all ranks
	mapping  mapping
	engine   Engine
	lanes    []lane
	burst    units.Bytes
	capacity int64 // in bursts
	sweep    int64
	segment  int64        // bursts in a full segment
	readEnd  units.Cycles // from RD to the end of its data
	writeEnd units.Cycles
	readOff  units.Cycles // from RDA to its precharge
	writeOff units.Cycles
	beats    units.Cycles // data bus clocks of a burst

	base      units.Total[units.Cycles] // what follows is counted from here
	now       units.Cycles              // banks closed and timers expired since then
	refreshed int64                     // refreshes that each rank has had, = now/tREFI
	horizon   units.Cycles              // beyond which the base moves on
	stats     Stats
	booked    Stats // up to the last Book
	memo      memo
	log       *[]Issued
}

// lane is one channel's state.
type lane struct {
	timers timers
	row    units.Cycles            // last row command
	col    units.Cycles            // last column command
	cols   [lookahead]units.Cycles // the last column commands, oldest at n
	n      int
	open   [maxBanks]bool
	opened [maxBanks]int // index of the bank's span
	spans  [][]span      // per rank, in order of ACT: when banks were open
}

// span is the time from ACT to the precharge.
type span struct{ from, to units.Cycles }

// Issued is a command as it went to the device.
type Issued struct {
	At      units.Cycles // memory clock
	Command Command
	Channel int
	Rank    int
	Bank    int // within the rank; group is Bank / BanksPerGroup
	Row     int
	Column  int // in bursts
}

// NewMemory returns an idle memory at time 0.
func NewMemory(d Device, e Engine) (*Memory, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	// Ranks beyond those that a channel's set of banks holds are there to
	// hold more: they take turns with the others, segment by segment, are
	// refreshed with them and use standby power.
	whole := d
	if limit := maxBanks / d.Banks(); d.Ranks > limit {
		d.Ranks = limit
	}
	mapped, err := newMapping(d)
	if err != nil {
		return nil, err
	}
	t := d.Timing
	m := &Memory{
		device:   d,
		whole:    whole,
		mapping:  mapped,
		engine:   e,
		lanes:    make([]lane, d.Channels),
		burst:    d.BurstBytes(),
		capacity: int64(whole.Capacity() / d.BurstBytes()),
		sweep:    mapped.sweep(),
		beats:    d.BurstCycles(),
		readEnd:  t.AL + t.CL + d.BurstCycles(),
		writeEnd: t.AL + t.CWL + d.BurstCycles(),
		readOff:  t.AL + t.RTP,
		writeOff: t.AL + t.CWL + d.BurstCycles() + t.WR,
		memo:     newMemo(),
		horizon:  1 << 60,
	}
	r := compile(d.Constraints())
	for i := range m.lanes {
		m.lanes[i].timers = newTimers(d, r)
		m.lanes[i].spans = make([][]span, d.Ranks)
	}
	if err := m.sizeSegments(); err != nil {
		return nil, err
	}
	m.reset()
	return m, nil
}

// sizeSegments picks the longest power of two of bursts that is surely served
// within the time for which refresh may be postponed.
func (m *Memory) sizeSegments() error {
	d := m.device
	limit := units.Cycles(standards[d.Standard].Postponed)*d.Timing.REFI - 2*d.Timing.RC()
	fits := func(bursts int64) bool {
		for from := int64(0); from < max(bursts, m.sweep); from += bursts {
			for _, write := range []bool{false, true} {
				m.reset()
				if m.place(0, from, bursts, write).quiet > limit {
					return false
				}
			}
		}
		return true
	}
	m.segment = 1
	for m.segment*2*int64(m.beats) <= int64(limit)*int64(d.Channels) && m.segment < m.capacity {
		m.segment *= 2
	}
	for !fits(m.segment) {
		if m.segment /= 2; m.segment == 0 {
			return fmt.Errorf("device %s: one burst does not fit in tREFI (%d clocks)", d.Name, d.Timing.REFI)
		}
	}
	return nil
}

// reset brings all channels to the state between segments, at clock 0.
func (m *Memory) reset() {
	for i := range m.lanes {
		l := &m.lanes[i]
		l.timers.reset()
		l.row, l.col, l.n = never, never, 0
		for j := range l.cols {
			l.cols[j] = never
		}
	}
}

// Device returns the device behind m.
func (m *Memory) Device() Device { return m.whole }

// Record appends every command from now on to log, in the order of placement;
// commands of one segment are not sorted by time. Only the reference engine
// places commands. Clocks are counted from a base that moves on after 2^60 of
// them.
func (m *Memory) Record(log *[]Issued) { m.log = log }

// Transfer serves streams as one DMA request issued at the given time. A
// request made while an earlier one is still being served starts after it.
// It returns when the last burst has crossed the bus.
func (m *Memory) Transfer(at units.Time, streams []Stream) (end units.Time, err error) {
	for _, s := range streams {
		if err := m.check(s); err != nil {
			return at, err
		}
	}
	m.Finish(at)
	last := units.Cycles(0)
	for _, s := range streams {
		from := int64(s.Addr / m.burst)
		for left := s.Bursts; left > 0; {
			n := min(left, m.segment)
			// An unaligned start is served up to the next boundary alone.
			unit := min(m.sweep, m.segment)
			if head := from & (unit - 1); head != 0 {
				n = min(n, unit-head)
			}
			last = max(last, m.serve(from, n, s.Write))
			from += n
			left -= n
		}
	}
	if last == 0 {
		return at, nil
	}
	return units.As[units.Picoseconds](m.base.Plus(last)).Times(int64(m.device.Clock)), nil
}

// check reports a stream that the device cannot hold.
func (m *Memory) check(s Stream) error {
	switch {
	case s.Addr < 0 || s.Addr%m.burst != 0:
		return fmt.Errorf("address %#x is not a multiple of the burst, %d bytes", int64(s.Addr), m.burst)
	case s.Bursts < 0:
		return fmt.Errorf("a transfer of %d bursts", s.Bursts)
	case s.Bursts > m.capacity || int64(s.Addr/m.burst) > m.capacity-s.Bursts:
		return fmt.Errorf("%d bursts at address %#x end beyond the memory's %d bytes", s.Bursts, int64(s.Addr), m.whole.Capacity())
	}
	return nil
}

// Finish lets the memory idle until a time, refreshing when due.
func (m *Memory) Finish(at units.Time) {
	clock := units.Clocks(at.Max(units.Time{}), m.device.Clock)
	for done := false; !done; {
		m.rebase()
		var until units.Cycles
		until, done = clock.Minus(m.base).One()
		if !done || until > 2*maxWaited {
			until, done = 2*maxWaited, false
		}
		m.idle(until)
	}
}

// maxWaited is how many clocks the memory idles at a time.
const maxWaited units.Cycles = 1 << 61

// rebase moves the base on by whole refresh intervals, all of them behind.
func (m *Memory) rebase() {
	if m.now <= m.horizon {
		return
	}
	by := units.Cycles(m.refreshed) * m.device.Timing.REFI
	m.base.Add(by)
	m.now -= by
	m.refreshed = 0
	for i := range m.lanes {
		m.lanes[i].shift(-by)
	}
}

// idle advances to a clock. Refreshes due on the way are issued on time; one
// that is still running then is waited for.
func (m *Memory) idle(until units.Cycles) {
	if until <= m.now {
		return
	}
	t := m.device.Timing
	due := int64(until/t.REFI) - m.refreshed
	if due > 0 {
		first := units.Cycles(m.refreshed+1) * t.REFI
		m.refresh(first, t.REFI, due)
		until = max(until, first+units.Cycles(due-1)*t.REFI+t.RFC+units.Cycles(m.device.Ranks-1))
	}
	m.now = until
}

// refresh issues count REFs to every rank from a clock on, one rank a clock
// and one round every so many clocks.
func (m *Memory) refresh(from, every units.Cycles, count int64) {
	m.refreshed += count
	m.stats.Refreshes.AddTotal(units.TotalOf(count).Times(int64(m.whole.Ranks) * int64(m.whole.Channels)))
	if m.engine != Reference {
		return
	}
	for i := range count {
		for ch := range m.lanes {
			for rank := range m.device.Ranks {
				at := from + units.Cycles(i)*every + units.Cycles(rank)
				m.lanes[ch].timers.issue(REF, rank*m.device.Banks(), at)
				if m.log != nil {
					*m.log = append(*m.log, Issued{At: at, Command: REF, Channel: ch, Rank: rank})
				}
			}
		}
	}
}

// serve runs one segment and makes up the refreshes due; it returns the clock
// at which its last burst has crossed the bus.
func (m *Memory) serve(from, bursts int64, write bool) units.Cycles {
	var got outcome
	if m.engine == Reference || !m.mapping.sameBeyondRows(from, bursts) {
		if m.engine != Reference {
			m.reset()
			got = m.place(0, from, bursts, write)
		} else {
			got = m.place(m.now, from, bursts, write)
			got.end -= m.now
			got.quiet -= m.now
		}
	} else {
		from = m.mapping.alike(from, bursts)
		key := shape(from, bursts, write)
		slot := m.memo.find(key)
		if slot.key != key {
			m.reset()
			*slot = memoEntry{key, m.place(0, from, bursts, write)}
			m.memo.used++
		}
		got = slot.outcome
	}
	m.stats.Activates += got.activates
	m.stats.Precharges += got.activates
	m.stats.Active.Add(got.active)
	m.stats.RowHits += bursts - got.activates
	m.stats.DataBusy.Add(units.Cycles(bursts) * m.beats)
	if write {
		m.stats.Writes += bursts
	} else {
		m.stats.Reads += bursts
	}
	end := m.now + got.end
	m.now += got.quiet
	t := m.device.Timing
	for {
		due := int64(m.now/t.REFI) - m.refreshed
		if due <= 0 {
			return end
		}
		m.refresh(m.now, t.RFC, due)
		m.now += units.Cycles(due)*t.RFC + units.Cycles(m.device.Ranks-1)
	}
}

// sameBeyondRows reports that a run of bursts never carries out of the row
// number, so that the parts of the address above it stay as they are.
func (m *mapping) sameBeyondRows(from, bursts int64) bool {
	span := int64(m.row.mask+1) << m.row.shift
	return from/span == (from+bursts-1)/span
}

// alike returns the lowest start of a run of as many bursts that takes exactly
// as long. All channels, ranks, bank groups, banks and rows are alike, so it
// only counts which bursts share them. The smallest aligned power of two of
// bursts that holds the run is as far as it carries; the address above that is
// the same for all of it, and may as well be 0. Nor does a column that is the
// same for all of them matter: whether it is its row's last only tells that the
// next one is beyond the run. Rows may be left by carrying, to another as good.
func (m *mapping) alike(from, bursts int64) int64 {
	carries := int64(1) << bits.Len64(uint64(from^(from+bursts-1)))
	return from & (min(carries, m.sweep()) - 1)
}

// outcome is what a segment took, from its start.
type outcome struct {
	end       units.Cycles // the last burst has crossed the bus
	quiet     units.Cycles // banks closed, timers expired
	active    units.Cycles // rank-clocks with a bank open
	activates int64
}

// place puts every command of a segment at the earliest clock that the
// constraint table and the command bus allow, and no burst before its
// predecessor on the same channel.
func (m *Memory) place(start units.Cycles, from, bursts int64, write bool) outcome {
	got := outcome{end: start, quiet: start}
	column, closing, after, off := RD, RDA, m.readEnd, m.readOff
	if write {
		column, closing, after, off = WR, WRA, m.writeEnd, m.writeOff
	}
	twoBuses := standards[m.device.Standard].DualCommand
	ras := m.device.Timing.RAS
	// A row is used again before its bank needs another one only if the row
	// number lies above the column.
	stays := m.mapping.column.shift < m.mapping.row.shift
	nextColumn := int64(1) << m.mapping.column.shift
	for b := from; b < from+bursts; b++ {
		at := uint64(b)
		l := &m.lanes[m.mapping.channel.of(at)]
		bank := m.mapping.bankOf(at)
		rank := l.timers.rankOf[bank]
		if !l.open[bank] {
			act := max(start, l.timers.earliest(ACT, bank), l.row+1, l.cols[l.n])
			if !twoBuses {
				act = l.freeSlot(act)
			}
			l.timers.issue(ACT, bank, act)
			l.row = act
			l.open[bank] = true
			l.opened[bank] = len(l.spans[rank])
			l.spans[rank] = append(l.spans[rank], span{from: act})
			got.activates++
			m.record(act, ACT, at)
		}
		c := column
		last := !stays || m.mapping.column.of(at) == m.mapping.column.mask || b+nextColumn >= from+bursts
		if last {
			c = closing
		}
		col := max(start, l.timers.earliest(c, bank), l.col+1)
		l.timers.issue(c, bank, col)
		l.col = col
		l.cols[l.n] = col
		l.n = (l.n + 1) & (lookahead - 1)
		if last {
			s := &l.spans[rank][l.opened[bank]]
			s.to = max(col+off, s.from+ras)
			l.open[bank] = false
		}
		got.end = max(got.end, col+after)
		if m.log != nil {
			m.record(col, c, at)
		}
	}
	for i := range m.lanes {
		l := &m.lanes[i]
		got.quiet = max(got.quiet, l.timers.quiet())
		for rank := range l.spans {
			got.active += union(l.spans[rank])
			l.spans[rank] = l.spans[rank][:0]
		}
	}
	return got
}

// shift moves all that the lane waits for on by a time.
func (l *lane) shift(later units.Cycles) {
	l.timers.shift(later)
	l.row += later
	l.col += later
	for i := range l.cols {
		l.cols[i] += later
	}
}

// freeSlot is the first clock from at on without a column command.
func (l *lane) freeSlot(at units.Cycles) units.Cycles {
	for i := range l.cols { // oldest first
		switch c := l.cols[(l.n+i)&(lookahead-1)]; {
		case c == at:
			at++
		case c > at:
			return at
		}
	}
	return at
}

// union is the length of time covered by spans in order of their starts.
func union(spans []span) units.Cycles {
	covered, until := units.Cycles(0), never
	for _, s := range spans {
		covered += max(0, s.to-max(s.from, until))
		until = max(until, s.to)
	}
	return covered
}

func (m *Memory) record(at units.Cycles, c Command, burst uint64) {
	if m.log == nil {
		return
	}
	p := &m.mapping
	*m.log = append(*m.log, Issued{
		At: at, Command: c,
		Channel: int(p.channel.of(burst)), Rank: int(p.rank.of(burst)), Bank: p.bankOf(burst) % int(p.banks),
		Row: int(p.row.of(burst)), Column: int(p.column.of(burst)),
	})
}

// Stats returns the counters up to the later of the last transfer's end, with
// its refreshes, and the last Finish.
func (m *Memory) Stats() Stats {
	s := m.stats
	s.Precharged = m.Elapsed().Times(int64(m.whole.Ranks) * int64(m.whole.Channels)).Minus(s.Active)
	return s
}

// Book adds what the counters have gained since the last Book, or since the
// beginning, to an account.
func (m *Memory) Book(account *Stats) {
	now := m.Stats()
	account.gain(&now, &m.booked)
	m.booked = now
}

// Elapsed is the time up to which Stats counts, in memory clocks.
func (m *Memory) Elapsed() units.Total[units.Cycles] { return m.base.Plus(m.now) }

// memo is a bounded table of outcomes by segment shape.
type memo struct {
	entries []memoEntry
	used    int
}

type memoEntry struct {
	key     uint64 // 0: empty
	outcome outcome
}

// memoSize bounds the table (56 bytes an entry); a power of two. A run has
// some hundred shapes.
const memoSize = 1 << 13

func newMemo() memo { return memo{entries: make([]memoEntry, memoSize)} }

// shape is the key of a segment. It is never 0: a segment has bursts.
func shape(offset, bursts int64, write bool) uint64 {
	key := uint64(offset)<<32 | uint64(bursts)<<1
	if write {
		key |= 1
	}
	return key
}

// find returns the entry of a key, or an empty one for it.
func (t *memo) find(key uint64) *memoEntry {
	if t.used > memoSize*3/4 {
		clear(t.entries)
		t.used = 0
	}
	for i := key * 0x9e3779b97f4a7c15 >> 40; ; i++ {
		e := &t.entries[i&(memoSize-1)]
		if e.key == key || e.key == 0 {
			return e
		}
	}
}
