package dram

import (
	"math/bits"

	"github.com/accelsim-dev/accelsim/units"
)

// edge is one compiled constraint: after must wait gap clocks.
type edge struct {
	after Command
	gap   units.Cycles
}

// window is a compiled constraint over the count-th last ACT of a rank.
type window struct {
	count int
	gap   units.Cycles
}

// rules is a constraint table compiled for lookup by command and scope.
type rules struct {
	edges   [commands][scopes][]edge
	windows []window
	longest units.Cycles // gap of all
}

func compile(table []Constraint) *rules {
	r := new(rules)
	for _, c := range table {
		r.longest = max(r.longest, c.Gap)
		if c.Window > 1 {
			r.windows = append(r.windows, window{c.Window, c.Gap})
			continue
		}
		edges := &r.edges[c.Before][c.Scope]
		*edges = append(*edges, edge{c.After, c.Gap})
	}
	return r
}

// ready holds, for each command and each bank, group or rank, the first clock
// at which it may issue there. Fixed sizes spare the inner loops their bounds
// checks.
type ready [timed][maxBanks]units.Cycles

func (r *ready) push(edges []edge, where int, at units.Cycles) {
	for _, e := range edges {
		slot := &r[e.after][where&(maxBanks-1)]
		*slot = max(*slot, at+e.gap)
	}
}

// timers is the state of all timing constraints of one channel.
type timers struct {
	rules             *rules
	bank, group, rank ready
	groupOf           [maxBanks]uint8 // by bank
	rankOf            [maxBanks]uint8
	banksOf           []uint64 // by rank, one bit a bank
	acts              []ring   // per rank and window, the last ACTs
}

// ring holds the last count ACT times of a rank.
type ring struct {
	at   []units.Cycles
	next int
}

// long ago: before any constraint could reach clock 0.
const never units.Cycles = -1 << 40

func newTimers(d Device, r *rules) timers {
	t := timers{
		rules:   r,
		acts:    make([]ring, d.Ranks*len(r.windows)),
		banksOf: make([]uint64, d.Ranks),
	}
	for b := range d.Ranks * d.Banks() {
		t.groupOf[b] = uint8(b / d.BanksPerGroup)
		t.rankOf[b] = uint8(b / d.Banks())
		t.banksOf[t.rankOf[b]] |= 1 << b
	}
	for i := range t.acts {
		t.acts[i].at = make([]units.Cycles, r.windows[i%len(r.windows)].count)
	}
	t.reset()
	return t
}

// reset lets every constraint expire.
func (t *timers) reset() {
	t.bank, t.group, t.rank = ready{}, ready{}, ready{}
	for i := range t.acts {
		for j := range t.acts[i].at {
			t.acts[i].at[j] = never
		}
		t.acts[i].next = 0
	}
}

// shift moves all that is waited for on by a time.
func (t *timers) shift(later units.Cycles) {
	for command := range timed {
		for b := range maxBanks {
			t.bank[command][b] += later
			t.group[command][b] += later
			t.rank[command][b] += later
		}
	}
	for i := range t.acts {
		for j := range t.acts[i].at {
			t.acts[i].at[j] += later
		}
	}
}

// earliest is the first clock at which c may issue to bank b.
func (t *timers) earliest(c Command, b int) units.Cycles {
	c = c.timer()
	b &= maxBanks - 1
	return max(t.bank[c][b], t.group[c][t.groupOf[b]&(maxBanks-1)], t.rank[c][t.rankOf[b]&(maxBanks-1)])
}

// issue records that c went to bank b (any bank of the rank for REF) at a clock.
func (t *timers) issue(c Command, b int, at units.Cycles) {
	e := &t.rules.edges[c]
	rank := int(t.rankOf[b])
	t.bank.push(e[Bank], b, at)
	t.group.push(e[Group], int(t.groupOf[b]), at)
	t.rank.push(e[Rank], rank, at)
	if others := e[OtherRanks]; len(others) > 0 {
		for i := range t.banksOf {
			if i != rank {
				t.rank.push(others, i, at)
			}
		}
	}
	if c == ACT {
		for i, w := range t.rules.windows {
			r := &t.acts[rank*len(t.rules.windows)+i]
			r.at[r.next] = at
			if r.next++; r.next == len(r.at) {
				r.next = 0
			}
			// The slot to be overwritten next holds the count-th last ACT.
			t.rank[ACT][rank] = max(t.rank[ACT][rank], r.at[r.next]+w.gap)
		}
	}
}

// quiet is the first clock at which every constraint has expired, for REF too.
func (t *timers) quiet() units.Cycles {
	var at units.Cycles
	ranks := len(t.banksOf)
	banks := 0
	for _, set := range t.banksOf {
		banks += bits.OnesCount64(set)
	}
	for c := range timed {
		for b := range banks {
			at = max(at, t.bank[c][b], t.group[c][b])
		}
		for r := range ranks {
			at = max(at, t.rank[c][r])
		}
	}
	// An ACT window holds nothing back once its newest ACT is a gap ago.
	for i := range t.acts {
		for _, a := range t.acts[i].at {
			at = max(at, a+t.rules.windows[i%len(t.rules.windows)].gap)
		}
	}
	return at
}
