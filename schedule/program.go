// Package schedule is the paper's Figure 8: the program of one training
// iteration as steps that name what they read, compute and write.
//
// An interval of k time steps is a table of rows. Rows 1..k-1 run all layers
// forward. Row k, at t = t_k, runs each block forward and, straight after it,
// backward, from what is still on chip. Rows back to the interval's first step
// run the blocks backward from memory. A last row updates the weights:
//
//	t1        forward  1 2 .. N (classifiers after their blocks)
//	..
//	t_k       forward block 1, backward block 1, forward block 2, backward ..
//	t_k - 1   backward block B .. 1
//	..
//	t1        backward
//	          update 1 .. N
//
// Steps are made one at a time by [Cursor.Next]; nothing of a program's size
// depends on T. What stays on chip between steps is found by liveness within a
// row: a tensor stays until the last step of the row that uses it.
package schedule

import (
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/units"
)

// Traffic selects what moves and executes.
type Traffic bool

// All is real hardware's traffic; Equations only what Eqs. 11-17 cover.
const (
	All       Traffic = false
	Equations Traffic = true
)

// slot is one place in a row: a step without its time.
type slot struct {
	kind  Kind
	block int
	layer int
	// What stays: of what the row makes, and so many of what is carried into it.
	keeps   []kept
	carried int
}

// kept is a tensor that stays on chip; now tells that its step is the row's.
type kept struct {
	role.Tensor
	now bool
}

type rowKind uint8

const (
	forwardRow rowKind = iota // t < t_k
	endRow                    // t = t_k
	backwardRow
	updateRow
	numRows
)

// Program is one training iteration as steps. It never changes; [Program.Start]
// goes through its steps.
type Program struct {
	K, N    int
	Blocks  []network.Block
	Traffic Traffic
	// Sizes knows how large tensors are. Its word is 4 bytes, of fp32, but for a
	// machine with another number format ([Program.WithWord]): what is packed takes
	// more or fewer words then.
	Sizes role.Sizes

	workload *network.Workload
	own      []network.Block // whose steps it has; all, but for a PE group's part
	rows     [numRows][]slot
	carried  [numRows][]kept // on chip when a row begins, those that stay longest first

	policy Policy
	pins   [role.Count][]bool // by index

	intervals int // T/k
	rule      network.Rule
	backward  int // steps of an interval that run backward: its last
	life      *liveness
}

// Cursor goes through the steps of a program, one at a time.
type Cursor struct {
	program *Program
	held    []role.Tensor // pinned ones that are on chip before the next step

	interval, row, position int // the next step
}

// New returns the program for truncation interval k and local blocks of n
// layers. An inference is one interval, whatever k, of rows that run forward.
func New(w *network.Workload, k, n int, traffic Traffic) (*Program, error) {
	if err := w.CheckInterval(k); err != nil {
		return nil, err
	}
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return nil, err
	}
	if err := w.Training.Rule.Check(k, blocks); err != nil {
		return nil, err
	}
	if w.Training.Rule.Inference {
		k = w.Timesteps // no error ends anywhere
	}
	p := &Program{K: k, N: n, Blocks: blocks, Traffic: traffic, workload: w, own: blocks, intervals: w.Timesteps / k}
	p.rule, p.backward = w.Training.Rule, w.Training.Rule.Backward(k)
	p.Sizes = role.Sizes{Workload: w, Blocks: blocks, Word: units.WordBytes}
	p.layOutRows()
	p.findKeeps()
	p.life = p.analyse()
	return p, nil
}

// Workload returns what the program trains.
func (p *Program) Workload() *network.Workload { return p.workload }

// InTable2 tells whether the program trains what Table 2's notation can write, by the
// paper's rule.
func (p *Program) InTable2() bool {
	return len(p.workload.Beyond()) == 0
}

// Trainable tells whether the classifiers learn; otherwise their weights are
// regenerated on chip and never cross the memory port.
func (p *Program) Trainable() bool { return p.workload.Training.Classifier == network.Trainable }

// Intervals returns T/k.
func (p *Program) Intervals() int { return p.intervals }

// Start returns a cursor before the program's first step.
func (p *Program) Start() *Cursor {
	return &Cursor{program: p, held: make([]role.Tensor, 0, len(p.policy.Pinned)), interval: 1}
}

