// Package figures redraws Figures 6, 7 and 9 to 15 of Guo et al. (2023) from
// simulations, and tabulates every number that the paper prints.
//
// [New] says which figures; [Album.Measure] simulates all their design points,
// each once, on all cores; [Album.Figures] and [Album.Published] lay the results
// out. Every point is simulated on two machines: an idealised one to which
// nothing exists but the traffic and operations of Eqs. 11-17, and a real one.
// The equations are held against both: a difference is a [Mismatch].
package figures

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
)

// Figure is one figure: what it shows, its panels, and the numbers behind them.
type Figure struct {
	Name    string // of its files
	Title   string
	Caption string
	Charts  []Chart
	Legend  []Entry
	Header  []string
	Rows    [][]string
}

// CSV returns the numbers as a table.
func (f *Figure) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(f.Header) // a buffer cannot fail
	_ = w.WriteAll(f.Rows)
	return b.Bytes()
}

// kind is a figure that can be asked for.
type kind struct {
	name  string // "9", "time"
	needs func(a *Album, need need)
	draw  func(a *Album) *Figure
}

// need asks for a point; timed for its time and energy.
type need func(p Point, timed bool)

var (
	lenets   = Tasks[:2]
	alexnets = Tasks[2:]
)

// kinds are all figures, in order.
var kinds = []kind{
	{"6", needMemory(lenets), func(a *Album) *Figure { return a.memory("6", "training LeNet", lenets) }},
	{"7", needMemory(alexnets), func(a *Album) *Figure { return a.memory("7", "training AlexNet", alexnets) }},
	{"9", needAccess(lenets), func(a *Album) *Figure { return a.access("9", lenets) }},
	{"10", needAccess(alexnets), func(a *Album) *Figure { return a.access("10", alexnets) }},
	{"11", needAccess(lenets), func(a *Album) *Figure { return a.additions("11", lenets) }},
	{"12", needAccess(alexnets), func(a *Album) *Figure { return a.additions("12", alexnets) }},
	{"13", needGrid(false), (*Album).macs},
	{"14", needGrid(false), (*Album).merit},
	{"15", needGrid(false), (*Album).best},
	{"traffic", needGrid(false), (*Album).traffic},
	{"time", needGrid(true), (*Album).time},
	{"energy", needGrid(true), (*Album).energy},
	{"capacity", needCapacity, (*Album).capacity},
	{"rules", needRules, (*Album).rules},
}

// Names are the figures that there are.
func Names() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// Album is a choice of figures with the lab that simulates their points.
type Album struct {
	Seed *uint64 // that was given; the index records it

	Lab        *Lab
	Accuracies *Accuracies
	kinds      []kind
	claims     []claim
}

// slow are the figures that have to be asked for: they take a minute or more.
var slow = []string{"capacity", "rules"}

