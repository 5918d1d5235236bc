package figures

import (
	"bufio"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"accelsim/network"
)

// Loss is AL of Eq. 18, (A_BPTT - A) / A_BPTT, in percent: exact where Low and
// High are equal, otherwise bounds. Negative is better than BPTT.
type Loss struct {
	Low, High float64
	Source    string
}

// Exact tells whether the loss is a number rather than bounds.
func (l Loss) Exact() bool { return l.Low == l.High }

// String prints the loss in percent.
func (l Loss) String() string {
	if l.Exact() {
		return fixed(l.Low, 2)
	}
	return fixed(l.Low, 2) + ".." + fixed(l.High, 2)
}

type design struct {
	dataset string
	k, n    int
}

// Accuracies holds the losses of accuracy that are known, with trainable
// classifiers.
type Accuracies struct {
	Name   string // of the file
	losses map[design]Loss
}

// Of returns the loss of a task at (k, n), if it is known. That of BPTT is 0.
func (a *Accuracies) Of(t *Task, k, n int) (Loss, bool) {
	if k == t.T() && n == t.Layers() {
		return Loss{Source: "BPTT itself"}, true
	}
	l, ok := a.losses[design{t.Dataset, k, n}]
	return l, ok
}

// known tells whether anything but BPTT itself is known of a task.
func (a *Accuracies) known(t *Task) bool {
	for d := range a.losses {
		if d.dataset == t.Dataset {
			return true
		}
	}
	return false
}

//go:embed paper.csv
var paperCSV string

// PaperAccuracies are the losses that the text of Guo et al. (2023) prints.
// Its Figures 3-5 show more, but no numbers.
func PaperAccuracies() *Accuracies {
	a, err := ReadAccuracies(strings.NewReader(paperCSV), "figures/paper.csv")
	if err != nil {
		panic(err) // a constant of this package; a test reads it
	}
	return a
}

// maxAccuracyLines bounds an accuracy file.
const maxAccuracyLines = 100_000

