package dram

import "accelsim/units"

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
}

func compile(table []Constraint) *rules {
	r := new(rules)
	for _, c := range table {
		if c.Window > 1 {
			r.windows = append(r.windows, window{c.Window, c.Gap})
			continue
		}
		edges := &r.edges[c.Before][c.Scope]
		*edges = append(*edges, edge{c.After, c.Gap})
	}
	return r
}

// ready holds, for each command, the first clock at which it may issue.
type ready [timed]units.Cycles

func (r *ready) push(edges []edge, at units.Cycles) {
	for _, e := range edges {
		r[e.after] = max(r[e.after], at+e.gap)
	}
}

// timers is the state of all timing constraints of one channel.
type timers struct {
	rules   *rules
	bank    []ready
	group   []ready
	rank    []ready
	groupOf [maxBanks]uint8 // by bank
	rankOf  [maxBanks]uint8
	acts    []ring // per rank and window, the last ACTs
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
		rules: r,
		bank:  make([]ready, d.Ranks*d.Banks()),
		group: make([]ready, d.Ranks*d.BankGroups),
		rank:  make([]ready, d.Ranks),
		acts:  make([]ring, d.Ranks*len(r.windows)),
	}
	for b := range t.bank {
		t.groupOf[b] = uint8(b / d.BanksPerGroup)
		t.rankOf[b] = uint8(b / d.Banks())
	}
	for i := range t.acts {
		t.acts[i].at = make([]units.Cycles, r.windows[i%len(r.windows)].count)
	}
	t.reset()
	return t
}

// reset lets every constraint expire.
func (t *timers) reset() {
	for i := range t.bank {
		t.bank[i] = ready{}
	}
	for i := range t.group {
		t.group[i] = ready{}
	}
	for i := range t.rank {
		t.rank[i] = ready{}
	}
	for i := range t.acts {
		for j := range t.acts[i].at {
			t.acts[i].at[j] = never
		}
		t.acts[i].next = 0
	}
}

// earliest is the first clock at which c may issue to bank b.
func (t *timers) earliest(c Command, b int) units.Cycles {
	c = c.timer()
	return max(t.bank[b][c], t.group[t.groupOf[b]][c], t.rank[t.rankOf[b]][c])
}

// issue records that c went to bank b (any bank of the rank for REF) at a clock.
func (t *timers) issue(c Command, b int, at units.Cycles) {
	e := &t.rules.edges[c]
	t.bank[b].push(e[Bank], at)
	t.group[t.groupOf[b]].push(e[Group], at)
	rank := int(t.rankOf[b])
	t.rank[rank].push(e[Rank], at)
	if others := e[OtherRanks]; len(others) > 0 && len(t.rank) > 1 {
		for i := range t.rank {
			if i != rank {
				t.rank[i].push(others, at)
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
			t.rank[rank][ACT] = max(t.rank[rank][ACT], r.at[r.next]+w.gap)
		}
	}
}

// quiet is the first clock at which every constraint has expired, for REF too.
func (t *timers) quiet() units.Cycles {
	var at units.Cycles
	for i := range t.bank {
		for _, r := range t.bank[i] {
			at = max(at, r)
		}
	}
	for i := range t.group {
		for _, r := range t.group[i] {
			at = max(at, r)
		}
	}
	for i := range t.rank {
		for _, r := range t.rank[i] {
			at = max(at, r)
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