// New chooses figures by name, in the paper's order; none stands for all but
// those about capacity and rules, which take long. With all of them comes the table of
// published numbers.
func New(only []string, l *Lab, acc *Accuracies) (*Album, error) {
	a := &Album{Lab: l, Accuracies: acc}
	for _, name := range only {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("no figure %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	for _, k := range kinds {
		if len(only) == 0 && !slices.Contains(slow, k.name) || slices.Contains(only, k.name) {
			a.kinds = append(a.kinds, k)
		}
	}
	var err error
	if len(only) == 0 { // the published numbers' FoM is over the grid of Figure 14
		a.claims, err = claims()
	}
	return a, err
}

// Measure simulates all points.
func (a *Album) Measure() error {
	points := map[Point]bool{}
	add := func(p Point, timed bool) { points[p] = points[p] || timed }
	for _, k := range a.kinds {
		k.needs(a, add)
	}
	for _, c := range a.claims {
		if !c.equation {
			add(c.run, false)
			add(c.base, false)
		}
	}
	return a.Lab.measure(points)
}

// Figures lays the figures out. Call [Album.Measure] first.
func (a *Album) Figures() []*Figure {
	var all []*Figure
	for _, k := range a.kinds {
		all = append(all, k.draw(a))
	}
	return all
}

// Published returns the table of published numbers, nil if it was not asked for.
func (a *Album) Published() []Row {
	if a.claims == nil {
		return nil
	}
	return a.published()
}

// Table lays published numbers out for a terminal. Notes are numbered below it.
func Table(rows []Row) *report.Table {
	t := &report.Table{
		Title:  "Published numbers (percent): the paper, its equations, and two simulated machines",
		Header: []string{"quantity", "task", "paper", "equations", "idealised", "real", ""},
		Left:   []int{1, 6},
		Notes: []string{
			"idealised: moves and executes only what Eqs. 11-17 cover (--traffic equations); real: everything",
			"words, additions and MACs of the idealised machine equal the equations' at every point, or this would have failed",
		},
	}
	numbered := footnotes{}
	for _, r := range rows {
		t.Add(r.Quantity, r.Task, dash(r.Paper), dash(r.Equations), dash(r.Ideal), dash(r.Real), numbered.mark(r.Note))
	}
	for i, note := range numbered.notes {
		t.Notes = append(t.Notes, fmt.Sprintf("(%d) %s", i+1, note))
	}
	return t
}

// footnotes numbers notes in the order of their first use.
type footnotes struct{ notes []string }

func (f *footnotes) mark(note string) string {
	if note == "" {
		return ""
	}
	at := slices.Index(f.notes, note)
	if at < 0 {
		at = len(f.notes)
		f.notes = append(f.notes, note)
	}
	return fmt.Sprintf("(%d)", at+1)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// PublishedCSV returns the table as CSV; what does not exist is empty.
func PublishedCSV(rows []Row) []byte {
	f := Figure{Header: []string{"quantity", "task", "paper_percent", "equations_percent", "idealised_percent", "real_percent", "note"}}
	for _, r := range rows {
		f.Rows = append(f.Rows, []string{r.Quantity, r.Task, r.Paper, r.Equations, r.Ideal, r.Real, r.Note})
	}
	return f.CSV()
}

// PublishedMarkdown returns the table as Markdown. Notes are numbered below it.
func PublishedMarkdown(rows []Row) []byte {
	var b bytes.Buffer
	b.WriteString("| quantity (percent) | task | paper | equations | idealised machine | real machine | |\n|---|---|--:|--:|--:|--:|---|\n")
	numbered := footnotes{}
	for _, r := range rows {
		mark := numbered.mark(r.Note)
		cell := strings.NewReplacer("->", "→", "|", `\|`, "<", "&lt;", ">", "&gt;", "~", "≈ ")
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", cell.Replace(r.Quantity), r.Task, cell.Replace(r.Paper),
			dash(r.Equations), dash(r.Ideal), dash(r.Real), mark)
	}
	b.WriteString("\n")
	for i, note := range numbered.notes {
		end := "\n"
		if i < len(numbered.notes)-1 {
			end = "  \n" // a line break
		}
		fmt.Fprintf(&b, "(%d) %s%s", i+1, strings.ReplaceAll(note, "|", `\|`), end)
	}
	return b.Bytes()
}

// File is one file of an album.
type File struct {
	Name string
	Data []byte
}

// Files renders everything: each figure as SVG, PNG and CSV, the published
// numbers as CSV and Markdown, and an index with all captions.
func (a *Album) Files() ([]File, error) {
	var files []File
	var index bytes.Buffer
	index.WriteString("# Figures of Guo et al. (2023), from accelsim's simulations\n\n")
	for _, f := range a.Figures() {
		png, err := f.PNG()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		svg, err := f.SVG()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		files = append(files, File{f.Name + ".svg", svg}, File{f.Name + ".png", png}, File{f.Name + ".csv", f.CSV()})
		fmt.Fprintf(&index, "## %s\n\n![%s](%s.svg)\n\n%s ([data](%s.csv))\n\n", f.Title, f.Name, f.Name, f.Caption, f.Name)
	}
	if rows := a.Published(); rows != nil {
		markdown := PublishedMarkdown(rows)
		files = append(files, File{"published.csv", PublishedCSV(rows)}, File{"published.md", markdown})
		index.WriteString("## Published numbers\n\n")
		index.Write(markdown)
	}
	if a.Seed != nil {
		fmt.Fprintf(&index, "\nThe seed %d was given; nothing is drawn at random.\n", *a.Seed)
	}
	return append(files, File{"index.md", index.Bytes()}), nil
}

// classifiers are both kinds, in the order of legends.
var classifiers = []string{network.Trainable, network.Random}

// density says at which density additions were counted.
func (a *Album) density() string {
	if a.Lab.Activity == "" {
		return "0.1"
	}
	return a.Lab.Activity
}

func letter(i int) string { return "(" + string(rune('A'+i)) + ") " }

func integer[T ~int | ~int64](v T) string { return strconv.FormatInt(int64(v), 10) }
