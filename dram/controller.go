package dram

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/accelsim-dev/accelsim/units"
)

// Controller is a memory controller of the general kind, fed by one open-loop
// stream of requests, one offered per memory clock. Each channel has a read
// queue, a write buffer and a queue per bank. In each clock a channel
//
//  1. issues one command (HBM: one row and one column command): those of a
//     pending refresh first; else the oldest column command whose row is open
//     and whose timing allows it; else the oldest ACT or PRE. A row is closed
//     when the oldest request of its bank's queue needs another one and the
//     queue holds no further hit, or the row has served four;
//  2. moves its oldest request whose bank queue has room into that queue: a
//     write while the write buffer is being drained, else a read. A drain
//     begins when the buffer is full, when it holds more than eight and all
//     bank queues are empty, or when only writes are left, and lasts for as
//     many writes as the buffer then holds;
//  3. takes the next request, if it is for this channel and there is room.
//
// Requests to one address stay in order. The controller is event driven: it
// jumps to the next clock at which one of these can happen.
type Controller struct {
	device   Device
	mapping  mapping
	source   source
	pattern  *generator // nil: a trace
	channels []channel
	twoBuses bool
	readEnd  units.Cycles // from RD to the end of its data
	writeEnd units.Cycles
	readOff  units.Cycles // from RDA to its precharge
	writeOff units.Cycles
	every    units.Cycles    // refresh interval
	touches  [commands]uint8 // plans that a command makes stale beyond its bank

	now      units.Cycles
	end      units.Cycles // last data on a bus
	accepted int64        // requests taken so far
	batch    []request
	head     int // next request in batch
	dry      bool
	offer    units.Cycles // earliest clock of the next acceptance

	stats Stats
	skip  *skipper // nil: reference engine
	log   *[]Issued
}

// source yields requests in batches; 0 at its end.
type source interface {
	fill([]request) (int, error)
}

// entry is a request inside a channel.
type entry struct {
	burst uint64
	seq   int64 // its index among all requests: its age
	row   int32
	bank  uint8
	write bool
}

// Clocks have 63 bits. No request is asked for after maxCycle, no event happens
// after lastClock, and eternity is later than any: what is left above it holds
// any timing that may be added.
const (
	maxCycle  units.Cycles = 1 << 61
	lastClock units.Cycles = 1<<62 - 1<<32
	eternity  units.Cycles = 1 << 62
)

// errClocks says that more clocks pass than can be counted.
var errClocks = fmt.Errorf("the requests take more than %d clocks, which is as far as they are counted; ask for fewer", lastClock)

// closed marks a bank without an open row.
const closed int32 = -1

// hitLimit is how many column commands a row serves before an older request
// to another row may close it.
const hitLimit = 4

// channel is the state of one channel.
type channel struct {
	timers timers
	banks  []bank
	reads  []entry // the read queue, oldest first
	toBank []uint8 // the bank of each entry of reads
	writes []entry // the write buffer
	drain  int     // writes still to be moved
	queued int     // entries in all bank queues

	// Sets of banks, one bit each.
	could           [kinds]uint64 // by the command that the bank could use next
	open            uint64
	full            uint64 // bank queue without room
	readTo, writeTo uint64 // banks that reads and writes wait for

	readsOf, writesOf [maxBanks]uint8 // how many wait, by bank
	sameRead          [256]uint8      // how many in reads, by hash of address
	sameWrite         [256]uint8

	due     units.Cycles // next refresh
	turn    int          // rank or bank to be refreshed then
	pending []uint64     // sets of banks waiting for refresh, first first

	// What could be issued next, and when: kept from clock to clock as long
	// as nothing changes it.
	next    units.Cycles
	plans   [kinds]plan // by command: ACT, PRE, RD, WR
	refresh plan
	stale   uint8                  // plans to be made anew, one bit a command
	fresh   uint64                 // banks whose candidates changed since
	age     [kinds][maxBanks]int64 // of the request that each bank would serve

	// Time with banks open, per rank.
	openBanks [maxBanks]int16
	since     [maxBanks]units.Cycles
	lastClose [maxBanks]units.Cycles
}

