package figures

import (
	"bufio"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
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

// ReadAccuracies reads one file: see [AccuracyFiles.Add].
func ReadAccuracies(r io.Reader, name string) (*Accuracies, error) {
	var files AccuracyFiles
	if err := files.Add(r, name); err != nil {
		return nil, err
	}
	return files.Accuracies()
}

// AccuracyFiles collects accuracies from several files. The zero value has none.
type AccuracyFiles struct {
	names    []string
	losses   map[design]Loss
	measured map[design]measurement
}

// measurement is an absolute accuracy, in percent or as a fraction: only ratios
// of accuracies count.
type measurement struct {
	accuracy float64
	source   string
	at       string // file and line
}

// Add reads the JSON result of `accelsim train` (its last test accuracy), or a
// CSV file with the columns dataset, k, n and accuracy (percent) or loss
// (percent relative to BPTT, a number or bounds such as 0..1), and optionally
// net, classifier (trainable) and source. Lines that begin with # are comments.
// Errors name file and line.
func (f *AccuracyFiles) Add(r io.Reader, name string) error {
	if f.losses == nil {
		f.losses, f.measured = map[design]Loss{}, map[design]measurement{}
	}
	f.names = append(f.names, name)
	text := bufio.NewReader(r)
	if first, _ := text.Peek(1); string(first) == "{" {
		if err := f.trained(text, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	file := csv.NewReader(text)
	file.Comment, file.TrimLeadingSpace, file.FieldsPerRecord = '#', true, -1
	header, err := file.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: is empty; the first line names the columns: %s", name, accuracyHeader)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	columns, err := accuracyColumns(header)
	if err != nil {
		line, _ := file.FieldPos(0)
		return fmt.Errorf("%s:%d: %w", name, line, err)
	}
	for rows := 0; ; rows++ {
		record, err := file.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		line, _ := file.FieldPos(0)
		at := fmt.Sprintf("%s:%d", name, line)
		if rows == maxAccuracyLines {
			return fmt.Errorf("%s: more than %d lines", at, maxAccuracyLines)
		}
		if err := f.row(columns, record, at); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
}

// trained reads what `accelsim train --format json` prints.
func (f *AccuracyFiles) trained(r io.Reader, name string) error {
	var result struct {
		Schema   string `json:"schema"`
		Settings struct {
			Network    string  `json:"network"`
			Dataset    string  `json:"dataset"`
			Timesteps  int     `json:"timesteps"`
			K          int     `json:"k"`
			Blocks     [][]int `json:"blocks"`
			Classifier string  `json:"classifier"`
		} `json:"settings"`
		Epochs []struct {
			Test *float64 `json:"test_accuracy"`
		} `json:"epochs"`
	}
	if err := json.NewDecoder(r).Decode(&result); err != nil {
		return fmt.Errorf("is no JSON: %w", err)
	}
	s := result.Settings
	t := task(s.Dataset)
	switch {
	case result.Schema != trainSchema:
		return fmt.Errorf("schema %q; write the result of accelsim train (%s), or CSV", result.Schema, trainSchema)
	case t == nil || t.Net != s.Network || t.T() != s.Timesteps:
		return fmt.Errorf("%s on %s with T = %d is none of the figures' tasks", s.Network, s.Dataset, s.Timesteps)
	case s.Classifier != network.Trainable:
		return fmt.Errorf("classifier %q; Figures 14 and 15 are of trainable classifiers", s.Classifier)
	case !slices.Contains(t.K, s.K):
		return fmt.Errorf("k is %d; the paper's grid of %s has %s", s.K, t.Dataset, list(t.K))
	case len(s.Blocks) == 0 || !slices.Contains(t.N, len(s.Blocks[0])):
		return fmt.Errorf("local blocks %v; the paper's grid of %s has n of %s", s.Blocks, t.Dataset, list(t.N))
	case len(result.Epochs) == 0 || result.Epochs[len(result.Epochs)-1].Test == nil:
		return errors.New("has no test accuracy after its last epoch")
	}
	accuracy := *result.Epochs[len(result.Epochs)-1].Test
	if accuracy <= 0 || accuracy > 1 {
		return fmt.Errorf("test accuracy %v is not a fraction above 0", accuracy)
	}
	d := design{t.Dataset, s.K, len(s.Blocks[0])}
	if f.has(d) {
		return fmt.Errorf("%s at (%d, %d) is there twice", d.dataset, d.k, d.n)
	}
	f.measured[d] = measurement{100 * accuracy, name, name}
	return nil
}

const trainSchema = "accelsim.train/1"

// has tells whether a design was there before.
func (f *AccuracyFiles) has(d design) bool {
	_, loss := f.losses[d]
	_, measured := f.measured[d]
	return loss || measured
}

// Accuracies returns the losses against BPTT. Where accuracies are given,
// BPTT's must be, too.
func (f *AccuracyFiles) Accuracies() (*Accuracies, error) {
	a := &Accuracies{Name: strings.Join(f.names, ", "), losses: f.losses}
	for _, t := range Tasks { // in order: the same first error every time
		base, ok := f.measured[design{t.Dataset, t.T(), t.Layers()}]
		var failure error
		t.grid(func(k, n int) {
			m, given := f.measured[design{t.Dataset, k, n}]
			if !given || failure != nil {
				return
			}
			if !ok {
				failure = fmt.Errorf("%s: the accuracy of %s at (%d, %d) needs BPTT's beside it: add that of k = %d, n = %d",
					m.at, t.Dataset, k, n, t.T(), t.Layers())
				return
			}
			loss := 100 * (base.accuracy - m.accuracy) / base.accuracy
			a.losses[design{t.Dataset, k, n}] = Loss{loss, loss, m.source}
		})
		if failure != nil {
			return nil, failure
		}
	}
	return a, nil
}

const accuracyHeader = "dataset,k,n,accuracy (or loss), and optionally net, classifier and source"

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

// row reads one line of CSV.
func (f *AccuracyFiles) row(columns map[string]int, record []string, at string) error {
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
		if err != nil || !slices.Contains(part.of, v) {
			return fmt.Errorf("%s is %q; the paper's grid of %s has %s", part.column, get(part.column), t.Dataset, list(part.of))
		}
		*part.to = v
	}
	if f.has(d) {
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
		f.measured[d] = measurement{v, get("source"), at}
	case loss != "":
		l, err := parseLoss(loss)
		if err != nil {
			return err
		}
		l.Source = get("source")
		f.losses[d] = l
	default:
		return errors.New("neither accuracy nor loss; write one of them")
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
