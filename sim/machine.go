// Package sim is the accelerator: it executes a schedule on DRAM, an on-chip
// layer buffer and a PE array, and counts what moved and what was executed.
//
// A step is loaded, executed and stored. The PE array executes one step at a
// time. While a step is executed the next one is loaded (double buffering) and
// the one before is stored, where data allow: a tensor that a pending store will
// write is not loaded before. A DMA engine carries one load or store at a time.
// [Run] reads top to bottom: load, execute, store, retire.
//
// In the pipelined order several PE groups do that at once, each with local
// blocks of its own ([schedule.Program.Group]); they share the DRAM and hand
// spikes on.
//
// Counters are entered where words cross the DRAM port and where PEs execute,
// and nowhere else. The machine refuses a schedule that reads from DRAM what
// nothing wrote, or uses on chip what is not there.
package sim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/op"
	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/pe/fixed"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/tensors"
	"github.com/accelsim-dev/accelsim/tiling"
	"github.com/accelsim-dev/accelsim/units"
)

// Source yields the steps to execute: a [schedule.Program], or in tests one
// with a step changed.
type Source interface {
	Next(*schedule.Step) bool
}

// Options selects what a simulation does besides counting.
type Options struct {
	Untimed bool // count only: no cycles, no energy
	Totals  bool // leave out shares, by layer and phase
	Order   schedule.Order
	Engine  dram.Engine  // of the DRAM
	Energy  energy.Table // the zero Table is the hardware's
	// Source replaces the program's own steps.
	Source Source
	// Tensors, if not nil, makes the simulation functional: their numbers go
	// through DRAM, layer buffer and PEs.
	Tensors *tensors.Input
	// Trace, if not nil, is filled with what a timed simulation did when.
	Trace *Trace
	// Requests, if not nil, sees every stream that a timed simulation gives to
	// the DRAM, and when.
	Requests func(at units.Time, s dram.Stream)
	// Datapath, if not nil, has them computed in fixed point.
	Datapath *fixed.Datapath
	// Observe, if not nil, sees every neuron of a functional simulation fire.
	Observe func(op.Observation)
	// Progress, if not nil, is called now and then with the steps executed.
	Progress func(done int64)
	// Stop, if not nil, ends the simulation before its next step once it is
	// closed, such as a context's Done; the error is then [ErrStopped].
	Stop <-chan struct{}
}

// ErrStopped says that a simulation was ended by [Options.Stop].
var ErrStopped = errors.New("the simulation was stopped")

// Stopped tells whether the simulation is to end.
func (o *Options) Stopped() bool { return closed(o.Stop) }

