package tiling

import (
	"slices"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// survey is a program under some rules: each step that is placed like none
// before, how often it is there in an iteration, and the ways to cut it. It says
// nothing about how much room there is.
type survey struct {
	*rules
	steps []surveyed
}

// surveyed is a step of a survey.
type surveyed struct {
	key          string // of the placed step
	kind         schedule.Kind
	block, layer int
	place        int         // in the network: see thrift
	times        units.Words // in an iteration
	early        bool        // it is among those before which intervals may differ
	handsParts   bool        // cut, it hands on spikes that are not all on chip
	whole        Words       // what it demands as it is
	moves        units.Words // as it is
	kept         units.Words // beside its tiles in a buffer for all tensors
	ways         []way       // none if it stays whole in all the room that the survey is for
}

// way is a way to cut a step, without how.
type way struct {
	frontiers [][]tiling  // of each stage
	moves     units.Words // beside what the stages fetch for operands
	needs     Words       // cut as small as can be
}

// surveyor makes surveys.
type surveyor struct {
	array pe.Array
	memo  *Memo
}

// survey goes through a program. Steps that fit twice into so much room are not
// cut in more, either.
func (v surveyor) survey(r *rules, room Room) *survey {
	list := &survey{rules: r}
	index := map[string]int{}
	intervals := r.program.Intervals()
	for w := r.walk(); ; w.leave() {
		if !w.next() {
			return list
		}
		w.place()
		w.key = w.appendKey(w.key[:0])
		at, known := index[string(w.key)]
		if !known {
			at = len(list.steps)
			key := string(w.key)
			index[key] = at
			list.steps = append(list.steps, v.surveyStep(key, &w.placed, room))
		}
		times := units.Words(1)
		if w.step.Interval == 2 {
			times = units.Words(max(1, intervals-2))
		}
		list.steps[at].times += times
	}
}

// surveyStep lists the ways to cut a placed step.
func (v surveyor) surveyStep(key string, t *placed, room Room) surveyed {
	s := &t.step
	x := surveyed{
		key: key, kind: s.Kind, block: s.Block, layer: s.Layer, place: t.placeOf(s),
		early: t.isDifferent(), whole: t.demand(), moves: s.WordsRead() + s.WordsWritten(), kept: t.kept(),
		handsParts: slices.ContainsFunc(s.Hands, func(x role.Tensor) bool { return !t.isResident(x) }),
	}
	if x.whole.times(2).fits(x.forTiles(room)) {
		return x
	}
	for _, stages := range t.ways() {
		var n way
		for i := range stages {
			frontier := v.memo.frontier(&stages[i], v.array, t.room)
			n.frontiers = append(n.frontiers, frontier)
			n.moves += stages[i].movesBeside()
			n.needs = n.needs.largest(frontier[len(frontier)-1].footprint)
		}
		x.ways = append(x.ways, n)
	}
	return x
}

// placeOf is where in the network a step is: layers and then classifiers, each
// with its steps forward before those backward.
func (t *placed) placeOf(s *schedule.Step) int {
	place := s.Layer
	if place == 0 {
		place = t.program.Workload().Net.N() + s.Block
	}
	place *= 2
	if s.Kind == schedule.BackwardLayer || s.Kind == schedule.BackwardClassifier {
		place++
	}
	return place
}

// movesBeside returns the words that a stage moves beside what it fetches for
// operands.
func (s *stage) movesBeside() (words units.Words) {
	for _, e := range s.elements {
		if e.hasRead {
			words += e.read.Words
		}
	}
	for _, list := range [][]schedule.Transfer{s.once, s.writes, s.onceWrites} {
		for _, x := range list {
			words += x.Words
		}
	}
	return words
}

// forTiles returns how much of the room tiles of the step may take.
func (x *surveyed) forTiles(room Room) Room {
	if room.Shared {
		room.Words[0] -= x.kept
		return room
	}
	for b, n := range room.Words { // whether or not it is used, so that more room is never less for tiles
		room.Words[b] -= n / keepShare
	}
	return room
}

// choices are what the steps of a survey may be cut into in some room.
type choices struct {
	surveyor
	survey *survey
	room   Room
	steps  []fitted    // that may be cut
	moves  units.Words // of the others, in an iteration
}

// fitted is a step with the tilings that fit.
type fitted struct {
	*surveyed
	ways  []fittedWay
	waits bool // whole it fits, though not twice: it may wait for the buffer
}

// fittedWay is a way to cut a step, with each stage's tilings to choose from.
type fittedWay struct {
	menus [][]*tiling
	fits  bool // twice
	moves units.Words
}

// in returns what there is to choose from in some room.
func (v surveyor) in(list *survey, room Room) choices {
	c := choices{surveyor: v, survey: list, room: room}
	for i := range list.steps {
		if x := &list.steps[i]; x.staysWhole(room, list.room) {
			c.moves += x.moves * x.times
		} else {
			c.steps = append(c.steps, x.in(room))
		}
	}
	return c
}

// staysWhole tells whether a step fits twice into some room, or takes no less of
// the whole room when it is cut.
func (x *surveyed) staysWhole(room, whole Room) bool {
	return x.whole.times(2).fits(x.forTiles(room)) || x.whole.in(whole).within(x.needs().in(whole))
}

func (x *surveyed) in(room Room) fitted {
	f, forTiles := fitted{surveyed: x}, x.forTiles(room)
	f.waits = x.whole.fits(forTiles)
	for _, n := range x.ways {
		w := fittedWay{fits: true, moves: n.moves}
		for _, frontier := range n.frontiers {
			menu, fits := menuOf(frontier, forTiles)
			w.menus, w.fits = append(w.menus, menu), w.fits && fits
		}
		f.ways = append(f.ways, w)
	}
	return f
}

// needs returns the words on chip that a step cannot do without when it is cut as
// small as can be: in the last way.
func (x *surveyed) needs() Words { return x.ways[len(x.ways)-1].needs }

// least returns the words on chip that a step cannot do without in no room.
func (x *surveyed) least(room Room) Words {
	if len(x.ways) == 0 || x.whole.in(room).within(x.needs().in(room)) {
		return x.whole
	}
	return x.needs()
}

// menuOf returns the tilings that fit twice into the room and of which none before
// fetches as little: the others are never the cheapest. Where none fits it is the
// smallest.
func menuOf(frontier []tiling, room Room) (menu []*tiling, fits bool) {
	for i := range frontier {
		t := &frontier[i]
		if len(menu) > 0 && t.fetches >= menu[len(menu)-1].fetches {
			continue
		}
		if t.footprint.times(2).fits(room) {
			menu = append(menu, t)
		}
	}
	if len(menu) == 0 {
		return []*tiling{&frontier[len(frontier)-1]}, false
	}
	return menu, true
}

// cheapest returns the tiling of a menu that costs the least when a fetched word
// weighs so many times more.
func cheapest(menu []*tiling, thrift float64) *tiling {
	best, least := menu[0], 0.0
	for i, t := range menu {
		if cost := dear(t.cost, t.fetches, thrift); i == 0 || cost < least {
			best, least = t, cost
		}
	}
	return best
}

// choose returns the way to cut a step that costs the least, -1 to leave it whole,
// the words that it moves and the words' worth of clocks that PEs idle.
func (f *fitted) choose(thrift float64) (best int, moved, idle units.Words) {
	best, least := -1, 0.0
	for w := range f.ways {
		n := &f.ways[w]
		words, waste := n.moves, units.Words(0)
		for _, menu := range n.menus {
			t := cheapest(menu, thrift)
			words += t.fetches
			waste += t.cost - t.fetches
		}
		cost := dear(words+waste, words, thrift)
		// The last way is the one that needs the least room.
		if last := w == len(f.ways)-1; (n.fits && (best < 0 || cost < least)) || (best < 0 && last) {
			best, least, moved, idle = w, cost, words, waste
		}
	}
	if best < 0 || moved > f.moves && f.waits {
		return -1, f.moves, 0 // rather wait for the buffer than fetch again
	}
	return best, moved, idle
}

// divide returns what the step is cut into.
func (f *fitted) divide(thrift float64) *division {
	best, _, _ := f.choose(thrift)
	if best < 0 {
		return &division{}
	}
	d := &division{way: best}
	for _, menu := range f.ways[best].menus {
		d.tilings = append(d.tilings, *cheapest(menu, thrift))
	}
	return d
}

// weigh returns the words that an iteration moves, and the words' worth of PEs
// that idle in steps that are cut.
func (c *choices) weigh(at thrift) (moved, idle units.Words) {
	moved = c.moves
	for i := range c.steps {
		f := &c.steps[i]
		_, m, n := f.choose(at.of(f.place))
		moved += m * f.times
		idle += n * f.times
	}
	return moved, idle
}