// kinds is how many commands requests need: ACT, PRE, RD and WR.
const kinds = WR + 1

// plan is a command that could issue at a clock if nothing changes before.
type plan struct {
	at      units.Cycles
	seq     int64
	command Command
	bank    int
}

// bank is a bank's row and its queue.
type bank struct {
	row    int32
	hits   int32 // column commands since ACT
	queue  []entry
	column [2]int8 // index in queue of the oldest usable RD and WR, or -1
	act    units.Cycles
}

// NewPattern returns a controller about to serve a pattern.
func NewPattern(d Device, p Pattern, e Engine) (*Controller, error) {
	c, err := newController(d)
	if err != nil {
		return nil, err
	}
	g, err := newGenerator(p, d)
	if err != nil {
		return nil, err
	}
	c.source, c.pattern = g, g
	if e == Fast && g.streams != nil && c.mapping.rowsOnTop() {
		c.skip = new(skipper)
	}
	return c, nil
}

// NewTrace returns a controller about to serve the requests of a trace in
// DRAMsim3's format, "0xADDRESS READ|WRITE CYCLE" a line. Errors found on the
// way name the file and line.
func NewTrace(d Device, r io.Reader, filename string) (*Controller, error) {
	c, err := newController(d)
	if err != nil {
		return nil, err
	}
	c.source = newTraceReader(r, filename, d)
	return c, nil
}

func newController(d Device) (*Controller, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if d.Banks()*d.Ranks > maxBanks {
		return nil, fmt.Errorf("device %s: %d ranks of %d banks; the controller schedules at most %d banks in a channel", d.Name, d.Ranks, d.Banks(), maxBanks)
	}
	mapped, err := newMapping(d)
	if err != nil {
		return nil, err
	}
	t := d.Timing
	c := &Controller{
		device:   d,
		mapping:  mapped,
		channels: make([]channel, d.Channels),
		twoBuses: standards[d.Standard].DualCommand,
		readEnd:  t.AL + t.CL + d.BurstCycles(),
		writeEnd: t.AL + t.CWL + d.BurstCycles(),
		readOff:  t.AL + t.RTP,
		writeOff: t.AL + t.CWL + d.BurstCycles() + t.WR,
		batch:    make([]request, 0, 512),
	}
	switch d.Refresh {
	case RankStaggered:
		c.every = t.REFI / units.Cycles(d.Ranks)
	case RankSimultaneous:
		c.every = t.REFI
	case BankStaggered:
		c.every = t.REFIb
	}
	r := compile(d.Constraints())
	for command := range r.edges {
		for _, edges := range r.edges[command][Group:] {
			for _, e := range edges {
				if e.after < kinds {
					c.touches[command] |= 1 << e.after
				}
			}
		}
	}
	for i := range c.channels {
		ch := &c.channels[i]
		ch.timers = newTimers(d, r)
		ch.banks = make([]bank, d.Ranks*d.Banks())
		room := make([]entry, d.CommandQueue*len(ch.banks))
		for b := range ch.banks {
			at := b * d.CommandQueue
			ch.banks[b] = bank{row: closed, queue: room[at : at : at+d.CommandQueue], column: [2]int8{-1, -1}}
		}
		ch.reads = make([]entry, 0, d.Transactions)
		ch.toBank = make([]uint8, 0, d.Transactions)
		ch.writes = make([]entry, 0, d.Transactions)
		ch.due = c.every
		ch.next = c.every
		ch.refresh.at = eternity
		ch.stale = 1<<kinds - 1
	}
	return c, nil
}

// rowsOnTop reports that nothing above the row number varies.
func (m *mapping) rowsOnTop() bool {
	for _, f := range []field{m.channel, m.rank, m.group, m.bank, m.column} {
		if f.mask != 0 && f.shift > m.row.shift {
			return false
		}
	}
	return true
}