func closed(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// copyOf names a tensor on chip by the step that loaded or made it.
type copyOf = op.Copy

// window is how many steps are in flight at most: one stored, one executed,
// one loaded.
const window = 3

// mostTransfers is how many transfers of a group may be under way: a load and a
// store.
const mostTransfers = 2

// machine is the state of one simulation: what all PE groups share.
type machine struct {
	program  *schedule.Program
	memory   *memoryMap
	period   units.Picoseconds
	dram     *dram.Memory
	port     port
	kernel   kernel
	accounts *accounts
	attended attendance
	progress func(int64)
	stop     <-chan struct{}
	requests func(units.Time, dram.Stream)
	trace    *Trace // nil unless asked for
	groups   []*group
}

// group is a PE group: an array with its lanes, a layer buffer and DMA engines,
// which executes steps of its own.
type group struct {
	*machine
	*part
	source   Source
	number   int
	buffer   layerBuffer
	pes      *processor
	received []handed // spikes of the group before, oldest first

	steps   [window]schedule.Step // step i is in i mod window
	fetched bool                  // step `loading` is in its place
	ended   bool                  // the source has no more

	// Steps are numbered from 0. Those before `stored` are finished, before
	// `storing` their store was issued, and so on up to `loading`, whose load
	// has not been issued yet.
	stored, storing, executed, executing, loaded, loading int64

	youngest role.Table[int64] // copies of what the last executed step keeps

	engines []engine
	streams []movement                           // of the load or store that is being issued
	time    [2][numTransferKinds]units.Time      // by PE busy, and else what they wait for
	busy    [numPhases]units.Total[units.Cycles] // PE clocks by phase
	stalled units.Total[units.Cycles]            // PE clocks for ports
	booked  booked
}

// movement is a tensor's way across the DRAM port.
type movement struct {
	dram.Stream
	tensor role.Tensor
	words  units.Words
}

type transferKind uint8

const (
	noTransfer transferKind = iota
	loadTransfer
	storeTransfer
	numTransferKinds
)

// attendance is simulated time by what the machine was doing.
type attendance struct {
	since         units.Time
	dram, overlap units.Time // transfers were under way; PEs busy, too
}

// ErrPrecision says that a functional simulation would not compute what the
// hardware does.
var ErrPrecision = errors.New("tensors are computed in fp32, or with a datapath in fixed point of up to 32 bits; use hardware with precision: fp32, or leave out the tensors")

// computes tells whether a functional simulation computes what the hardware does.
func computes(p pe.Precision, d *fixed.Datapath) bool {
	return p == pe.FP32 || p == pe.Fixed32 && d != nil
}

// Run plans one training iteration of the program on the hardware and executes it.
func Run(p *schedule.Program, hw *hardware.Hardware, o Options) (*Result, error) {
	if err := o.check(hw); err != nil {
		return nil, err
	}
	plan, err := NewPlan(p, hw, o.Order, nil)
	if err != nil {
		return nil, err
	}
	return plan.Run(o)
}

// check refuses a functional simulation of what the hardware does not compute.
func (o *Options) check(hw *hardware.Hardware) error {
	if o.Tensors != nil && !computes(hw.PE.Precision, o.Datapath) {
		return fmt.Errorf("%s is %s hardware: %w", hw.Name, hw.PE.Precision, ErrPrecision)
	}
	return nil
}

// Run executes the planned iteration, in the order that it was planned in.
func (pl *Plan) Run(o Options) (*Result, error) {
	p, hw := pl.program, pl.hardware
	if err := o.check(hw); err != nil {
		return nil, err
	}
	o.Order = pl.order
	if len(o.Energy.SRAMRead) == 0 {
		o.Energy = hw.Energy
	}
	if err := pl.layout.fits(hw.DRAM); err != nil {
		return nil, err
	}
	if err := checkClocks(p, hw.PE); err != nil {
		return nil, err
	}
	m := &machine{
		program: p, memory: newMemoryMap(&pl.layout, hw.DRAM, p.Sizes.Word),
		period:   hw.PE.Clock.Period(),
		progress: o.Progress,
		stop:     o.Stop,
		requests: o.Requests,
		accounts: newAccounts(p, &o),
		trace:    o.Trace,
	}
	var data *op.Chip
	var err error
	if o.Tensors != nil {
		if data, err = op.NewChip(p, op.Inputs{Tensors: o.Tensors, Datapath: o.Datapath, Observe: o.Observe}); err != nil {
			return nil, err
		}
		if err = data.Fill(m.memory); err != nil {
			return nil, err
		}
	}
	for i := range pl.parts {
		x := &pl.parts[i]
		g := &group{
			machine: m, part: x, source: x.source(), number: i,
			buffer:  newLayerBuffer(x.memories(hw), p.Sizes.Word),
			pes:     newProcessor(hw.PE, p.Workload(), p),
			engines: make([]engine, min(max(1, hw.Engines), mostTransfers)),
		}
		for e := range g.engines {
			g.engines[e].number = e
		}
		if data != nil {
			g.pes.data = data.OfGroup()
		} else if c, cut := g.source.(*tiling.Cursor); cut {
			c.Unboxed = true
		}
		m.groups = append(m.groups, g)
	}
	if o.Source != nil {
		m.groups[0].source = o.Source
	}
	if m.trace != nil {
		m.trace.Fill = make([][]Level, len(m.groups))
	}
	if o.Untimed {
		err = m.runUntimed()
	} else {
		if m.dram, err = dram.NewMemory(hw.DRAM, o.Engine); err != nil {
			return nil, err
		}
		err = m.runTimed()
	}
	if err != nil {
		return nil, err
	}
	return m.result(pl, o)
}

// step returns step i, which must be in flight.
func (g *group) step(i int64) *schedule.Step { return &g.steps[i%window] }

// fetch gets the next step from the source, if there is one.
func (g *group) fetch() bool {
	if !g.fetched && !g.ended {
		g.fetched = g.source.Next(g.step(g.loading))
		g.ended = !g.fetched
	}
	return g.fetched
}

// explain says in which step an error happened.
func explain(s *schedule.Step, err error) error {
	where := fmt.Sprintf("layer %d", s.Layer)
	if s.Layer == 0 {
		where = fmt.Sprintf("classifier of block %d", s.Block)
	}
	return fmt.Errorf("%s step of %s at t = %d: %w", s.Kind, where, s.Time, err)
}

// load takes the next step: room on chip for what it reads and makes, and its
// words across the DRAM port into streams.
func (g *group) load() error {
	if closed(g.stop) {
		return ErrStopped
	}
	s := g.step(g.loading)
	g.enter(s)
	g.streams = g.streams[:0]
	g.pes.ledger.spared(s)
	for _, t := range s.Reads {
		if err := g.buffer.Hold(copyOf{Tensor: t.Tensor, Step: g.loading}, t.Words); err != nil {
			return explain(s, err)
		}
		if data := g.pes.data; data != nil {
			if err := data.Load(t, g.loading, g.memory); err != nil {
				return explain(s, err)
			}
		}
		if t.Words == 0 {
			continue // in a word that another tile brings
		}
		stream, err := g.memory.stream(t, false)
		if err != nil {
			return explain(s, err)
		}
		g.pes.ledger.moved(s, t, false)
		g.buffer.access(t.Tensor.Class, 0, t.Words)
		g.streams = append(g.streams, movement{stream, t.Tensor, t.Words})
	}
	for _, t := range s.Receives {
		if err := g.take(t); err != nil {
			return explain(s, err)
		}
	}
	for _, made := range s.Products {
		if made.InPlace {
			continue
		}
		if err := g.buffer.Hold(copyOf{Tensor: made.Tensor, Step: g.loading}, made.Words); err != nil {
			return explain(s, err)
		}
	}
	g.fetched = false
	g.loading++
	return nil
}

// execute runs the kernels of the next loaded step and returns their clocks,
// with those in which PEs wait for ports of the buffer.
func (g *group) execute() (units.Cycles, error) {
	s := g.step(g.executing)
	g.enter(s)
	for _, t := range s.Uses {
		if !g.onChip(t) {
			return 0, explain(s, fmt.Errorf("%v is not on chip", t))
		}
	}
	data := g.pes.data
	if data != nil {
		data.Begin(g.executing)
	}
	var cycles, waited units.Cycles
	for i := range s.Kernels {
		k := &s.Kernels[i]
		cost, err := g.pes.execute(s, k)
		if err != nil {
			return 0, explain(s, err)
		}
		begun := g.after(g.kernel.now, cycles+waited)
		cycles += cost.Cycles
		account := g.booked.account
		account.Kernels[k.Op].Add(cost.Cycles)
		ports := g.buffer.serve(&g.pes.accesses)
		stall := max(0, ports-cost.Cycles)
		waited += stall
		account.Ports.Add(ports)
		account.Stall.Add(stall)
		g.record(g.executing, s, Span{
			Track: track(k.Op), From: begun, To: g.after(begun, cost.Cycles+stall), Op: k.Op,
		})
	}
	for _, made := range s.Products {
		if !made.InPlace {
			continue
		}
		made, words, old := copyOf{Tensor: made.Tensor, Step: g.executing}, made.Words, g.latest(made.Replaces, g.executing)
		if err := g.buffer.Replace(old, made, words); err != nil {
			return 0, explain(s, err)
		}
	}
	if data != nil {
		if err := data.End(s); err != nil {
			return 0, explain(s, err)
		}
	}
	for _, t := range s.Hands {
		if err := g.handOn(t); err != nil {
			return 0, explain(s, err)
		}
	}
	g.busy[phaseOf(s)].Add(cycles)
	g.stalled.Add(waited)
	g.executing++
	return cycles + waited, nil
}

// store takes the oldest executed step's results across the DRAM port.
func (g *group) store() error {
	s := g.step(g.storing)
	g.enter(s)
	g.streams = g.streams[:0]
	for _, t := range s.Writes {
		from := g.latest(t.Tensor, g.storing)
		if !g.buffer.Has(from) {
			return explain(s, fmt.Errorf("%v is written to DRAM but is not on chip", t.Tensor))
		}
		if data := g.pes.data; data != nil {
			if err := data.Store(t, from, g.memory); err != nil {
				return explain(s, err)
			}
		}
		if t.Words == 0 {
			continue // in a word that another tile takes
		}
		stream, err := g.memory.stream(t, true)
		if err != nil {
			return explain(s, err)
		}
		g.pes.ledger.moved(s, t, true)
		g.buffer.access(t.Tensor.Class, t.Words, 0)
		g.streams = append(g.streams, movement{stream, t.Tensor, t.Words})
	}
	g.storing++
	return nil
}

// latest returns the copy of a tensor, or of a part of it, that is the last one
// no younger than a step; the step's own if there is none.
func (g *group) latest(t role.Tensor, step int64) copyOf {
	found := copyOf{Tensor: t, Step: -1}
	g.buffer.Any(func(c copyOf) bool {
		if c.Tensor == t && c.Step <= step && c.Step > found.Step {
			found = c
		}
		return false
	})
	if found.Step < 0 {
		found.Step = step
	}
	return found
}

// superseded tells whether a younger copy of the same tensor is on chip that is
// no younger than a step.
func (g *group) superseded(c copyOf, step int64) bool {
	return g.buffer.Any(func(o copyOf) bool { return o.Step > c.Step && o.Step <= step && o.Tensor == c.Tensor })
}

// onChip tells whether a step before the one that is executed left a tensor.
func (g *group) onChip(t role.Tensor) bool {
	return g.buffer.Any(func(c copyOf) bool { return c.Tensor == t && c.Step < g.executing })
}

// retire drops from the buffer what no step in flight needs and the last
// executed one does not keep.
func (g *group) retire() {
	g.findYoungest()
	g.buffer.Release(func(c copyOf) bool {
		if c.Step >= g.executed {
			return true // loaded ahead
		}
		if step := g.youngest.At(c.Tensor); step != nil && *step == c.Step {
			return true
		}
		for i := max(c.Step, g.stored); i < g.executed; i++ {
			for _, w := range g.step(i).Writes {
				if w.Tensor == c.Tensor && !g.superseded(c, i) {
					return true // waits to be stored
				}
			}
		}
		return false
	})
	g.received = slices.DeleteFunc(g.received, func(h handed) bool { return !g.buffer.Has(h.copyOf) })
	if g.pes.data != nil {
		g.pes.data.Release(g.buffer.Has)
	}
	g.report()
}

// report tells how far the simulation has come, now and then.
func (g *group) report() {
	if g.progress != nil && g.stored%progressEvery == 0 {
		var done int64
		for _, other := range g.groups {
			if c, cut := other.source.(*tiling.Cursor); cut {
				done += c.Done()
			} else {
				done += other.stored
			}
		}
		g.progress(done)
	}
}

// findYoungest finds the youngest executed copy of each tensor that the last
// executed step keeps. A step may keep a tensor of every layer, so each is looked
// up, not searched for.
func (g *group) findYoungest() {
	g.youngest.Clear()
	if g.executed == 0 {
		return
	}
	for _, t := range g.step(g.executed - 1).Keeps {
		g.youngest.Put(t, -1)
	}
	g.buffer.Any(func(c copyOf) bool {
		if step := g.youngest.At(c.Tensor); step != nil && c.Step < g.executed && c.Step > *step {
			*step = c.Step
		}
		return false
	})
}

// progressEvery is how many steps pass between reports of progress.
const progressEvery = 256

// runUntimed executes step after step. Groups take turns, a step at a time, as
// far as they need not wait for each other.
func (m *machine) runUntimed() error {
	for moved := true; moved; {
		moved = false
		for _, g := range m.groups {
			if !g.canLoad() || !g.mayHand(g.step(g.loading)) || !g.mayStore(g.step(g.loading)) {
				continue
			}
			moved = true
			if err := g.load(); err != nil {
				return err
			}
			g.finishLoad()
			if _, err := g.execute(); err != nil {
				return err
			}
			g.finishExecution()
			if err := g.store(); err != nil {
				return err
			}
			g.stored++
			g.retire()
		}
	}
	return m.checkFinished()
}

// runTimed executes the steps as events: whatever can start does, then time
// moves to the next thing that ends.
func (m *machine) runTimed() error {
	for {
		for begun := true; begun; {
			begun = false
			for _, g := range m.groups {
				did, err := g.start()
				if err != nil {
					return err
				}
				begun = begun || did
			}
		}
		if err := m.serve(); err != nil {
			return err
		}
		for _, g := range m.groups {
			g.recordFill()
		}
		if m.kernel.idle() {
			return m.checkFinished()
		}
		e := m.kernel.next()
		m.attend()
		g := m.groups[e.group]
		switch e.kind {
		case portFree:
			m.port.busy = false
			continue
		case loadDone:
			g.engines[e.engine].kind = noTransfer
			g.finishLoad()
			continue // nothing on chip is needed less
		case storeDone:
			g.engines[e.engine].kind = noTransfer
			wrote := len(g.step(g.stored).Writes) > 0
			g.stored++
			if !wrote { // so nothing waited to be stored
				g.report()
				continue
			}
		case executeDone:
			g.finishExecution()
		}
		g.retire()
	}
}

// finishLoad makes the step that was loaded ready.
func (g *group) finishLoad() {
	for _, t := range g.step(g.loaded).Frees {
		g.memory.free(t)
	}
	g.loaded++
}

// finishExecution ends a step's computation: what it hands on has come.
func (g *group) finishExecution() {
	for _, t := range g.step(g.executed).Hands {
		g.next().arrived(t)
	}
	g.executed++
}

// attend books the time since the last event.
func (m *machine) attend() {
	t := m.kernel.now.Minus(m.attended.since)
	anyBusy, moving := false, false
	idle := (*account)(nil)
	for _, g := range m.groups {
		peBusy, transfer := g.executing > g.executed, g.transfer()
		row := 0
		if peBusy {
			row = 1
		}
		g.time[row][transfer].AddTotal(t)
		c := g.spend(t, peBusy, transfer)
		if idle == nil || peBusy && !anyBusy {
			idle = c // what the DRAM does meanwhile belongs to the first that works
		}
		anyBusy, moving = anyBusy || peBusy, moving || transfer != noTransfer
	}
	if moving {
		m.attended.dram.AddTotal(t)
		if anyBusy {
			m.attended.overlap.AddTotal(t)
		}
	} else {
		m.dram.Finish(m.kernel.now)
		m.dram.Book(&idle.Idle)
	}
	m.attended.since = m.kernel.now
}

// start begins whatever the group can begin now, and tells whether it did.
func (g *group) start() (begun bool, err error) {
	if g.executing == g.executed && g.executing < g.loaded && g.mayReplace() && g.mayHand(g.step(g.executing)) {
		begun = true
		cycles, err := g.execute()
		if err != nil {
			return begun, err
		}
		done := g.after(g.kernel.now, cycles)
		g.kernel.schedule(done, executeDone, g.number, 0)
		i := g.executing - 1
		g.record(i, g.step(i), Span{Track: Steps, From: g.kernel.now, To: done})
	}
	for i := range g.engines {
		e := &g.engines[i]
		if e.kind != noTransfer {
			continue
		}
		// PEs that wait for data come first; otherwise results leave first.
		canLoad, canStore, waiting := g.canLoad(), g.canStore(), g.executing == g.loaded
		switch {
		case canLoad && (waiting || !canStore):
			if err := g.load(); err != nil {
				return begun, err
			}
			g.carry(e, loadTransfer, g.loading-1)
		case canStore:
			if err := g.store(); err != nil {
				return begun, err
			}
			g.carry(e, storeTransfer, g.storing-1)
		default:
			return begun, nil
		}
		begun = true
	}
	return begun, nil
}

// mayReplace tells whether the next step to execute may: not before results were
// stored in whose place it puts others.
func (g *group) mayReplace() bool {
	for _, made := range g.step(g.executing).Products {
		if !made.InPlace {
			continue
		}
		for i := g.stored; i < g.executing; i++ {
			for _, w := range g.step(i).Writes {
				if w.Tensor == made.Replaces {
					return false
				}
			}
		}
	}
	return true
}

// canLoad tells whether the next step may be loaded now: one at a time and at
// most one step ahead of the PEs, into free room, when what it reads was stored
// and what it receives has come.
func (g *group) canLoad() bool {
	if g.loading > g.loaded || g.loading > g.executed+1 || g.loading >= g.stored+window || !g.fetch() {
		return false
	}
	return g.lacks(g.step(g.loading)).what == nothing
}

// lack is what a step waits for before it can be loaded.
type lack struct {
	what   lacking
	tensor role.Tensor
}

type lacking uint8

const (
	nothing lacking = iota
	onChipRoom
	ownStore   // a pending store will write what it reads
	otherStore // of the group before
	handOver   // from the group before
)

func (g *group) lacks(s *schedule.Step) lack {
	if !g.buffer.fits(s, g.keptFree()) {
		return lack{what: onChipRoom}
	}
	for i := g.stored; i < g.loading; i++ {
		for _, w := range g.step(i).Writes {
			for _, r := range s.Reads {
				if r.Tensor == w.Tensor {
					return lack{ownStore, r.Tensor}
				}
			}
		}
	}
	if len(g.groups) == 1 {
		return lack{}
	}
	return g.lacksOfOthers(s)
}

// canStore tells whether the oldest executed step may be stored now: one at a
// time, over nothing that another group still reads.
func (g *group) canStore() bool {
	return g.storing == g.stored && g.storing < g.executed && g.mayStore(g.step(g.storing))
}

// mayStore tells whether nobody reads any more what a step is stored over.
func (g *group) mayStore(s *schedule.Step) bool {
	if len(g.groups) == 1 {
		return true
	}
	for _, w := range s.Writes {
		if r, slot := g.memory.shared(w.Tensor); r != nil && !r.mayWrite(w.Tensor.Step, slot) {
			return false
		}
	}
	return true
}

// checkFinished fails when nothing is under way but steps are left, and names
// what every group waits for.
func (m *machine) checkFinished() error {
	var waiting []error
	for _, g := range m.groups {
		if !g.fetch() && g.stored == g.loading {
			continue
		}
		s := g.stuck()
		waiting = append(waiting, explain(s, errors.New(g.why(s))))
	}
	if len(waiting) > 1 {
		return fmt.Errorf("the PE groups wait for each other: %w", errors.Join(waiting...))
	}
	return errors.Join(waiting...)
}

// stuck returns the step that a group cannot go on with when nothing of its own
// is under way; nil if it has none left.
func (g *group) stuck() *schedule.Step {
	switch {
	case g.storing < g.executed:
		return g.step(g.storing)
	case g.executing < g.loaded:
		return g.step(g.executing)
	case g.fetched:
		return g.step(g.loading)
	}
	return nil
}

// why says what a stuck step waits for.
func (g *group) why(s *schedule.Step) string {
	const (
		toHand  = "waits for the next group to take spikes"
		toStore = "waits to be stored over what the next group still reads"
	)
	switch {
	case g.storing < g.executed:
		return toStore
	case g.executing < g.loaded:
		return toHand
	}
	switch l := g.lacks(s); l.what {
	case onChipRoom:
		return g.buffer.refusal(s, g.keptFree(), g.memory.word)
	case ownStore:
		return fmt.Sprintf("waits for the store of %v", l.tensor)
	case otherStore:
		return fmt.Sprintf("waits for %v, which the group before has not stored", l.tensor)
	case handOver:
		return fmt.Sprintf("waits for %v, which the group before has not handed over", l.tensor)
	case nothing:
	}
	// It could be loaded; without time a step does all that it does at once.
	if !g.mayHand(s) {
		return toHand
	}
	return toStore
}
