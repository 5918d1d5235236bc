package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// Listing prints an interval of a schedule so that one can lay it beside
// Figure 8.
type Listing struct {
	Program  *schedule.Program
	Interval int
	Block    int     // 0 is all
	All      bool    // also the time steps that repeat the one before
	Seed     *uint64 // that was given, for the records
}

// StepRecord is a step as data.
type StepRecord struct {
	Step         string      `json:"step"`
	Interval     int         `json:"interval"`
	Time         int         `json:"t"`
	Block        int         `json:"block"`
	Layer        int         `json:"layer,omitempty"`
	AtEnd        bool        `json:"at_t_k"`
	Reads        []Moved     `json:"reads"`
	OnChip       []string    `json:"on_chip"`
	Computes     []string    `json:"computes"`
	Writes       []Moved     `json:"writes"`
	WordsRead    units.Words `json:"words_read"`
	WordsWritten units.Words `json:"words_written"`
	Seed         *uint64     `json:"seed,omitempty"` // that was given; nothing is drawn
}

// Moved is a transfer as data; Beyond is "covered" for what Eqs. 11-17 count.
type Moved struct {
	Tensor string      `json:"tensor"`
	Words  units.Words `json:"words"`
	Beyond string      `json:"beyond"`
}

// Records returns the steps of the listing.
func (l *Listing) Records() []StepRecord {
	var records []StepRecord
	l.each(func(s *schedule.Step) {
		r := StepRecord{
			Step: s.Kind.String(), Interval: s.Interval, Time: s.Time, Block: s.Block, Layer: s.Layer, AtEnd: s.End,
			Reads: moved(s.Reads), Writes: moved(s.Writes), Computes: computes(s), Seed: l.Seed,
			OnChip: []string{}, WordsRead: s.WordsRead(), WordsWritten: s.WordsWritten(),
		}
		for _, t := range s.Uses {
			r.OnChip = append(r.OnChip, t.String())
		}
		records = append(records, r)
	})
	return records
}

func moved(transfers []schedule.Transfer) []Moved {
	list := make([]Moved, 0, len(transfers))
	for _, t := range transfers {
		list = append(list, Moved{t.Tensor.String(), t.Words, t.Beyond.String()})
	}
	return list
}

func computes(s *schedule.Step) []string {
	list := make([]string, 0, len(s.Kernels))
	for _, k := range s.Kernels {
		list = append(list, k.Op.String())
	}
	return list
}

// each visits the steps of the listing in order.
func (l *Listing) each(visit func(*schedule.Step)) {
	var s schedule.Step
	for steps := l.Program.Start(); steps.Next(&s) && s.Interval <= l.Interval; {
		if s.Interval == l.Interval && (l.Block == 0 || s.Block == l.Block) {
			visit(&s)
		}
	}
}

// row tells which part of Figure 8 a step belongs to: all steps of one pass
// and time.
func row(s *schedule.Step) string {
	switch {
	case s.Kind == schedule.UpdateLayer || s.Kind == schedule.UpdateClassifier:
		return "update"
	case s.End:
		return "t_k"
	case s.Kind.Forward():
		return "forward"
	}
	return "backward"
}

// Write prints the listing: one table per time step and pass. A star marks
// what Eqs. 11-17 leave out.
func (l *Listing) Write(w io.Writer) error {
	p := l.Program
	first, last := (l.Interval-1)*p.K+1, l.Interval*p.K
	fmt.Fprintf(w, "%s, (k, n) = (%d, %d), batch %d: interval %d of %d, t = %d..%d, t_k = %d\n",
		p.Workload().Name, p.K, p.N, p.Workload().Batch, l.Interval, p.Intervals(), first, last, last)
	fmt.Fprintf(w, "* is beyond Eqs. 11-17; [ ] is on chip already; words of 4 bytes\n\n")

	var t *Table
	var current string
	var read, written [2]units.Words // covered, all
	var err error
	skipped := 0
	flush := func() {
		if t == nil || err != nil {
			return
		}
		t.Add("", "", "", "total", Integer(read[1]), Integer(written[1]))
		t.Add("", "", "", "in Eqs. 11-14", Integer(read[0]), Integer(written[0]))
		err = t.Write(w)
		t, read, written = nil, [2]units.Words{}, [2]units.Words{}
	}
	l.each(func(s *schedule.Step) {
		kind := row(s)
		title := heading(kind, s.Time, last)
		if title != current {
			flush()
			current = title
			// Middle steps repeat the interval's first, and the one before t_k.
			repeats := (kind == "forward" && s.Time > first) || (kind == "backward" && s.Time < last-1)
			if p.Policy().SkipUnread && s.Time == first {
				repeats = false // its errors are not stored
			}
			if repeats && !l.All {
				skipped++
			} else {
				t = &Table{
					Title:  title,
					Header: []string{"step", "reads", "computes", "writes", "words in", "words out"},
					Left:   []int{1, 2, 3},
				}
			}
		}
		if t == nil {
			return
		}
		for _, x := range s.Reads {
			add(&read, x)
		}
		for _, x := range s.Writes {
			add(&written, x)
		}
		t.Add(name(s), reads(s), strings.Join(computes(s), "; "), symbols(s.Writes), Integer(s.WordsRead()), Integer(s.WordsWritten()))
	})
	flush()
	if err == nil && skipped > 0 {
		_, err = fmt.Fprintf(w, "%d time steps that repeat the one shown for their pass are left out; --all lists them.\n", skipped)
	}
	return err
}

func add(sum *[2]units.Words, t schedule.Transfer) {
	if t.Beyond == schedule.Covered {
		sum[0] += t.Words
	}
	sum[1] += t.Words
}

func heading(kind string, time, last int) string {
	switch kind {
	case "update":
		return "after the interval: weights"
	case "t_k":
		return fmt.Sprintf("t = %d = t_k: each block forward, then backward from what is on chip", time)
	}
	return fmt.Sprintf("t = %d: %s", time, kind)
}

func name(s *schedule.Step) string {
	if s.Layer == 0 {
		return fmt.Sprintf("block %d %s", s.Block, s.Kind)
	}
	return fmt.Sprintf("block %d %s %d", s.Block, s.Kind, s.Layer)
}

func reads(s *schedule.Step) string {
	text := symbols(s.Reads)
	for _, t := range s.Uses {
		text += " [" + t.String() + "]"
	}
	return strings.TrimSpace(text)
}

func symbols(transfers []schedule.Transfer) string {
	var list []string
	for _, t := range transfers {
		star := ""
		if t.Beyond != schedule.Covered {
			star = "*"
		}
		list = append(list, t.Tensor.String()+star)
	}
	return strings.Join(list, " ")
}