// WithWord returns the same program for a machine whose values have so many
// bytes.
func (p *Program) WithWord(word units.Bytes) *Program {
	q := *p
	q.Sizes.Word = word
	return &q
}

// layOutRows fixes the order of steps in each kind of row.
func (p *Program) layOutRows() {
	forward := func(b network.Block) (row []slot) {
		for l := b.First; l <= b.Last; l++ {
			row = append(row, slot{kind: ForwardLayer, block: b.Index, layer: l})
		}
		return append(row, slot{kind: ForwardClassifier, block: b.Index})
	}
	backward := func(b network.Block) []slot {
		row := []slot{{kind: BackwardClassifier, block: b.Index}}
		for l := b.Last; l >= b.First; l-- {
			row = append(row, slot{kind: BackwardLayer, block: b.Index, layer: l})
		}
		return row
	}
	for i, b := range p.own {
		p.rows[forwardRow] = append(p.rows[forwardRow], forward(b)...)
		if p.rule.Inference {
			continue
		}
		p.rows[endRow] = append(p.rows[endRow], forward(b)...)
		p.rows[endRow] = append(p.rows[endRow], backward(b)...)
		p.rows[backwardRow] = append(p.rows[backwardRow], backward(p.own[len(p.own)-1-i])...)
		if p.Traffic == Equations {
			continue
		}
		for l := b.First; l <= b.Last; l++ {
			p.rows[updateRow] = append(p.rows[updateRow], slot{kind: UpdateLayer, block: b.Index, layer: l})
		}
		if p.Trainable() {
			p.rows[updateRow] = append(p.rows[updateRow], slot{kind: UpdateClassifier, block: b.Index})
		}
	}
}

// findKeeps computes what stays on chip after each place of each row: what a
// later place of the row uses, and the spike counts that the loss needs.
//
// What is there when a row begins, such as the counts of all blocks, stays up to
// some place: of a list of it in the order of their ends, last first, each place
// keeps the first so many. So a program's size is linear in layers.
func (p *Program) findKeeps() {
	for kind := rowKind(0); kind < numRows; kind++ {
		var lasting []role.Tensor
		if kind == forwardRow {
			for _, b := range p.own {
				lasting = append(lasting, p.countOf(b.Index)) // the loss needs them at t_k
			}
		}
		there := map[role.Tensor]bool{} // when the row begins
		begin := func(t role.Tensor) { there[t] = true }
		for _, t := range lasting {
			begin(t)
		}
		p.backwards(kind, func(*slot) {}, func(t role.Tensor) { delete(there, t) }, begin)

		var carried []kept
		var live []role.Tensor
		known := map[role.Tensor]bool{}
		use := func(t role.Tensor) {
			switch {
			case !there[t]:
				live = append(remove(live, t), t)
			case !known[t]:
				known[t] = true
				carried = append(carried, p.keep(t))
			}
		}
		for _, t := range lasting {
			use(t)
		}
		p.backwards(kind, func(at *slot) {
			at.carried = len(carried)
			for _, t := range live {
				at.keeps = append(at.keeps, p.keep(t))
			}
		}, func(t role.Tensor) { live = remove(live, t) }, use)
		p.carried[kind] = carried
	}
}

// backwards goes through the places of a row from its end. It stops after each,
// then tells what comes on chip there and what is used.
func (p *Program) backwards(kind rowKind, after func(*slot), comes, used func(role.Tensor)) {
	var s Step
	row := p.rows[kind]
	for i := len(row) - 1; i >= 0; i-- {
		after(&row[i])
		p.build(&s, kind, slot{kind: row[i].kind, block: row[i].block, layer: row[i].layer}, 1, p.anyTime())
		for _, made := range s.Products {
			comes(made.Tensor)
		}
		for _, read := range s.Reads {
			comes(read.Tensor)
		}
		for _, received := range s.Receives {
			comes(received.Tensor)
		}
		for _, t := range s.Uses {
			used(t)
		}
	}
}

// anyTime is a time step of the first interval that stands for all but its first:
// counts of spikes are then carried over.
func (p *Program) anyTime() int { return p.K }

func (p *Program) keep(t role.Tensor) kept { return kept{t, t.Step == p.anyTime()} }