// ReadAccuracies reads a CSV file with the columns dataset, k, n and accuracy
// (percent) or loss (percent relative to BPTT, a number or bounds such as
// 0..1), and optionally net, classifier (trainable) and source. Lines that begin
// with # are comments. Where accuracies are given, BPTT's must be, too. Errors
// name file and line.
func ReadAccuracies(r io.Reader, name string) (*Accuracies, error) {
	a := &Accuracies{Name: name, losses: map[design]Loss{}}
	file := csv.NewReader(bufio.NewReader(r))
	file.Comment, file.TrimLeadingSpace, file.FieldsPerRecord = '#', true, -1
	header, err := file.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty; the first line names the columns: %s", name, accuracyHeader)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	columns, err := accuracyColumns(header)
	if err != nil {
		line, _ := file.FieldPos(0)
		return nil, fmt.Errorf("%s:%d: %w", name, line, err)
	}
	measured := map[design]measurement{}
	for rows := 0; ; rows++ {
		record, err := file.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := file.FieldPos(0)
		if rows == maxAccuracyLines {
			return nil, fmt.Errorf("%s:%d: more than %d lines", name, line, maxAccuracyLines)
		}
		if err := a.row(columns, record, line, measured); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	if err := a.normalise(measured); err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	return a, nil
}

const accuracyHeader = "dataset,k,n,accuracy (or loss), and optionally net, classifier and source"

// measurement is an absolute accuracy in percent.
type measurement struct {
	accuracy float64
	source   string
	line     int
}

func accuracyColumns(header []string) (map[string]int, error) {
	columns := map[string]int{}
	for i, field := range header {
		field = strings.ToLower(strings.TrimSpace(field))
		switch field {
		case "net", "dataset", "k", "n", "accuracy", "loss", "classifier", "source":
		default:
			return nil, fmt.Errorf("column %q is unknown; write %s", field, accuracyHeader)
		}
		if _, twice := columns[field]; twice {
			return nil, fmt.Errorf("column %q is there twice", field)
		}
		columns[field] = i
	}
	_, accuracy := columns["accuracy"]
	_, loss := columns["loss"]
	for _, required := range []string{"dataset", "k", "n"} {
		if _, ok := columns[required]; !ok {
			return nil, fmt.Errorf("no column %q; write %s", required, accuracyHeader)
		}
	}
	if !accuracy && !loss {
		return nil, fmt.Errorf("neither a column accuracy nor loss; write %s", accuracyHeader)
	}
	return columns, nil
}

func (a *Accuracies) row(columns map[string]int, record []string, line int, measured map[design]measurement) error {
	if len(record) != len(columns) {
		return fmt.Errorf("%d fields; the header has %d", len(record), len(columns))
	}
	get := func(column string) string {
		if i, ok := columns[column]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	t := task(get("dataset"))
	if t == nil {
		return fmt.Errorf("dataset %q%s; the figures show %s", get("dataset"),
			network.Suggest(get("dataset"), datasets()), strings.Join(datasets(), ", "))
	}
	if net := get("net"); net != "" && net != t.Net {
		return fmt.Errorf("net %q; the figures show %s on %s", net, t.Net, t.Dataset)
	}
	if c := get("classifier"); c != "" && c != network.Trainable {
		return fmt.Errorf("classifier %q; Figures 14 and 15 are of trainable classifiers, leave other rows out", c)
	}
	d := design{dataset: t.Dataset}
	for _, part := range []struct {
		column string
		to     *int
		of     []int
	}{{"k", &d.k, t.K}, {"n", &d.n, t.N}} {
		v, err := strconv.Atoi(get(part.column))
		if err != nil || !contains(part.of, v) {
			return fmt.Errorf("%s is %q; the paper's grid of %s has %s", part.column, get(part.column), t.Dataset, list(part.of))
		}
		*part.to = v
	}
	_, twice := measured[d]
	if _, also := a.losses[d]; twice || also {
		return fmt.Errorf("%s at (%d, %d) is there twice", d.dataset, d.k, d.n)
	}
	accuracy, loss := get("accuracy"), get("loss")
	switch {
	case accuracy != "" && loss != "":
		return errors.New("both accuracy and loss; write one of them")
	case accuracy != "":
		v, err := number(accuracy)
		if err != nil || v <= 0 || v > 100 {
			return fmt.Errorf("accuracy %q; write percent above 0 and up to 100", accuracy)
		}
		measured[d] = measurement{v, get("source"), line}
	case loss != "":
		l, err := parseLoss(loss)
		if err != nil {
			return err
		}
		l.Source = get("source")
		a.losses[d] = l
	default:
		return errors.New("neither accuracy nor loss; write one of them")
	}
	return nil
}

// normalise turns accuracies into losses against BPTT's.
func (a *Accuracies) normalise(measured map[design]measurement) error {
	for _, t := range Tasks { // in order: the same first error every time
		base, ok := measured[design{t.Dataset, t.T(), t.Layers()}]
		var failure error
		t.grid(func(k, n int) {
			m, given := measured[design{t.Dataset, k, n}]
			if !given || failure != nil {
				return
			}
			if !ok {
				failure = fmt.Errorf("%d: the accuracy of %s at (%d, %d) needs BPTT's beside it: add a line for k = %d, n = %d",
					m.line, t.Dataset, k, n, t.T(), t.Layers())
				return
			}
			loss := 100 * (base.accuracy - m.accuracy) / base.accuracy
			a.losses[design{t.Dataset, k, n}] = Loss{loss, loss, m.source}
		})
		if failure != nil {
			return failure
		}
	}
	return nil
}

func parseLoss(text string) (Loss, error) {
	low, high, bounds := strings.Cut(text, "..")
	if !bounds {
		high = low
	}
	l, err := number(low)
	h, err2 := number(high)
	if err != nil || err2 != nil || l > h || h > 100 {
		return Loss{}, fmt.Errorf("loss %q; write percent relative to BPTT, up to 100, such as -7.26, or bounds such as 0..1", text)
	}
	return Loss{Low: l, High: h}, nil
}

func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = strconv.ErrRange
	}
	return v, err
}

func contains(list []int, v int) bool {
	for _, e := range list {
		if e == v {
			return true
		}
	}
	return false
}

func list(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

func fixed(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" { // no negative zero
		return strings.TrimPrefix(s, "-")
	}
	return s
}