// Device returns the device behind c.
func (c *Controller) Device() Device { return c.device }

// Record appends every command from now on to log.
func (c *Controller) Record(log *[]Issued) { c.log = log }

// Advance serves about as many further requests (more where the fast engine
// skips) and reports whether anything is left to do.
func (c *Controller) Advance(requests int64) (more bool, err error) {
	for target := c.accepted + requests; c.accepted < target; {
		if more, err := c.step(); !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// Run serves all requests.
func (c *Controller) Run() error {
	for {
		if more, err := c.Advance(1 << 20); !more {
			return err
		}
	}
}

// Done returns how many requests have been taken.
func (c *Controller) Done() int64 { return c.accepted }

// Elapsed is the clock at which the last burst so far leaves the bus.
func (c *Controller) Elapsed() units.Cycles { return max(c.end, c.now) }

// Stats returns the counters up to Elapsed.
func (c *Controller) Stats() Stats {
	s, end := c.stats, c.Elapsed()
	for i := range c.channels {
		ch := &c.channels[i]
		for rank := range c.device.Ranks {
			if ch.openBanks[rank] > 0 {
				s.Active.Add(end - ch.since[rank])
			} else {
				s.Active.Add(min(end, ch.lastClose[rank]) - ch.since[rank])
			}
		}
	}
	s.DataBusy = units.TotalOf(c.device.BurstCycles()).Times(s.Reads + s.Writes)
	s.Precharged = units.TotalOf(end).Times(int64(c.device.Ranks * c.device.Channels)).Minus(s.Active)
	return s
}

// BandwidthUtilisation is the share of all channels' data bus clocks in which
// a burst was on the bus.
func (c *Controller) BandwidthUtilisation() float64 {
	if c.Elapsed() == 0 {
		return 0
	}
	return c.Stats().DataBusy.Float64() / (float64(c.Elapsed()) * float64(c.device.Channels))
}

// step jumps to the next clock at which something happens and lets it happen.
func (c *Controller) step() (more bool, err error) {
	if c.head == len(c.batch) && !c.dry {
		n, err := c.source.fill(c.batch[:cap(c.batch)])
		if err != nil {
			return false, err
		}
		c.batch, c.head = c.batch[:n], 0
		if n == 0 {
			c.dry = true
			c.drainRest()
		}
	}
	now := eternity
	var into *channel // takes the next request
	if !c.dry {
		q := &c.batch[c.head]
		into = &c.channels[c.mapping.channel.of(q.burst)]
		if into.room(q.write) < cap(into.reads) {
			now = max(c.offer, q.cycle)
		}
	}
	for i := range c.channels {
		now = min(now, c.channels[i].next)
	}
	if c.dry && c.idle() {
		return false, nil
	}
	if now > lastClock {
		return false, errClocks
	}
	if !c.dry && c.log == nil && c.batch[c.head].cycle > now+4*c.device.Timing.REFI {
		if next := c.pass(c.batch[c.head].cycle); next < eternity {
			now = next
		}
	}
	c.now = now
	refreshed := false
	for i := range c.channels {
		if ch := &c.channels[i]; ch.next <= now {
			refreshed = c.tick(i, ch, now) && i == 0 || refreshed
			if ch != into {
				c.plan(ch, now+1)
			}
		}
	}
	if into != nil {
		if q := &c.batch[c.head]; max(c.offer, q.cycle) <= now && into.room(q.write) < cap(into.reads) {
			c.accept(into, q)
			c.offer = now + 1
			c.head++
			c.accepted++
		}
		c.plan(into, now+1)
	}
	if refreshed && c.skip != nil {
		return true, c.skipPeriods()
	}
	return true, nil
}

// idle reports that no request is left in any channel.
func (c *Controller) idle() bool {
	for i := range c.channels {
		if ch := &c.channels[i]; len(ch.reads)+len(ch.writes)+ch.queued > 0 {
			return false
		}
	}
	return true
}

// room is the occupancy of the queue that a request would enter.
func (ch *channel) room(write bool) int {
	if write {
		return len(ch.writes)
	}
	return len(ch.reads)
}

// accept puts a request into the channel's read queue or write buffer.
func (c *Controller) accept(ch *channel, q *request) {
	bank := c.mapping.bankOf(q.burst)
	e := entry{burst: q.burst, seq: c.accepted, row: int32(c.mapping.row.of(q.burst)), bank: uint8(bank), write: q.write}
	if q.write {
		ch.writes = append(ch.writes, e)
		ch.writesOf[bank]++
		ch.writeTo |= 1 << bank
		ch.sameWrite[uint8(q.burst)]++
	} else {
		ch.reads = append(ch.reads, e)
		ch.toBank = append(ch.toBank, e.bank)
		ch.readsOf[bank]++
		ch.readTo |= 1 << bank
		ch.sameRead[uint8(q.burst)]++
	}
	ch.startDrain(false)
}

// startDrain begins to empty the write buffer if it is time to. Input that
// has ended counts as a reason.
func (ch *channel) startDrain(ended bool) {
	n := len(ch.writes)
	if ch.drain == 0 && n > 0 &&
		(n == cap(ch.writes) || n > 8 && ch.queued == 0 || ended && len(ch.reads) == 0) {
		ch.drain = n
	}
}

// drainRest starts the last drains once the input has ended.
func (c *Controller) drainRest() {
	for i := range c.channels {
		ch := &c.channels[i]
		ch.startDrain(true)
		c.plan(ch, c.now+1)
	}
}

// tick lets a channel issue and move what it can at a clock, and reports
// whether it refreshed.
func (c *Controller) tick(number int, ch *channel, now units.Cycles) (refreshed bool) {
	if ch.due <= now {
		c.dueRefresh(ch)
	}
	column, row := ch.plans[RD].before(ch.plans[WR]), ch.plans[ACT].before(ch.plans[PRE])
	switch {
	case ch.refresh.at <= now:
		p := ch.refresh
		c.issue(number, ch, p.command, p.bank, now)
		refreshed = p.command == REF || p.command == REFB
		if c.twoBuses && column.at <= now {
			c.issue(number, ch, column.command, column.bank, now)
		}
	case row.at <= now:
		c.issue(number, ch, row.command, row.bank, now)
		if c.twoBuses && column.at <= now && column.bank != row.bank {
			c.issue(number, ch, column.command, column.bank, now)
		}
	case column.at <= now:
		c.issue(number, ch, column.command, column.bank, now)
	}
	c.move(ch)
	return refreshed
}

// dueRefresh queues the refresh that is due and sets the next one's time.
func (c *Controller) dueRefresh(ch *channel) {
	d := &c.device
	rank := uint64(1)<<d.Banks() - 1
	if d.Banks() == 64 {
		rank = math.MaxUint64
	}
	switch d.Refresh {
	case RankStaggered:
		ch.pending = append(ch.pending, rank<<(ch.turn*d.Banks()))
		ch.turn = (ch.turn + 1) % d.Ranks
	case RankSimultaneous:
		for r := range d.Ranks {
			ch.pending = append(ch.pending, rank<<(r*d.Banks()))
		}
	case BankStaggered:
		// Bank groups first, then banks, then ranks (JESD209-4).
		group := ch.turn % d.BankGroups
		inGroup := ch.turn / d.BankGroups % d.BanksPerGroup
		r := ch.turn / d.Banks()
		ch.pending = append(ch.pending, 1<<(r*d.Banks()+group*d.BanksPerGroup+inGroup))
		ch.turn = (ch.turn + 1) % (d.Ranks * d.Banks())
	}
	ch.due += c.every
	// The banks concerned take no other commands from now on.
	ch.stale = 1<<kinds - 1
	c.plan(ch, c.now)
}

// planRefresh finds the next command of the first pending refresh.
func (c *Controller) planRefresh(ch *channel, from units.Cycles) {
	ch.refresh.at = eternity
	if len(ch.pending) == 0 {
		return
	}
	set := ch.pending[0]
	p := plan{at: eternity, command: PRE}
	for open := set & ch.open; open != 0; open &= open - 1 {
		b := bits.TrailingZeros64(open)
		if at := max(from, ch.timers.earliest(PRE, b)); at < p.at {
			p.at, p.bank = at, b
		}
	}
	if set&ch.open == 0 {
		p.bank = bits.TrailingZeros64(set)
		p.command = REF
		if c.device.Refresh == BankStaggered {
			p.command = REFB
		}
		p.at = max(from, ch.timers.earliest(p.command, p.bank))
	}
	ch.refresh = p
}

// issue sends a command to a bank.
func (c *Controller) issue(number int, ch *channel, command Command, b int, now units.Cycles) {
	rank := ch.timers.rankOf[b]
	k := &ch.banks[b]
	var moved entry
	switch command {
	case ACT:
		k.row, k.hits, k.act = k.queue[0].row, 0, now
		ch.open |= 1 << b
		if ch.openBanks[rank] == 0 && now >= ch.lastClose[rank] {
			c.stats.Active.Add(ch.lastClose[rank] - ch.since[rank])
			ch.since[rank] = now
		}
		ch.openBanks[rank]++
		c.stats.Activates++
	case PRE:
		c.close(ch, b, now)
	case REF:
		c.stats.Refreshes.Add(1)
		ch.stale = 1<<kinds - 1
		ch.pending = ch.pending[:copy(ch.pending, ch.pending[1:])]
	case REFB:
		c.stats.BankRefreshes.Add(1)
		ch.stale = 1<<kinds - 1
		ch.pending = ch.pending[:copy(ch.pending, ch.pending[1:])]
	case RD, WR:
		kind := command - RD
		i := int(k.column[kind])
		moved = k.queue[i]
		copy(k.queue[i:], k.queue[i+1:])
		k.queue = k.queue[:len(k.queue)-1]
		ch.queued--
		ch.full &^= 1 << b
		if k.hits > 0 {
			c.stats.RowHits++
		}
		k.hits++
		off, after := c.readOff, c.readEnd
		if command == WR {
			c.stats.Writes++
			off, after = c.writeOff, c.writeEnd
		} else {
			c.stats.Reads++
		}
		c.end = max(c.end, now+after)
		if c.device.ClosePage {
			command += RDA - RD
			c.close(ch, b, max(now+off, k.act+c.device.Timing.RAS))
		}
		ch.startDrain(c.dry)
	}
	ch.timers.issue(command, b, now)
	ch.stale |= c.touches[command]
	for kind := range ch.plans {
		if ch.plans[kind].bank == b {
			ch.stale |= 1 << kind
		}
	}
	if c.log != nil {
		c.record(number, command, b, now, k, &moved)
	}
	if command != REF && command != REFB {
		ch.choose(b)
	}
}

// close shuts a bank's row as of a clock.
func (c *Controller) close(ch *channel, b int, at units.Cycles) {
	rank := ch.timers.rankOf[b]
	ch.banks[b].row = closed
	ch.open &^= 1 << b
	ch.openBanks[rank]--
	ch.lastClose[rank] = max(ch.lastClose[rank], at)
	c.stats.Precharges++
}

func (c *Controller) record(number int, command Command, b int, now units.Cycles, k *bank, moved *entry) {
	i := Issued{At: now, Command: command, Channel: number, Rank: b / c.device.Banks(), Bank: b % c.device.Banks()}
	switch {
	case command == ACT:
		i.Row = int(k.row)
	case command.Column():
		i.Row, i.Column = int(moved.row), int(c.mapping.column.of(moved.burst))
	}
	*c.log = append(*c.log, i)
}

// choose works out which commands a bank could use next.
func (ch *channel) choose(b int) {
	k := &ch.banks[b]
	bit := uint64(1) << b
	could := &ch.could
	could[ACT], could[PRE], could[RD], could[WR] = could[ACT]&^bit, could[PRE]&^bit, could[RD]&^bit, could[WR]&^bit
	if len(k.queue) > 0 {
		ch.fresh |= bit
		head := &k.queue[0]
		if k.row == closed {
			ch.could[ACT] |= bit
			ch.age[ACT][b] = head.seq
		} else {
			k.column = [2]int8{-1, -1}
			for i := range k.queue {
				e := &k.queue[i]
				if e.row != k.row {
					continue
				}
				kind := 0
				if e.write {
					kind = 1
				}
				if k.column[kind] >= 0 || k.column[1-kind] >= 0 && k.overtakes(i) {
					continue
				}
				k.column[kind] = int8(i)
				ch.could[RD+Command(kind)] |= bit
				ch.age[RD+Command(kind)][b] = e.seq
			}
			if head.row != k.row && (k.hits >= hitLimit || k.column == [2]int8{-1, -1}) {
				ch.could[PRE] |= bit
				ch.age[PRE][b] = head.seq
			}
		}
	}
	for kind := range ch.plans {
		if p := &ch.plans[kind]; p.bank == b && (ch.could[kind]&bit == 0 || ch.age[kind][b] != p.seq) {
			ch.stale |= 1 << kind
		}
	}
}

// overtakes reports that entry i would pass an older one to the same address.
func (k *bank) overtakes(i int) bool {
	for j := range i {
		if k.queue[j].burst == k.queue[i].burst {
			return true
		}
	}
	return false
}

// waiting is the set of banks that the next request to be moved may go to.
func (ch *channel) waiting() uint64 {
	if ch.drain > 0 {
		return ch.writeTo
	}
	return ch.readTo
}

// move takes one request into its bank's queue.
func (c *Controller) move(ch *channel) {
	if ch.waiting()&^ch.full == 0 {
		return
	}
	if ch.drain > 0 {
		if c.moveWrite(ch) {
			return
		}
		// Every write that has room waits for an older read.
	}
	c.moveRead(ch)
}

// moveWrite moves the oldest write that has room and no older read waiting at
// its address.
func (c *Controller) moveWrite(ch *channel) bool {
	for i := range ch.writes {
		e := &ch.writes[i]
		if ch.full>>e.bank&1 != 0 || ch.sameRead[uint8(e.burst)] != 0 && older(ch.reads, e) >= 0 {
			continue
		}
		ch.sameWrite[uint8(e.burst)]--
		if ch.writesOf[e.bank]--; ch.writesOf[e.bank] == 0 {
			ch.writeTo &^= 1 << e.bank
		}
		ch.enqueue(e)
		ch.writes = ch.writes[:i+copy(ch.writes[i:], ch.writes[i+1:])]
		ch.drain--
		ch.startDrain(c.dry)
		return true
	}
	return false
}

// moveRead moves the oldest read that has room. A read whose address is still
// in the write buffer has the buffer drained that far.
func (c *Controller) moveRead(ch *channel) {
	from := 0
	if open := ch.readTo &^ ch.full; open&(open-1) == 0 { // one bank has room: its first read
		from = max(0, bytes.IndexByte(ch.toBank, uint8(bits.TrailingZeros64(open))))
	}
	for i := from; i < len(ch.reads); i++ {
		e := &ch.reads[i]
		if ch.full>>e.bank&1 != 0 {
			continue
		}
		if ch.sameWrite[uint8(e.burst)] != 0 {
			if j := older(ch.writes, e); j >= 0 {
				ch.drain = max(ch.drain, j+1)
				continue
			}
		}
		ch.sameRead[uint8(e.burst)]--
		if ch.readsOf[e.bank]--; ch.readsOf[e.bank] == 0 {
			ch.readTo &^= 1 << e.bank
		}
		ch.enqueue(e)
		ch.reads = ch.reads[:i+copy(ch.reads[i:], ch.reads[i+1:])]
		ch.toBank = ch.toBank[:i+copy(ch.toBank[i:], ch.toBank[i+1:])]
		ch.startDrain(c.dry)
		return
	}
}

// older finds the last entry of a queue to e's address that came before e.
func older(queue []entry, e *entry) int {
	for j := len(queue) - 1; j >= 0; j-- {
		if queue[j].burst == e.burst && queue[j].seq < e.seq {
			return j
		}
	}
	return -1
}

// enqueue puts an entry into its bank's queue.
func (ch *channel) enqueue(e *entry) {
	b := int(e.bank)
	k := &ch.banks[b]
	k.queue = append(k.queue, *e)
	ch.queued++
	if len(k.queue) == cap(k.queue) {
		ch.full |= 1 << b
	}
	ch.choose(b)
}

// plan finds what the channel could issue next, not before a clock, and when
// it has to be looked at again. A plan made earlier stands unless it is stale,
// its clock has passed, or a bank that changed since has something better.
func (c *Controller) plan(ch *channel, from units.Cycles) {
	usable := ^uint64(0)
	if len(ch.pending) > 0 {
		usable = ^ch.pending[0]
	}
	if len(ch.pending) > 0 || ch.refresh.at < eternity {
		c.planRefresh(ch, from)
	}
	ch.next = min(ch.due, ch.refresh.at)
	for kind := range ch.plans {
		p := &ch.plans[kind]
		set := ch.could[kind] & usable
		if ch.stale>>kind&1 != 0 || p.at < from {
			*p = plan{at: eternity, command: Command(kind)}
		} else {
			set &= ch.fresh
		}
		if set != 0 {
			ch.better(p, set, from)
		}
		ch.next = min(ch.next, p.at)
	}
	ch.stale, ch.fresh = 0, 0
	if ch.waiting()&^ch.full != 0 {
		ch.next = from
	}
}

// A plan's place in the order of plans as one number: how long it has to wait,
// then its request's index. A device that may wait longer gets no such number; no
// pattern has 2^40 requests, nor has a trace that anybody could wait for.
const (
	ageBits = 40
	maxWait = units.Cycles(1) << (64 - ageBits)
)

// better replaces a plan by the same command to one of a set of banks if that
// can issue earlier, or at the same clock for an older request. It does as
// obviouslyBetter does without a branch that depends on the banks: which one it
// is to be nobody can predict.
func (ch *channel) better(p *plan, set uint64, from units.Cycles) {
	t := &ch.timers
	if t.rules.longest >= maxWait {
		ch.obviouslyBetter(p, set, from)
		return
	}
	bankAt, groupAt, rankAt, age := &t.bank[p.command], &t.group[p.command], &t.rank[p.command], &ch.age[p.command]
	first, bank := uint64(math.MaxUint64), 0
	if p.at < eternity {
		first, bank = uint64(p.at-from)<<ageBits|uint64(p.seq), p.bank
	}
	for rest := set; rest != 0; rest &= rest - 1 {
		b := bits.TrailingZeros64(rest) & (maxBanks - 1)
		at := max(from, rankAt[t.rankOf[b]&(maxBanks-1)], bankAt[b], groupAt[t.groupOf[b]&(maxBanks-1)])
		place := uint64(at-from)<<ageBits | uint64(age[b])
		if place < first {
			bank = b
		}
		first = min(first, place)
	}
	p.at, p.seq, p.bank = from+units.Cycles(first>>ageBits), int64(first&(1<<ageBits-1)), bank
}

// obviouslyBetter is what better does.
func (ch *channel) obviouslyBetter(p *plan, set uint64, from units.Cycles) {
	for rest := set; rest != 0; rest &= rest - 1 {
		b := bits.TrailingZeros64(rest)
		at, age := max(from, ch.timers.earliest(p.command, b)), ch.age[p.command][b]
		if at < p.at || at == p.at && age < p.seq {
			p.at, p.seq, p.bank = at, age, b
		}
	}
}

// before returns the plan that issues first, or is for the older request.
func (p plan) before(q plan) plan {
	if q.at < p.at || q.at == p.at && q.seq < p.seq {
		return q
	}
	return p
}