func remove(list []role.Tensor, t role.Tensor) []role.Tensor {
	for i := range list {
		if list[i] == t {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// Next puts the next step into s and reports whether there was one. The
// slices of s are reused.
func (c *Cursor) Next(s *Step) bool {
	p := c.program
	for c.interval <= p.intervals {
		kind, tau := p.rowAt(c.row)
		if c.position == len(p.rows[kind]) {
			c.position = 0
			if c.row++; c.row == p.rowsOf(c.interval) {
				c.row = 0
				c.interval++
			}
			continue
		}
		p.build(s, kind, p.rows[kind][c.position], c.interval, (c.interval-1)*p.K+tau)
		c.reside(s)
		c.position++
		return true
	}
	return false
}

// Rewind makes the first step the next one.
func (c *Cursor) Rewind() { c.interval, c.row, c.position, c.held = 1, 0, 0, c.held[:0] }

// rowAt returns the kind of an interval's row r and its time within the
// interval, 1..k.
func (p *Program) rowAt(r int) (rowKind, int) {
	switch {
	case r < p.K-1 || p.rule.Inference:
		return forwardRow, r + 1
	case r == p.K-1:
		return endRow, p.K
	case r < p.K-1+p.backward:
		return backwardRow, 2*p.K - 1 - r
	}
	return updateRow, p.K
}

// rowsOf returns the rows of an interval: forward, backward, and an update, if it
// has one.
func (p *Program) rowsOf(interval int) int {
	if p.rule.Inference {
		return p.K
	}
	rows := p.K - 1 + p.backward
	if p.updates(interval) {
		rows++
	}
	return rows
}

// updates tells whether weights are updated at an interval's end.
func (p *Program) updates(interval int) bool {
	return !p.rule.Inference && (!p.rule.OnceAnIteration || interval == p.intervals)
}

// Version returns how often weights have been updated before an interval.
func (p *Program) Version(interval int) int {
	if p.rule.OnceAnIteration || p.rule.Inference {
		return 0
	}
	return interval - 1
}

// Updates returns how often an iteration updates the weights.
func (p *Program) Updates() int {
	if p.rule.Inference {
		return 0
	}
	return p.Version(p.intervals) + 1
}

// Inference tells whether the program runs forward only.
func (p *Program) Inference() bool { return p.rule.Inference }

// LastBackward returns the time of an interval's last backward step.
func (p *Program) LastBackward(interval int) int { return interval*p.K - p.backward + 1 }

// Steps returns the number of steps of the iteration.
func (p *Program) Steps() int64 {
	return p.passSteps()*int64(p.Intervals()) + int64(len(p.rows[updateRow]))*int64(p.Updates())
}

// StepsOf returns the number of steps of an interval.
func (p *Program) StepsOf(interval int) int64 {
	if p.updates(interval) {
		return p.passSteps() + int64(len(p.rows[updateRow]))
	}
	return p.passSteps()
}

// passSteps are the steps of an interval forward and backward.
func (p *Program) passSteps() int64 {
	if p.rule.Inference {
		return int64(p.K) * int64(len(p.rows[forwardRow]))
	}
	return int64(p.K-1)*int64(len(p.rows[forwardRow])) + int64(p.backward-1)*int64(len(p.rows[backwardRow])) + int64(len(p.rows[endRow]))
}

// Extents lists every tensor that has an address in DRAM: what crosses the port
// under the paper's policy, but for what the program's own never moves.
func (p *Program) Extents() []Extent {
	lives := map[Pin]tensorLife{}
	for _, life := range p.life.moving {
		lives[life.Pin] = life
	}
	var moved map[Pin]bool // nil: as under the paper's policy
	if !p.isLayerPolicy() {
		moved = p.moved()
	}
	var extents []Extent
	add := func(among, owner role.Owner, index int) {
		for _, c := range role.Layout[among] {
			if owner != among && c.Row().Owner != owner {
				continue
			}
			pin := Pin{c, index}
			life, ok := lives[pin]
			if !ok || moved != nil && !life.initial && !moved[pin] {
				continue
			}
			extents = append(extents, Extent{
				Class: c, Index: index, Words: p.words(c, index), Slots: p.slots(c, index), Initial: life.initial, Constant: !life.written,
			})
		}
	}
	net := p.workload.Net
	for i := range net.Layers {
		add(role.OfLayer, role.OfLayer, i+1)
	}
	for i := net.N() + 1; i <= net.Projections(); i++ {
		add(role.OfLayer, role.OfProjection, i)
	}
	for _, b := range p.Blocks {
		add(role.OfClassifier, role.OfClassifier, b.Index)
	}
	add(role.OfNetwork, role.OfNetwork, 0)
	return extents
}

// slots returns how many values of a tensor DRAM holds. What a delayed projection
// reads is there for a step longer.
func (p *Program) slots(c role.Role, index int) int {
	net := p.workload.Net
	isSpikes, isError := c == role.Spikes || c == role.OwnSpikes, c == role.PotentialError || c == role.SynapticError
	if isSpikes && p.readsDelayed(index, c) {
		return max(p.backward, 1) + 1
	}
	if isError && p.readLater(net.Layer(index)) {
		return 2
	}
	switch c.Row().Slots {
	case role.History:
		return max(p.backward, 2)
	case role.Frames:
		if net.Encoding == network.Event && p.readsDelayed(network.InputLayer, role.Input) {
			return p.workload.Timesteps + 1 // and the zeros before the first
		}
		if net.Encoding == network.Event {
			return p.workload.Timesteps
		}
		return 1
	case role.OneSlot, role.NoSlot:
	}
	return 1
}

// readsDelayed tells whether something reads layer l's output, or the layer its own
// spikes, of the step before.
func (p *Program) readsDelayed(l int, c role.Role) bool {
	net := p.workload.Net
	readers := net.ReadersOf(l)
	if l != network.InputLayer {
		readers = append([]int{l}, readers...)
	}
	for _, reader := range readers {
		for i := range net.Layer(reader).Inputs {
			if in := &net.Layer(reader).Inputs[i]; in.Delay > 0 && in.From == l && p.Source(reader, in, 1).Class == c {
				return true
			}
		}
	}
	return false
}

// onlyAdded tells whether all that happens to layer l's spikes is that the next
// layer of its unit adds them to its own, as with the second convolution of a
// residual block whose sum belongs to the shortcut convolution after it: they stay
// on chip.
func (p *Program) onlyAdded(l int) bool { return p.workload.Net.OnlyAdded(l) }

// WorkingSet returns the on-chip words that double buffering needs: the
// largest sum of what one step holds and what is loaded and made for the next,
// without what other groups hand over.
func (p *Program) WorkingSet() units.Words {
	return p.workingSet(func(role.Role) bool { return true })
}

// WorkingSetOf returns those of one kind of buffer.
func (p *Program) WorkingSetOf(b role.Buffer) units.Words {
	return p.workingSet(func(c role.Role) bool { return c.Buffer() == b })
}

func (p *Program) workingSet(counts func(role.Role) bool) units.Words {
	some := *p
	if p.rule.OnceAnIteration { // the first interval, others, and the last differ
		some.intervals = min(p.intervals, 3)
	}
	q := some.Start()
	var s Step
	var kept, held, largest units.Words
	different := 1 // intervals: all after are alike
	if p.rule.OnceAnIteration {
		different = some.intervals
	}
	if len(p.policy.Pinned) > 0 {
		different = max(different, 2) // in the first, what is pinned comes on chip
	}
	for q.Next(&s) && s.Interval <= different {
		own := s.demand(counts)
		largest = max(largest, held+own)
		held = kept + own
		largest = max(largest, held)
		kept = 0
		for _, t := range s.Keeps {
			if t.Class == role.Spikes && t.Index == p.Received() || !counts(t.Class) {
				continue // has a place of its own
			}
			kept += p.words(t.Class, t.Index)
		}
	}
	return largest
}

// Demand returns the on-chip words that the step adds to what is kept: what it
// loads and what it makes.
func (s *Step) Demand() units.Words { return s.demand(func(role.Role) bool { return true }) }

func (s *Step) demand(counts func(role.Role) bool) (sum units.Words) {
	for _, r := range s.Reads {
		if counts(r.Tensor.Class) {
			sum += r.Words
		}
	}
	for _, made := range s.Products {
		if !made.InPlace && counts(made.Tensor.Class) {
			sum += made.Words
		}
	}
	return sum
}
